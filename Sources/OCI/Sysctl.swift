/// The kernel parameters that a container may set: those that its own namespaces keep.
package enum Sysctl {
    /// What belongs to which namespace; a name that ends in `/` stands for all below it.
    ///
    /// Sources: `Documentation/admin-guide/sysctl` and ipc_namespaces(7). Everything else is the
    /// host's, and writing it would change the host.
    static let table: [(name: StaticString, namespace: Spec.NamespaceType)] = [
        ("kernel/msgmax", .ipc), ("kernel/msgmnb", .ipc), ("kernel/msgmni", .ipc),
        ("kernel/msg_next_id", .ipc), ("kernel/sem", .ipc), ("kernel/sem_next_id", .ipc),
        ("kernel/shmall", .ipc), ("kernel/shmmax", .ipc), ("kernel/shmmni", .ipc),
        ("kernel/shm_rmid_forced", .ipc), ("kernel/shm_next_id", .ipc), ("fs/mqueue/", .ipc),
        ("kernel/domainname", .uts), ("net/", .network), ("user/", .user),
    ]

    /// The file below `/proc/sys` of a key, nil when the key is not one.
    ///
    /// As in sysctl(8), the first separator decides: in `net.ipv4.conf.eth0/1.forwarding` dots
    /// separate and the slash is a dot of the name.
    package static func file(of key: String) -> String? {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        guard let separator = key.utf8.first(where: { $0 == dot || $0 == slash }) else {
            return nil
        }
        var file: [UInt8] = []
        for byte in key.utf8 {
            switch byte {
            case separator: file.append(slash)
            case dot, slash: file.append(dot)
            default: file.append(byte)
            }
        }
        for component in file.split(separator: slash, omittingEmptySubsequences: false) {
            guard !component.isEmpty, !component.elementsEqual([dot]),
                !component.elementsEqual([dot, dot])
            else { return nil }
        }
        return String(decoding: file, as: UTF8.self)
    }

    /// The namespace that keeps a file below `/proc/sys`, nil when it is the host's.
    package static func namespace(of file: String) -> Spec.NamespaceType? {
        for (name, namespace) in table {
            let text = name.description
            let isWhole = text.utf8.last == UInt8(ascii: "/")
            if isWhole ? file.hasPrefix(text) : file == text { return namespace }
        }
        return nil
    }
}

extension Spec.Linux {
    /// - Parameter domainname: the property of that name, which no sysctl may contradict.
    func checkSysctls(domainname: String?) throws(ConfigError) {
        var files: [String] = []
        for key in sysctl.keys.sorted() {
            let path = "linux.sysctl.\(key)"
            guard let file = Sysctl.file(of: key) else {
                throw ConfigError(path: path, message: "not the name of a kernel parameter")
            }
            try require(!files.contains(file), path, "is there twice, with other separators")
            files.append(file)
            try require(file != "kernel/hostname", path, "use the property hostname instead")
            try require(
                file != "kernel/domainname" || domainname == nil || domainname == sysctl[key], path,
                "contradicts the property domainname")
            guard let type = Sysctl.namespace(of: file) else {
                throw ConfigError(
                    path: path, message: "belongs to the host, no namespace keeps it")
            }
            try require(
                namespace(type) != nil, path,
                "needs a namespace of type \(type.name) in linux.namespaces")
        }
    }
}

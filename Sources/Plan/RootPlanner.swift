internal import OCI

extension Draft {
    /// Ends the work on the root from outside: read-only file systems, and the pivot.
    mutating func closeRoot() {
        sealMounts()
        let mode: PivotMode =
            !own.contains(.mount) ? .chroot : options.noPivot ? .moveRoot : .pivotRoot
        add("root", .pivot(mode))
    }

    /// Kernel settings of the namespaces, written before /proc/sys may become read-only.
    mutating func setSysctls() throws(ConfigError) {
        for name in linux.sysctl.keys.sorted() {
            let value = linux.sysctl[name] ?? ""
            let origin = "linux.sysctl[\(name)]"
            let path = try Sysctl.path(name, origin)
            try Sysctl.check(path, namespaces: own, origin)
            add(origin, .sysctl(path: path, value: value))
        }
    }

    /// Read-only paths and then masked ones, so that a mask below a read-only path holds.
    mutating func hidePaths() throws(ConfigError) {
        try addPaths(linux.readonlyPaths, "linux.readonlyPaths") { .readOnly($0) }
        try addPaths(linux.maskedPaths, "linux.maskedPaths") { .mask($0) }
    }

    private mutating func addPaths(
        _ paths: [String], _ name: String, _ operation: (String) -> Operation
    ) throws(ConfigError) {
        guard own.contains(.mount) || paths.isEmpty else {
            throw ConfigError(path: name, message: "needs a mount namespace")
        }
        for (index, path) in paths.enumerated() {
            guard path.isAbsolutePath else {
                throw ConfigError(path: "\(name)[\(index)]", message: "must be an absolute path")
            }
            add("\(name)[\(index)]", operation(path))
        }
    }

    mutating func sealRoot() {
        if spec.root?.readonly == true, own.contains(.mount) {
            add("root.readonly", .rootReadOnly)
        }
        if !rootPropagation.isEmpty, own.contains(.mount) {
            add("linux.rootfsPropagation", .rootPropagation(rootPropagation))
        }
    }

    mutating func nameHost() throws(ConfigError) {
        let names = [("hostname", spec.hostname), ("domainname", spec.domainname)]
        for (origin, name) in names {
            guard let name, !name.isEmpty else { continue }
            guard own.contains(.uts) else {
                throw ConfigError(path: origin, message: "needs a uts namespace")
            }
            // __NEW_UTS_LEN of the kernel.
            guard name.utf8.count <= 64 else {
                throw ConfigError(path: origin, message: "is longer than 64 bytes")
            }
            add(origin, origin == "hostname" ? .hostname(name) : .domainname(name))
        }
    }
}

/// Names of kernel settings.
enum Sysctl {
    /// Settings that belong to a namespace, by the directory or file below /proc/sys.
    static let namespaced: [(path: String, isDirectory: Bool, namespace: Namespaces)] = [
        ("fs/mqueue", true, .ipc), ("kernel/msgmax", false, .ipc), ("kernel/msgmnb", false, .ipc),
        ("kernel/msgmni", false, .ipc), ("kernel/sem", false, .ipc),
        ("kernel/shmall", false, .ipc), ("kernel/shmmax", false, .ipc),
        ("kernel/shmmni", false, .ipc), ("kernel/shm_rmid_forced", false, .ipc),
        ("kernel/domainname", false, .uts), ("net", true, .network), ("user", true, .user),
    ]

    /// The path below /proc/sys of a name in either notation, as sysctl(8) reads them: with dots
    /// between the parts, and "/" for a dot within one; or the other way round.
    static func path(_ name: String, _ origin: String) throws(ConfigError) -> String {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        var bytes = Array(name.utf8)
        if bytes.first(where: { $0 == dot || $0 == slash }) == dot {
            for (index, byte) in bytes.enumerated() {
                if byte == dot { bytes[index] = slash }
                if byte == slash { bytes[index] = dot }
            }
        }
        let path = String(decoding: bytes, as: UTF8.self)
        let parts = path.split(at: "/")
        for part in parts where part.isEmpty || part == "." || part == ".." {
            throw ConfigError(path: origin, message: "is not the name of a kernel setting")
        }
        return path
    }

    /// Refuses a setting of the whole host.
    static func check(
        _ path: String, namespaces: Namespaces, _ origin: String
    ) throws(ConfigError) {
        if path == "kernel/hostname" {
            throw ConfigError(path: origin, message: "is set by the property hostname")
        }
        for row in namespaced
        where path == row.path || (row.isDirectory && path.starts(withText: row.path + "/")) {
            guard namespaces.contains(row.namespace) else {
                throw ConfigError(
                    path: origin,
                    message: "is the host's without a \(row.namespace.names[0]) namespace")
            }
            return
        }
        throw ConfigError(
            path: origin, message: "is not in a separate kernel namespace, it is the host's")
    }
}

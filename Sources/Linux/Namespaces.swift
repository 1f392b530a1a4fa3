internal import CLinux

/// CLONE_NEW*: kinds of namespaces.
package struct NamespaceTypes: OptionSet, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static let time = NamespaceTypes(rawValue: 0x80)
    package static let mount = NamespaceTypes(rawValue: 0x20000)
    package static let cgroup = NamespaceTypes(rawValue: 0x200_0000)
    package static let uts = NamespaceTypes(rawValue: 0x400_0000)
    package static let ipc = NamespaceTypes(rawValue: 0x800_0000)
    package static let user = NamespaceTypes(rawValue: 0x1000_0000)
    package static let pid = NamespaceTypes(rawValue: 0x2000_0000)
    package static let network = NamespaceTypes(rawValue: 0x4000_0000)
}

/// One line of a uid_map or gid_map.
package struct IDMapEntry: Equatable {
    package let inside: UInt32
    package let outside: UInt32
    package let count: UInt32

    package init(inside: UInt32, outside: UInt32, count: UInt32) {
        self.inside = inside
        self.outside = outside
        self.count = count
    }
}

extension Handle where Self: ~Copyable {
    /// setns(2): this thread joins the namespace, or with a pidfd (Linux 5.8) those of `types`.
    package func joinNamespaces(_ types: NamespaceTypes) throws(Errno) {
        _ = try check(apus_setns(raw, types.rawValue))
    }
}

/// unshare(2) of this thread.
package func unshare(_ types: NamespaceTypes) throws(Errno) {
    _ = try check(apus_unshare(types.rawValue))
}

/// A map of a process ("uid_map" or "gid_map"), as seen from here.
package func idMap(pid: String = "self", _ file: String) throws(Errno) -> [IDMapEntry] {
    let bytes = try BorrowedHandle.workingDirectory.readFile("/proc/\(pid)/\(file)")
    var ranges: [IDMapEntry] = []
    for line in bytes.split(separator: 0x0a) {
        let fields = line.split(separator: 0x20)
        guard fields.count == 3, let inside = number(fields[0]), let outside = number(fields[1]),
            let count = number(fields[2]), let inside = UInt32(exactly: inside),
            let outside = UInt32(exactly: outside), let count = UInt32(exactly: count)
        else { throw .ebadmsg }
        ranges.append(IDMapEntry(inside: inside, outside: outside, count: count))
    }
    return ranges
}

/// Whether this process is in another user namespace than the initial one.
///
/// The namespaces of the boot have fixed inode numbers (PROC_USER_INIT_INO). The name of the link
/// tells it without the namespace being opened.
package func isInUserNamespace() throws(Errno) -> Bool {
    try own.get()
}

/// Looked up once: the runtime never leaves the user namespace it was started in.
private let own = Result { () throws(Errno) in
    try BorrowedHandle.workingDirectory.readLink("/proc/self/ns/user") != "user:[4026531837]"
}

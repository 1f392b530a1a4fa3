/// A set of namespace types; the values are the kernel's CLONE_NEW* flags.
package struct Namespaces: OptionSet, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let time = Namespaces(rawValue: 0x0000_0080)
    package static let mount = Namespaces(rawValue: 0x0002_0000)
    package static let cgroup = Namespaces(rawValue: 0x0200_0000)
    package static let uts = Namespaces(rawValue: 0x0400_0000)
    package static let ipc = Namespaces(rawValue: 0x0800_0000)
    package static let user = Namespaces(rawValue: 0x1000_0000)
    package static let pid = Namespaces(rawValue: 0x2000_0000)
    package static let network = Namespaces(rawValue: 0x4000_0000)

    /// OCI's name, the kernel's name in /proc/PID/ns, and the flag of every type.
    package static let table: [(name: String, file: String, type: Namespaces)] = [
        ("user", "user", .user), ("pid", "pid", .pid), ("mount", "mnt", .mount),
        ("network", "net", .network), ("ipc", "ipc", .ipc), ("uts", "uts", .uts),
        ("cgroup", "cgroup", .cgroup), ("time", "time", .time),
    ]

    /// The type that OCI calls `name`.
    package static func named(_ name: String) -> Namespaces? {
        for row in table where row.name == name { return row.type }
        return nil
    }

    /// OCI's names of the members, in the table's order.
    package var names: [String] {
        var names: [String] = []
        for row in Self.table where contains(row.type) { names.append(row.name) }
        return names
    }
}

/// A clock's offset in a time namespace.
package struct TimeOffset: Equatable {
    package let seconds: Int64
    package let nanoseconds: UInt32
}

package import OCI

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

    /// OCI's names of the members, in OCI's order.
    package var names: [String] {
        var names: [String] = []
        for type in Spec.NamespaceType.allCases where contains(Namespaces(type)) {
            names.append(type.name)
        }
        return names
    }

    package init(_ type: Spec.NamespaceType) {
        self.init(rawValue: UInt32(type.flag))
    }
}

/// A clock's offset in a time namespace.
package struct TimeOffset: Equatable {
    package let seconds: Int64
    package let nanoseconds: UInt32
}

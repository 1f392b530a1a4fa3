package import JSON

/// The capabilities of capabilities(7).
package enum Capability {
    /// Every name, at the index that is its number.
    package static let names: [StaticString] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
        "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
        "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
        "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// The number of a name such as `CAP_CHOWN`, nil when it is not known.
    package static func number(of name: String) -> Int? { index(of: name, in: names) }

    /// The set of the named capabilities, bit N for number N; unknown names have none.
    package static func mask(of list: [String]) -> UInt64 {
        var mask: UInt64 = 0
        for name in list {
            if let number = number(of: name) { mask |= 1 << UInt64(number) }
        }
        return mask
    }
}

extension Spec {
    /// A resource of setrlimit(2).
    package struct RlimitType: Coded {
        /// Every name, at the index that is its number.
        package static let names: [StaticString] = [
            "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE",
            "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS",
            "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",
            "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
        ]
        package static let nofile = RlimitType(number: 7)

        /// The kernel's number, RLIMIT_*.
        package let number: Int

        package var name: String { Self.names[number].description }

        init(number: Int) {
            self.number = number
        }

        package init?(_ name: String) {
            guard let number = index(of: name, in: Self.names) else { return nil }
            self.number = number
        }

        package init(reading value: JSON.Value) throws(ConfigError) {
            let name = try String(reading: value)
            guard let type = RlimitType(name) else {
                throw ConfigError(value, "unknown resource limit \(quoted(name))")
            }
            self = type
        }

        package func write(to writer: inout JSONWriter) { writer.string(name) }

        package var isDefault: Bool { false }
    }

    /// A kind of namespace: namespaces(7).
    package enum NamespaceType: UInt8, Coded, CaseIterable {
        case mount, uts, ipc, user, pid, network, cgroup, time

        /// Every kind's OCI name, its file in `/proc/PID/ns`, and its CLONE_NEW flag.
        static let table: [(name: StaticString, file: StaticString, flag: UInt64)] = [
            ("mount", "mnt", 0x0002_0000),
            ("uts", "uts", 0x0400_0000),
            ("ipc", "ipc", 0x0800_0000),
            ("user", "user", 0x1000_0000),
            ("pid", "pid", 0x2000_0000),
            ("network", "net", 0x4000_0000),
            ("cgroup", "cgroup", 0x0200_0000),
            ("time", "time", 0x0000_0080),
        ]

        /// OCI's name, such as `network`.
        package var name: String { Self.table[Int(rawValue)].name.description }
        /// The name in `/proc/PID/ns`, such as `net`.
        package var file: String { Self.table[Int(rawValue)].file.description }
        /// The bit of clone3(2), unshare(2) and setns(2).
        package var flag: UInt64 { Self.table[Int(rawValue)].flag }

        package init?(_ name: String) {
            for kind in Self.allCases where kind.name == name {
                self = kind
                return
            }
            return nil
        }

        package init(reading value: JSON.Value) throws(ConfigError) {
            let name = try String(reading: value)
            guard let kind = NamespaceType(name) else {
                throw ConfigError(value, "unknown namespace type \(quoted(name))")
            }
            self = kind
        }

        package func write(to writer: inout JSONWriter) { writer.string(name) }

        package var isDefault: Bool { false }
    }
}

/// The position of a name in a table.
func index(of name: String, in table: [StaticString]) -> Int? {
    var name = name
    return name.withUTF8 { bytes in
        for (index, candidate) in table.enumerated() where unsafe candidate.matches(bytes) {
            return index
        }
        return nil
    }
}

extension StaticString {
    /// Whether the text is exactly these bytes.
    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard utf8CodeUnitCount == bytes.count else { return false }
        let own = unsafe utf8Start
        for index in 0..<bytes.count where unsafe own[index] != bytes[index] { return false }
        return true
    }
}

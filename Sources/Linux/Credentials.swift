internal import CLinux

/// The capability sets of a process, each a mask of 1 << CAP_*.
package struct CapabilitySets: Equatable {
    package let effective: UInt64
    package let permitted: UInt64
    package let inheritable: UInt64

    /// capget(2); pid 0 is this process.
    package init(pid: Int32 = 0) throws(Errno) {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        var inheritable: UInt64 = 0
        _ = try check(unsafe apus_capabilities(pid, &effective, &permitted, &inheritable))
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
    }
}

extension CurrentProcess {
    /// The capabilities it can ever have again (PR_CAPBSET_READ), a mask of 1 << CAP_*.
    ///
    /// Its highest bit also says which capabilities the kernel knows.
    package static func boundingSet() throws(Errno) -> UInt64 {
        var mask: UInt64 = 0
        for number in 0..<64 {
            let result = apus_prctl(23, UInt(number), 0, 0, 0)
            if result == -Errno.einval.rawValue { break }
            if try check(result) == 1 { mask |= 1 << UInt64(number) }
        }
        return mask
    }

    /// The last capability that the kernel knows; PR_CAPBSET_READ knows no other.
    package static var lastCapability: Int {
        // That of Linux 5.9: two questions are enough where it still is the last.
        var last = 40
        while isKnown(last + 1) { last += 1 }
        while last > 0, !isKnown(last) { last -= 1 }
        return last
    }

    private static func isKnown(_ capability: Int) -> Bool {
        apus_prctl(23, UInt(capability), 0, 0, 0) >= 0
    }

    /// The supplementary groups of /proc/self/status.
    package static func groups() throws(Errno) -> [UInt32] {
        let bytes = try BorrowedHandle.workingDirectory.readFile("/proc/self/status")
        let head = [UInt8]("Groups:".utf8)
        for line in bytes.split(separator: 0x0a) where line.starts(with: head) {
            var groups: [UInt32] = []
            for field in line.dropFirst(head.count).split(whereSeparator: {
                $0 == 0x20 || $0 == 0x09
            }) {
                guard let group = number(field), let group = UInt32(exactly: group) else {
                    throw .ebadmsg
                }
                groups.append(group)
            }
            return groups
        }
        throw .ebadmsg
    }
}

/// A resource limit; `UInt64.max` is no limit.
package struct ResourceLimit: Equatable {
    package let soft: UInt64
    package let hard: UInt64

    package init(soft: UInt64, hard: UInt64) {
        self.soft = soft
        self.hard = hard
    }

    /// prlimit(2) of RLIMIT_*: puts this limit in force; pid 0 is this process.
    package func set(pid: Int32 = 0, resource: Int32) throws(Errno) {
        _ = try check(apus_set_limit(pid, resource, soft, hard))
    }

    /// prlimit(2) of RLIMIT_*; pid 0 is this process.
    package init(pid: Int32 = 0, resource: Int32) throws(Errno) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        _ = try check(unsafe apus_get_limit(pid, resource, &soft, &hard))
        self.soft = soft
        self.hard = hard
    }
}

/// A hook that the init stage runs: createContainer and startContainer.
package struct HookRun: Equatable {
    package enum Kind: Equatable {
        /// In the container's namespaces, from the runtime's root, before the pivot.
        case createContainer
        /// In the container, after `start`, before the process.
        case startContainer
    }

    package let kind: Kind
    package let path: String
    /// argv, the program's name first.
    package let arguments: [String]
    /// nil: that of the process, HOME included.
    package let environment: [String]?
    /// Seconds.
    package let timeout: Int?
    /// The state that the hook reads on its standard input, compact JSON.
    ///
    /// The pid in it is 0, in whose place the init stage writes its own as it sees it.
    package let state: String
}

/// The seccomp filter, whose program is compiled beside the plan (see Seccomp).
package struct SeccompFilter: Equatable {
    /// SECCOMP_FILTER_FLAG_* of seccomp(2).
    package let flags: UInt32

    package static let newListener: UInt32 = 1 << 3

    package var hasListener: Bool { flags & Self.newListener != 0 }
}

/// A set of capabilities; bit n is capability n.
package struct CapabilityMask: Equatable {
    package var bits: UInt64 = 0

    package func isSubset(of other: CapabilityMask) -> Bool { bits & ~other.bits == 0 }

    package func intersection(_ other: CapabilityMask) -> CapabilityMask {
        CapabilityMask(bits: bits & other.bits)
    }

    package init(bits: UInt64 = 0) {
        self.bits = bits
    }
}

/// The capability sets of a process, but for the bounding set.
package struct CapabilityMasks: Equatable {
    package var effective = CapabilityMask()
    package var permitted = CapabilityMask()
    package var inheritable = CapabilityMask()
    package var ambient = CapabilityMask()
}

/// What the process must be just before its program runs; the init stage reads it back.
package struct Posture: Equatable {
    package let uid: UInt32
    package let gid: UInt32
    package let capabilities: CapabilityMasks
    package let bounding: CapabilityMask
    package let noNewPrivileges: Bool
}

/// A resource limit of setrlimit(2).
package struct Rlimit: Equatable {
    /// RLIMIT_* of the kernel.
    package let resource: Int
    package let soft: UInt64
    package let hard: UInt64
}

/// The arguments of sched_setattr(2).
package struct Scheduler: Equatable {
    package var policy: Int
    package var nice = 0
    package var priority = 0
    package var flags: UInt64 = 0
    /// Nanoseconds, these three.
    package var runtime: UInt64 = 0
    package var deadline: UInt64 = 0
    package var period: UInt64 = 0

    /// SCHED_DEADLINE, whose budget the kernel keeps for all processors together.
    package var isDeadline: Bool { policy == 6 }
}

/// The working directory, entered in two tries: root may enter what the user may not, and the
/// user what root may not (a network file system that trusts no root).
package struct WorkingDirectory: Equatable {
    package let path: String
    /// Made, mode 0755, where it is missing.
    package let isMade: Bool
    /// The first try, as root: want of permission is left to the second, which does nothing
    /// where the first succeeded.
    package let isFirstTry: Bool
}

/// The end of the init stage: the container's program.
package struct Execution: Equatable {
    package let arguments: [String]
    /// Without duplicate names, in the configuration's order.
    package let environment: [String]
    /// Handles from 3 that the program gets by the socket activation protocol.
    package let listenFDs: Int
    /// HOME is added, from the user's line in the container's /etc/passwd, or "/".
    package let setsHome: Bool
}

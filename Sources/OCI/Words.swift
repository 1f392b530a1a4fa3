// The words of the configuration. A word that is not listed is an error that names it.

extension Spec {
    /// The kind of a device node or of a device rule.
    package enum DeviceType: String, Word {
        case all = "a"
        case block = "b"
        case character = "c"
        /// An unbuffered character device, to Linux the same as `c`.
        case unbuffered = "u"
        case fifo = "p"
    }

    /// How mounts in the root file system travel to other mount namespaces: mount_namespaces(7).
    package enum Propagation: String, Word {
        case shared, slave, `private`, unbindable
        case rshared, rslave, rprivate, runbindable
    }
}

extension Spec.Scheduler {
    /// The policy: sched(7).
    package enum Policy: String, Word {
        case other = "SCHED_OTHER"
        case fifo = "SCHED_FIFO"
        case roundRobin = "SCHED_RR"
        case batch = "SCHED_BATCH"
        case iso = "SCHED_ISO"
        case idle = "SCHED_IDLE"
        case deadline = "SCHED_DEADLINE"

        /// The kernel's number, SCHED_*.
        package var number: UInt32 {
            switch self {
            case .other: 0
            case .fifo: 1
            case .roundRobin: 2
            case .batch: 3
            case .iso: 4
            case .idle: 5
            case .deadline: 6
            }
        }
    }

    /// A flag of sched_setattr(2).
    package enum Flag: String, Word {
        case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
        case reclaim = "SCHED_FLAG_RECLAIM"
        case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
        case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
        case keepParams = "SCHED_FLAG_KEEP_PARAMS"
        case utilClampMin = "SCHED_FLAG_UTIL_CLAMP_MIN"
        case utilClampMax = "SCHED_FLAG_UTIL_CLAMP_MAX"

        /// The kernel's bit, SCHED_FLAG_*.
        package var bit: UInt64 {
            switch self {
            case .resetOnFork: 0x01
            case .reclaim: 0x02
            case .deadlineOverrun: 0x04
            case .keepPolicy: 0x08
            case .keepParams: 0x10
            case .utilClampMin: 0x20
            case .utilClampMax: 0x40
            }
        }
    }
}

extension Spec.IOPriority {
    /// The class: ioprio_set(2).
    package enum Class: String, Word {
        case realtime = "IOPRIO_CLASS_RT"
        case bestEffort = "IOPRIO_CLASS_BE"
        case idle = "IOPRIO_CLASS_IDLE"

        /// The kernel's number, IOPRIO_CLASS_*.
        package var number: UInt32 {
            switch self {
            case .realtime: 1
            case .bestEffort: 2
            case .idle: 3
            }
        }
    }
}

extension Spec.MemoryPolicy {
    /// The mode: set_mempolicy(2).
    package enum Mode: String, Word {
        case `default` = "MPOL_DEFAULT"
        case preferred = "MPOL_PREFERRED"
        case bind = "MPOL_BIND"
        case interleave = "MPOL_INTERLEAVE"
        case local = "MPOL_LOCAL"
        case preferredMany = "MPOL_PREFERRED_MANY"
        case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"

        package static var refusal: String { "invalid memory policy mode" }

        /// The kernel's number, MPOL_*.
        package var number: UInt32 {
            switch self {
            case .default: 0
            case .preferred: 1
            case .bind: 2
            case .interleave: 3
            case .local: 4
            case .preferredMany: 5
            case .weightedInterleave: 6
            }
        }
    }

    /// A flag that is or'ed into the mode.
    package enum Flag: String, Word {
        case numaBalancing = "MPOL_F_NUMA_BALANCING"
        case relativeNodes = "MPOL_F_RELATIVE_NODES"
        case staticNodes = "MPOL_F_STATIC_NODES"

        package static var refusal: String { "invalid memory policy flag" }

        /// The kernel's bit, MPOL_F_*.
        package var bit: UInt32 {
            switch self {
            case .numaBalancing: 1 << 13
            case .relativeNodes: 1 << 14
            case .staticNodes: 1 << 15
            }
        }
    }
}

extension Spec.Personality {
    /// The execution domain.
    package enum Domain: String, Word {
        case linux = "LINUX"
        case linux32 = "LINUX32"

        /// The kernel's number, PER_*.
        package var number: UInt32 { self == .linux ? 0 : 8 }
    }
}

extension Spec.Seccomp {
    /// What a filter does with a system call.
    package enum Action: String, Word {
        /// An older name of `killThread`.
        case kill = "SCMP_ACT_KILL"
        case killProcess = "SCMP_ACT_KILL_PROCESS"
        case killThread = "SCMP_ACT_KILL_THREAD"
        case trap = "SCMP_ACT_TRAP"
        case errno = "SCMP_ACT_ERRNO"
        case trace = "SCMP_ACT_TRACE"
        case allow = "SCMP_ACT_ALLOW"
        case log = "SCMP_ACT_LOG"
        case notify = "SCMP_ACT_NOTIFY"
    }

    /// The comparison of an argument, as unsigned 64 bit numbers.
    package enum Operator: String, Word {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    /// A system call interface.
    ///
    /// Those this build cannot filter for are decoded all the same.
    package enum Architecture: String, Word {
        case x86 = "SCMP_ARCH_X86"
        case amd64 = "SCMP_ARCH_X86_64"
        case x32 = "SCMP_ARCH_X32"
        case arm = "SCMP_ARCH_ARM"
        case aarch64 = "SCMP_ARCH_AARCH64"
        case mips = "SCMP_ARCH_MIPS"
        case mips64 = "SCMP_ARCH_MIPS64"
        case mips64n32 = "SCMP_ARCH_MIPS64N32"
        case mipsel = "SCMP_ARCH_MIPSEL"
        case mipsel64 = "SCMP_ARCH_MIPSEL64"
        case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
        case ppc = "SCMP_ARCH_PPC"
        case ppc64 = "SCMP_ARCH_PPC64"
        case ppc64le = "SCMP_ARCH_PPC64LE"
        case s390 = "SCMP_ARCH_S390"
        case s390x = "SCMP_ARCH_S390X"
        case parisc = "SCMP_ARCH_PARISC"
        case parisc64 = "SCMP_ARCH_PARISC64"
        case riscv64 = "SCMP_ARCH_RISCV64"
        case loongarch64 = "SCMP_ARCH_LOONGARCH64"
        case m68k = "SCMP_ARCH_M68K"
        case sh = "SCMP_ARCH_SH"
        case sheb = "SCMP_ARCH_SHEB"
    }

    /// A flag of seccomp(2).
    package enum Flag: String, Word {
        case tsync = "SECCOMP_FILTER_FLAG_TSYNC"
        case log = "SECCOMP_FILTER_FLAG_LOG"
        case specAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        case waitKillableRecv = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    }
}

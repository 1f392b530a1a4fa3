/// What a cgroup has used and what it may use.
///
/// A part is absent where its controller is not enabled.
package struct CgroupStatistics: Equatable {
    package var cpu: CPU?
    package var cpuset: CPUSet?
    package var memory: Memory?
    package var pids: Pids?
    package var io: IO?
    /// By page size ("2MB"), in the order of the names.
    package var hugepages: [Hugepages] = []

    package init() {}

    /// Processor time of cpu.stat, in nanoseconds; the kernel counts microseconds.
    package struct CPU: Equatable {
        package var total: UInt64 = 0
        package var user: UInt64 = 0
        package var kernel: UInt64 = 0
        package var periods: UInt64 = 0
        package var throttledPeriods: UInt64 = 0
        package var throttledTime: UInt64 = 0
        package var pressure: Pressure?
    }

    /// The processors and memory nodes that may be used, as lists ("0-3,5").
    package struct CPUSet: Equatable {
        package var cpus: String
        package var mems: String
    }

    /// Bytes; `UInt64.max` is no limit.
    package struct Memory: Equatable {
        package var current: UInt64 = 0
        package var limit = UInt64.max
        package var peak: UInt64 = 0
        /// Swap alone, as cgroup v2 counts.
        package var swapCurrent: UInt64?
        package var swapLimit = UInt64.max
        package var events = MemoryEvents()
        /// memory.stat as it is.
        package var details: [Counter] = []
        package var pressure: Pressure?
    }

    /// Tasks; `UInt64.max` is no limit.
    package struct Pids: Equatable {
        package var current: UInt64 = 0
        package var limit = UInt64.max
    }

    /// io.stat, a line a device.
    package struct IO: Equatable {
        package var devices: [Device] = []
        package var pressure: Pressure?

        package struct Device: Equatable {
            package var major: UInt32
            package var minor: UInt32
            /// rbytes, wbytes, rios, wios, dbytes, dios and what else the kernel counts.
            package var counters: [Counter]
        }
    }

    /// hugetlb.SIZE.*, bytes.
    package struct Hugepages: Equatable {
        package var size: String
        package var current: UInt64
        package var limit: UInt64
        /// How often the limit was met.
        package var failures: UInt64
    }
}

/// A name and a number of a "flat keyed" file.
package struct Counter: Equatable {
    package let name: String
    package let value: UInt64
}

/// memory.events: how often each thing has happened.
package struct MemoryEvents: Equatable {
    package var low: UInt64 = 0
    package var high: UInt64 = 0
    package var max: UInt64 = 0
    package var oom: UInt64 = 0
    /// Processes killed because the limit left no memory.
    package var oomKill: UInt64 = 0
    package var oomGroupKill: UInt64 = 0

    package init() {}
}

/// How long tasks have waited for a resource (Documentation/accounting/psi.rst).
package struct Pressure: Equatable {
    /// Some tasks waited.
    package var some = Line()
    /// All tasks waited; absent for the processor on older kernels.
    package var full: Line?

    package struct Line: Equatable {
        /// Averages over 10, 60 and 300 seconds, in hundredths of a percent.
        package var avg10: UInt64 = 0
        package var avg60: UInt64 = 0
        package var avg300: UInt64 = 0
        /// Microseconds.
        package var total: UInt64 = 0
    }
}

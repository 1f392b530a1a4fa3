extension Spec {
    /// The limits of a container's cgroup, and the file of `update --resources`.
    ///
    /// Apus speaks to cgroup v2; what only v1 has is decoded so that it can be refused by name.
    package struct Resources: Fields {
        package var devices: [DeviceRule] = []
        package var memory: Memory?
        package var cpu: CPU?
        package var pids: Pids?
        package var blockIO: BlockIO?
        package var hugepageLimits: [HugepageLimit] = []
        package var network: Network?
        package var rdma: [String: Rdma] = [:]
        /// Files of cgroup v2 and what to write to them.
        package var unified: [String: String] = [:]

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("devices", &devices)
            try coder.optional("memory", &memory)
            try coder.optional("cpu", &cpu)
            try coder.optional("pids", &pids)
            try coder.optional("blockIO", &blockIO)
            try coder.defaulted("hugepageLimits", &hugepageLimits)
            try coder.optional("network", &network)
            try coder.defaulted("rdma", &rdma)
            try coder.defaulted("unified", &unified)
        }
    }
}

extension Spec.Resources {
    /// A rule about devices; the last that fits an access decides.
    package struct DeviceRule: Fields {
        package var allow = false
        /// Absent means all.
        package var type: Spec.DeviceType?
        /// Absent or -1 means every number.
        package var major: Int64?
        package var minor: Int64?
        /// Some of `r`, `w`, `m`; absent or empty means all three.
        package var access: String?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("allow", &allow)
            try coder.optional("type", &type)
            try coder.optional("major", &major)
            try coder.optional("minor", &minor)
            try coder.optional("access", &access)
        }
    }

    /// Memory limits in bytes; -1 means no limit.
    package struct Memory: Fields {
        package var limit: Int64?
        package var reservation: Int64?
        /// Memory and swap together, as cgroup v1 counted.
        package var swap: Int64?
        package var kernel: Int64?
        package var kernelTCP: Int64?
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool?
        package var useHierarchy: Bool?
        package var checkBeforeUpdate: Bool?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("limit", &limit)
            try coder.optional("reservation", &reservation)
            try coder.optional("swap", &swap)
            try coder.optional("kernel", &kernel)
            try coder.optional("kernelTCP", &kernelTCP)
            try coder.optional("swappiness", &swappiness)
            try coder.optional("disableOOMKiller", &disableOOMKiller)
            try coder.optional("useHierarchy", &useHierarchy)
            try coder.optional("checkBeforeUpdate", &checkBeforeUpdate)
        }
    }

    /// Processor time.
    ///
    /// Quota, period and burst are microseconds.
    package struct CPU: Fields {
        package var shares: UInt64?
        package var quota: Int64?
        package var burst: UInt64?
        package var period: UInt64?
        package var realtimeRuntime: Int64?
        package var realtimePeriod: UInt64?
        package var cpus: String?
        package var mems: String?
        /// 1 makes the cgroup run only when nothing else does.
        package var idle: Int64?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("shares", &shares)
            try coder.optional("quota", &quota)
            try coder.optional("burst", &burst)
            try coder.optional("period", &period)
            try coder.optional("realtimeRuntime", &realtimeRuntime)
            try coder.optional("realtimePeriod", &realtimePeriod)
            try coder.optional("cpus", &cpus)
            try coder.optional("mems", &mems)
            try coder.optional("idle", &idle)
        }
    }

    /// How many tasks there may be; -1 means no limit.
    package struct Pids: Fields {
        package var limit: Int64?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("limit", &limit)
        }
    }

    /// Block I/O weights and limits.
    package struct BlockIO: Fields {
        package var weight: UInt16?
        package var leafWeight: UInt16?
        package var weightDevice: [WeightDevice] = []
        package var throttleReadBpsDevice: [ThrottleDevice] = []
        package var throttleWriteBpsDevice: [ThrottleDevice] = []
        package var throttleReadIOPSDevice: [ThrottleDevice] = []
        package var throttleWriteIOPSDevice: [ThrottleDevice] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("weight", &weight)
            try coder.optional("leafWeight", &leafWeight)
            try coder.defaulted("weightDevice", &weightDevice)
            try coder.defaulted("throttleReadBpsDevice", &throttleReadBpsDevice)
            try coder.defaulted("throttleWriteBpsDevice", &throttleWriteBpsDevice)
            try coder.defaulted("throttleReadIOPSDevice", &throttleReadIOPSDevice)
            try coder.defaulted("throttleWriteIOPSDevice", &throttleWriteIOPSDevice)
        }
    }

    /// The weight of one block device, 10 to 1000.
    package struct WeightDevice: Fields {
        package var major: Int64 = 0
        package var minor: Int64 = 0
        package var weight: UInt16?
        package var leafWeight: UInt16?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("major", &major)
            try coder.required("minor", &minor)
            try coder.optional("weight", &weight)
            try coder.optional("leafWeight", &leafWeight)
        }
    }

    /// The limit of one block device: bytes or operations a second, 0 for none.
    package struct ThrottleDevice: Fields {
        package var major: Int64 = 0
        package var minor: Int64 = 0
        package var rate: UInt64 = 0

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("major", &major)
            try coder.required("minor", &minor)
            try coder.required("rate", &rate)
        }
    }

    /// The limit on huge pages of one size, in bytes.
    package struct HugepageLimit: Fields {
        /// Such as `2MB` or `1GB`.
        package var pageSize = ""
        package var limit: UInt64 = 0

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("pageSize", &pageSize)
            try coder.required("limit", &limit)
        }
    }

    /// Network classes and priorities, which only cgroup v1 has.
    package struct Network: Fields {
        package var classID: UInt32?
        package var priorities: [Priority] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("classID", &classID)
            try coder.defaulted("priorities", &priorities)
        }

        /// The priority of traffic on one interface.
        package struct Priority: Fields {
            package var name = ""
            package var priority: UInt32 = 0

            package init() {}

            package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
                try coder.required("name", &name)
                try coder.required("priority", &priority)
            }
        }
    }

    /// The limits on one RDMA device.
    package struct Rdma: Fields {
        package var hcaHandles: UInt32?
        package var hcaObjects: UInt32?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("hcaHandles", &hcaHandles)
            try coder.optional("hcaObjects", &hcaObjects)
        }
    }
}

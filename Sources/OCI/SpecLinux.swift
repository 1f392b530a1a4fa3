extension Spec {
    /// What concerns Linux alone: OCI config-linux.md.
    package struct Linux: Fields {
        package var uidMappings: [IDMapping] = []
        package var gidMappings: [IDMapping] = []
        package var sysctl: [String: String] = [:]
        package var resources: Resources?
        package var cgroupsPath: String?
        package var namespaces: [Namespace] = []
        package var devices: [Device] = []
        /// The network devices to move into the container, by their name on the host.
        package var netDevices: [String: NetDevice] = [:]
        package var seccomp: Seccomp?
        package var rootfsPropagation: Propagation?
        package var maskedPaths: [String] = []
        package var readonlyPaths: [String] = []
        package var mountLabel: String?
        package var intelRdt: IntelRdt?
        package var memoryPolicy: MemoryPolicy?
        package var personality: Personality?
        package var timeOffsets: TimeOffsets?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("uidMappings", &uidMappings)
            try coder.defaulted("gidMappings", &gidMappings)
            try coder.defaulted("sysctl", &sysctl)
            try coder.optional("resources", &resources)
            try coder.optional("cgroupsPath", &cgroupsPath)
            try coder.defaulted("namespaces", &namespaces)
            try coder.defaulted("devices", &devices)
            try coder.defaulted("netDevices", &netDevices)
            try coder.optional("seccomp", &seccomp)
            try coder.optional("rootfsPropagation", &rootfsPropagation)
            try coder.defaulted("maskedPaths", &maskedPaths)
            try coder.defaulted("readonlyPaths", &readonlyPaths)
            try coder.optional("mountLabel", &mountLabel)
            try coder.optional("intelRdt", &intelRdt)
            try coder.optional("memoryPolicy", &memoryPolicy)
            try coder.optional("personality", &personality)
            try coder.optional("timeOffsets", &timeOffsets)
        }
    }

    /// A namespace to make, or with a path to join.
    package struct Namespace: Fields {
        package var type = NamespaceType.mount
        package var path: String?

        package init() {}

        package init(_ type: NamespaceType, path: String? = nil) {
            self.type = type
            self.path = path
        }

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("type", &type)
            try coder.optional("path", &path)
            // Go's engines may print the absence of a path as an empty one.
            if path?.isEmpty == true { path = nil }
        }
    }

    /// A range of ids inside a user namespace and where it lies outside: user_namespaces(7).
    package struct IDMapping: Fields {
        package var containerID: UInt32 = 0
        package var hostID: UInt32 = 0
        package var size: UInt32 = 0

        package init() {}

        package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("containerID", &containerID)
            try coder.required("hostID", &hostID)
            try coder.required("size", &size)
        }
    }

    /// A device node to make in the container: mknod(2).
    package struct Device: Fields {
        package var type = DeviceType.character
        package var path = ""
        package var major: Int64?
        package var minor: Int64?
        /// Permission bits; absent means 0666.
        package var fileMode: UInt32?
        package var uid: UInt32?
        package var gid: UInt32?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("type", &type)
            try coder.required("path", &path)
            try coder.optional("major", &major)
            try coder.optional("minor", &minor)
            try coder.optional("fileMode", &fileMode)
            try coder.optional("uid", &uid)
            try coder.optional("gid", &gid)
        }
    }

    /// What becomes of a network device moved into the container.
    package struct NetDevice: Fields {
        /// The name inside.
        ///
        /// May hold `%d`. Absent, it keeps its name.
        package var name: String?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("name", &name)
        }
    }

    /// The resctrl group of a container: cache and memory bandwidth of Intel RDT.
    package struct IntelRdt: Fields {
        package var closID: String?
        package var schemata: [String] = []
        package var l3CacheSchema: String?
        package var memBwSchema: String?
        package var enableMonitoring = false

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("closID", &closID)
            try coder.defaulted("schemata", &schemata)
            try coder.optional("l3CacheSchema", &l3CacheSchema)
            try coder.optional("memBwSchema", &memBwSchema)
            try coder.defaulted("enableMonitoring", &enableMonitoring)
        }
    }

    /// The NUMA memory policy of the container's process: set_mempolicy(2).
    package struct MemoryPolicy: Fields {
        /// Required; `validate` refuses its absence.
        package var mode: Mode?
        /// A list such as `0-1,3`.
        package var nodes: String?
        package var flags: [Flag] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("mode", &mode)
            try coder.optional("nodes", &nodes)
            try coder.defaulted("flags", &flags)
        }
    }

    /// The execution domain: personality(2).
    package struct Personality: Fields {
        package var domain = Domain.linux
        /// OCI defines none, so any is refused.
        package var flags: [String] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("domain", &domain)
            try coder.defaulted("flags", &flags)
        }
    }

    /// The offsets of a new time namespace's clocks: time_namespaces(7).
    package struct TimeOffsets: Fields {
        package var monotonic: TimeOffset?
        package var boottime: TimeOffset?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("monotonic", &monotonic)
            try coder.optional("boottime", &boottime)
        }
    }

    /// An offset of one clock.
    package struct TimeOffset: Fields {
        package var secs: Int64 = 0
        package var nanosecs: UInt32 = 0

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("secs", &secs)
            try coder.defaulted("nanosecs", &nanosecs)
        }
    }

    /// A seccomp filter: OCI config-linux.md "Seccomp".
    package struct Seccomp: Fields {
        package var defaultAction = Action.errno
        /// The errno of `defaultAction`; absent means EPERM.
        package var defaultErrnoRet: UInt32?
        package var architectures: [Architecture] = []
        /// Nil when absent, which means SPEC_ALLOW; an empty list means no flag.
        package var flags: [Flag]?
        package var listenerPath: String?
        package var listenerMetadata: String?
        package var syscalls: [Rule] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("defaultAction", &defaultAction)
            try coder.optional("defaultErrnoRet", &defaultErrnoRet)
            try coder.defaulted("architectures", &architectures)
            try coder.optional("flags", &flags)
            try coder.optional("listenerPath", &listenerPath)
            try coder.optional("listenerMetadata", &listenerMetadata)
            try coder.defaulted("syscalls", &syscalls)
        }

        /// What happens to some system calls when all of `args` hold.
        package struct Rule: Fields {
            package var names: [String] = []
            package var action = Action.allow
            package var errnoRet: UInt32?
            package var args: [Argument] = []

            package init() {}

            package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
                try coder.required("names", &names)
                try coder.required("action", &action)
                try coder.optional("errnoRet", &errnoRet)
                try coder.defaulted("args", &args)
            }
        }

        /// A condition on one argument of a system call.
        package struct Argument: Fields {
            /// 0 to 5.
            package var index: UInt32 = 0
            /// The value to compare with; for `maskedEqual` the mask.
            package var value: UInt64 = 0
            /// For `maskedEqual` the value to compare with.
            package var valueTwo: UInt64?
            package var op = Operator.equal

            package init() {}

            package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
                try coder.required("index", &index)
                try coder.required("value", &value)
                try coder.optional("valueTwo", &valueTwo)
                try coder.required("op", &op)
            }
        }
    }
}

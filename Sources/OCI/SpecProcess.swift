extension Spec {
    /// The process of a container, and the file of `exec --process`.
    package struct Process: Fields {
        package var terminal = false
        package var consoleSize: ConsoleSize?
        package var user = User()
        package var args: [String] = []
        package var env: [String] = []
        package var cwd = ""
        package var capabilities: Capabilities?
        package var rlimits: [Rlimit] = []
        package var noNewPrivileges = false
        package var apparmorProfile: String?
        package var oomScoreAdj: Int32?
        package var scheduler: Scheduler?
        package var selinuxLabel: String?
        package var ioPriority: IOPriority?
        package var execCPUAffinity: ExecCPUAffinity?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("terminal", &terminal)
            try coder.optional("consoleSize", &consoleSize)
            // OCI demands `user`; runc and crun take its absence for root, and engines use that.
            try coder.defaulted("user", &user)
            try coder.defaulted("args", &args)
            try coder.defaulted("env", &env)
            try coder.required("cwd", &cwd)
            try coder.optional("capabilities", &capabilities)
            try coder.defaulted("rlimits", &rlimits)
            try coder.defaulted("noNewPrivileges", &noNewPrivileges)
            try coder.optional("apparmorProfile", &apparmorProfile)
            try coder.optional("oomScoreAdj", &oomScoreAdj)
            try coder.optional("scheduler", &scheduler)
            try coder.optional("selinuxLabel", &selinuxLabel)
            try coder.optional("ioPriority", &ioPriority)
            try coder.optional("execCPUAffinity", &execCPUAffinity)
        }
    }

    /// The size of a terminal in characters.
    package struct ConsoleSize: Fields {
        package var height: UInt32 = 0
        package var width: UInt32 = 0

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("height", &height)
            try coder.required("width", &width)
        }
    }

    /// The user a process runs as, in ids of the container's user namespace.
    package struct User: Fields {
        package var uid: UInt32 = 0
        package var gid: UInt32 = 0
        /// The file mode creation mask; absent, the mask of the runtime stays.
        package var umask: UInt32?
        package var additionalGids: [UInt32] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.assumed("uid", &uid)
            try coder.assumed("gid", &gid)
            try coder.optional("umask", &umask)
            try coder.defaulted("additionalGids", &additionalGids)
        }
    }

    /// The five capability sets.
    ///
    /// A name this runtime does not know is a warning, not an error.
    package struct Capabilities: Fields {
        package var bounding: [String] = []
        package var effective: [String] = []
        package var inheritable: [String] = []
        package var permitted: [String] = []
        package var ambient: [String] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("bounding", &bounding)
            try coder.defaulted("effective", &effective)
            try coder.defaulted("inheritable", &inheritable)
            try coder.defaulted("permitted", &permitted)
            try coder.defaulted("ambient", &ambient)
        }
    }

    /// A resource limit: setrlimit(2).
    package struct Rlimit: Fields {
        package var type = RlimitType.nofile
        package var hard: UInt64 = 0
        package var soft: UInt64 = 0

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("type", &type)
            try coder.required("hard", &hard)
            try coder.required("soft", &soft)
        }
    }

    /// The scheduling policy of a process: sched_setattr(2).
    package struct Scheduler: Fields {
        package var policy = Policy.other
        package var nice: Int32?
        package var priority: Int32?
        package var flags: [Flag] = []
        /// Nanoseconds, for the deadline policy only, like `deadline` and `period`.
        package var runtime: UInt64?
        package var deadline: UInt64?
        package var period: UInt64?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("policy", &policy)
            try coder.optional("nice", &nice)
            try coder.optional("priority", &priority)
            try coder.defaulted("flags", &flags)
            try coder.optional("runtime", &runtime)
            try coder.optional("deadline", &deadline)
            try coder.optional("period", &period)
        }
    }

    /// The I/O priority of a process: ioprio_set(2).
    package struct IOPriority: Fields {
        package var `class` = Class.bestEffort
        /// 0 (first) to 7 (last) within the class.
        package var priority: Int32 = 0

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("class", &`class`)
            try coder.assumed("priority", &priority)
        }
    }

    /// The processors of a process started by `exec`: before and after it enters the cgroup.
    package struct ExecCPUAffinity: Fields {
        /// A list such as `0-3,7`.
        package var initial: String?
        package var final: String?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("initial", &initial)
            try coder.optional("final", &final)
        }
    }
}

internal import OCI

extension Draft {
    /// Resource limits, OOM score and scheduling of the process.
    mutating func limit(_ process: Spec.Process, affinity: String?) throws(ConfigError) {
        var steps: [Step] = []
        var seen: Set<Int> = []
        for (index, limit) in process.rlimits.enumerated() {
            let origin = "process.rlimits[\(index)]"
            guard seen.insert(limit.type.number).inserted else {
                throw ConfigError(path: origin, message: "duplicate limit \(limit.type.name)")
            }
            guard limit.soft <= limit.hard else {
                throw ConfigError(path: origin, message: "the soft limit is above the hard one")
            }
            steps.append(
                Step(
                    origin,
                    .rlimit(
                        Rlimit(
                            resource: limit.type.number, soft: limit.soft, hard: limit.hard))))
        }
        if let adjustment = process.oomScoreAdj {
            guard (-1000...1000).contains(adjustment) else {
                throw ConfigError(
                    path: "process.oomScoreAdj",
                    message: "\(adjustment) is outside -1000 to 1000")
            }
            steps.append(Step("process.oomScoreAdj", .oomScoreAdjust(Int(adjustment))))
        }
        // The privilege for these is one over the host, not over a user namespace.
        if hasUserNamespace && host.isPrivileged {
            plan.outsideSteps += steps
        } else {
            plan.steps += steps
        }
        try schedule(process)
        add(
            affinity == nil ? "(default)" : "process.execCPUAffinity.final",
            .affinity(cpus: try Self.list(affinity, "process.execCPUAffinity.final")))
    }

    private mutating func schedule(_ process: Spec.Process) throws(ConfigError) {
        if let scheduler = process.scheduler {
            add("process.scheduler", .scheduler(try Self.scheduler(scheduler)))
        }
        if let io = process.ioPriority {
            guard (0...7).contains(io.priority) else {
                throw ConfigError(
                    path: "process.ioPriority.priority",
                    message: "\(io.priority) is outside 0 to 7")
            }
            add(
                "process.ioPriority",
                .ioPriority(class: Int(io.class.number), priority: Int(io.priority)))
        }
    }

    /// The arguments of sched_setattr(2), after its rules.
    private static func scheduler(_ given: Spec.Scheduler) throws(ConfigError) -> Scheduler {
        let path = "process.scheduler"
        var scheduler = Scheduler(policy: Int(given.policy.number))
        switch given.policy {
        case .other, .batch:
            guard (-20...19).contains(given.nice ?? 0) else {
                throw ConfigError(path: path + ".nice", message: "is outside -20 to 19")
            }
            scheduler.nice = Int(given.nice ?? 0)
        case .fifo, .roundRobin:
            guard (1...99).contains(given.priority ?? 0) else {
                throw ConfigError(path: path + ".priority", message: "is outside 1 to 99")
            }
        case .deadline:
            guard (given.runtime ?? 0) > 0, (given.deadline ?? given.period ?? 0) > 0 else {
                throw ConfigError(
                    path: path, message: "SCHED_DEADLINE needs runtime, and deadline or period")
            }
        case .idle: break
        case .iso:
            throw ConfigError(path: path + ".policy", message: "Linux has no SCHED_ISO")
        }
        let isRealtime = given.policy == .fifo || given.policy == .roundRobin
        guard isRealtime || (given.priority ?? 0) == 0 else {
            throw ConfigError(
                path: path + ".priority", message: "needs SCHED_FIFO or SCHED_RR")
        }
        scheduler.priority = Int(given.priority ?? 0)
        let times = (given.runtime ?? 0) | (given.deadline ?? 0) | (given.period ?? 0)
        guard given.policy == .deadline || times == 0 else {
            throw ConfigError(
                path: path, message: "runtime, deadline and period need SCHED_DEADLINE")
        }
        scheduler.runtime = given.runtime ?? 0
        scheduler.deadline = given.deadline ?? 0
        scheduler.period = given.period ?? 0
        for flag in given.flags { scheduler.flags |= flag.bit }
        return scheduler
    }

    /// Personality and NUMA policy.
    mutating func setExecutionDomain() throws(ConfigError) {
        if let personality = linux.personality {
            guard personality.flags.isEmpty else {
                throw ConfigError(path: "linux.personality.flags", message: "OCI defines none")
            }
            add("linux.personality", .personality(personality.domain.number))
        }
        guard let policy = linux.memoryPolicy else { return }
        let nodes = try Self.list(policy.nodes, "linux.memoryPolicy.nodes") ?? ""
        switch policy.mode {
        case .default, .local:
            guard nodes.isEmpty else {
                throw ConfigError(
                    path: "linux.memoryPolicy.nodes", message: "this mode takes no nodes")
            }
        case .preferred: break
        case .bind, .interleave, .preferredMany, .weightedInterleave:
            guard !nodes.isEmpty else {
                throw ConfigError(
                    path: "linux.memoryPolicy.nodes", message: "required by this mode")
            }
        }
        var mode = policy.mode.number
        for flag in policy.flags { mode |= flag.bit }
        guard !policy.flags.contains(.staticNodes) || !policy.flags.contains(.relativeNodes)
        else {
            throw ConfigError(
                path: "linux.memoryPolicy.flags",
                message: "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
        }
        add("linux.memoryPolicy", .memoryPolicy(mode: Int(mode), nodes: nodes))
    }

    /// A list of CPUs or nodes, "0-3,7"; nil for none.
    static func list(_ list: String?, _ path: String) throws(ConfigError) -> String? {
        guard let list, !list.isEmpty else { return nil }
        for part in list.split(at: ",") {
            let ends = part.split(at: "-")
            guard let first = UInt16(ends[0]), ends.count <= 2,
                ends.count == 1 || (UInt16(ends[1]) ?? 0) >= first
            else {
                throw ConfigError(path: path, message: "\"\(list)\" is not a list such as 0-3,7")
            }
        }
        return list
    }
}

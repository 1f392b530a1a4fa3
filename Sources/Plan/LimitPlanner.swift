internal import OCI

extension Draft {
    /// Resource limits, OOM score and scheduling of the process.
    mutating func limit(_ process: Spec.Process, affinity: String?) throws(ConfigError) {
        var steps: [Step] = []
        for (index, limit) in process.rlimits.enumerated() {
            let origin = "process.rlimits[\(index)]"
            steps.append(
                Step(
                    origin,
                    .rlimit(
                        Rlimit(
                            resource: limit.type.number, soft: limit.soft, hard: limit.hard))))
        }
        if let adjustment = process.oomScoreAdj {
            steps.append(Step("process.oomScoreAdj", .oomScoreAdjust(Int(adjustment))))
        }
        // The privilege for these is one over the host, not over a user namespace.
        if hasUserNamespace && host.isPrivileged {
            plan.outsideSteps += steps
        } else {
            plan.steps += steps
        }
        try schedule(process)
        if let affinity, !affinity.isEmpty {
            add("process.execCPUAffinity.final", .affinity(cpus: affinity))
        } else if (plan.initialAffinity ?? "").isEmpty {
            // The runtime's caller may be bound to few CPUs, which is not the container's affair.
            add("(default)", .affinity(cpus: nil))
        }
    }

    private mutating func schedule(_ process: Spec.Process) throws(ConfigError) {
        if let scheduler = process.scheduler {
            add("process.scheduler", .scheduler(try Self.scheduler(scheduler)))
        }
        if let io = process.ioPriority {
            add(
                "process.ioPriority",
                .ioPriority(class: Int(io.class.number), priority: Int(io.priority)))
        }
    }

    /// The arguments of sched_setattr(2).
    private static func scheduler(_ given: Spec.Scheduler) throws(ConfigError) -> Scheduler {
        guard !Support.missingPolicies.contains(given.policy) else {
            throw ConfigError(
                path: "process.scheduler.policy",
                message: "Linux has no \(given.policy.rawValue)")
        }
        var scheduler = Scheduler(policy: Int(given.policy.number))
        scheduler.nice = Int(given.nice ?? 0)
        scheduler.priority = Int(given.priority ?? 0)
        scheduler.runtime = given.runtime ?? 0
        scheduler.deadline = given.deadline ?? 0
        scheduler.period = given.period ?? 0
        for flag in given.flags { scheduler.flags |= flag.bit }
        return scheduler
    }

    /// Personality and NUMA policy.
    mutating func setExecutionDomain() {
        if let personality = linux.personality {
            add("linux.personality", .personality(personality.domain.number))
        }
        guard let policy = linux.memoryPolicy, let mode = policy.mode else { return }
        var number = mode.number
        for flag in policy.flags { number |= flag.bit }
        add("linux.memoryPolicy", .memoryPolicy(mode: Int(number), nodes: policy.nodes ?? ""))
    }
}

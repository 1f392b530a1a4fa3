extension Spec.Process {
    /// Checks a process: of a configuration, or alone for `exec --process`.
    package func validate(at path: String) throws(ConfigError) {
        try require(!args.isEmpty, path + ".args", "must name a program")
        try checkAbsolute(cwd, path + ".cwd")
        try checkEnvironment(env, path + ".env")
        try checkUser(path + ".user")
        try checkRlimits(path + ".rlimits")
        try checkOOMScore(path + ".oomScoreAdj")
        try checkConsoleSize(path + ".consoleSize")
        try scheduler?.validate(at: path + ".scheduler")
        if let ioPriority {
            try require(
                0...7 ~= ioPriority.priority, path + ".ioPriority.priority", "is outside 0 to 7")
        }
        for (name, list) in [
            ("initial", execCPUAffinity?.initial), ("final", execCPUAffinity?.final),
        ] {
            guard let list, !list.isEmpty else { continue }
            try require(
                isNumberList(list), "\(path).execCPUAffinity.\(name)",
                "\(quoted(list)) is not a list of processors such as 0-3,7")
        }
    }

    /// The unknown capabilities: OCI lets a runtime warn of them, not refuse them.
    package func warnings(at path: String) -> [ConfigWarning] {
        guard let capabilities else { return [] }
        var warnings: [ConfigWarning] = []
        for (name, list) in capabilities.sets {
            for (index, capability) in list.enumerated()
            where Capability.number(of: capability) == nil {
                warnings.append(
                    ConfigWarning(
                        path: "\(path).capabilities.\(name)[\(index)]",
                        message: "unknown capability \(capability)"))
            }
        }
        return warnings
    }

    private func checkUser(_ path: String) throws(ConfigError) {
        // The last number means "leave as it is" to the kernel, never an id.
        let last = UInt32.max
        try require(user.uid != last, path + ".uid", "\(last) is not an id")
        try require(user.gid != last, path + ".gid", "\(last) is not an id")
        for (index, gid) in user.additionalGids.enumerated() {
            try require(gid != last, "\(path).additionalGids[\(index)]", "\(last) is not an id")
        }
        try require((user.umask ?? 0) <= 0o777, path + ".umask", "is above 511 (octal 777)")
    }

    private func checkRlimits(_ path: String) throws(ConfigError) {
        var seen: [Spec.RlimitType] = []
        for (index, limit) in rlimits.enumerated() {
            try require(
                !seen.contains(limit.type), "\(path)[\(index)].type",
                "\(limit.type.name) is there twice")
            try require(
                limit.soft <= limit.hard, "\(path)[\(index)].soft",
                "\(limit.soft) is above the hard limit \(limit.hard)")
            seen.append(limit.type)
        }
    }

    private func checkOOMScore(_ path: String) throws(ConfigError) {
        let score = oomScoreAdj ?? 0
        try require(-1000...1000 ~= score, path, "\(score) is outside -1000 to 1000")
    }

    private func checkConsoleSize(_ path: String) throws(ConfigError) {
        // OCI has it ignored without a terminal.
        guard terminal, let consoleSize else { return }
        try require(
            consoleSize.height <= UInt16.max && consoleSize.width <= UInt16.max, path,
            "\(consoleSize.height) x \(consoleSize.width) is above 65535")
    }
}

extension Spec.Capabilities {
    /// The sets by name.
    package var sets: [(name: String, list: [String])] {
        [
            ("bounding", bounding), ("effective", effective), ("inheritable", inheritable),
            ("permitted", permitted), ("ambient", ambient),
        ]
    }
}

extension Spec.Scheduler {
    func validate(at path: String) throws(ConfigError) {
        let nice = nice ?? 0
        try require(-20...19 ~= nice, path + ".nice", "\(nice) is outside -20 to 19")
        let priority = priority ?? 0
        switch policy {
        case .fifo, .roundRobin:
            try require(
                1...99 ~= priority, path + ".priority",
                "\(policy.rawValue) needs 1 to 99, found \(priority)")
        default:
            try require(
                priority == 0, path + ".priority",
                "only SCHED_FIFO and SCHED_RR have one, not \(policy.rawValue)")
        }
        let isTimed = (runtime ?? 0) != 0 || (deadline ?? 0) != 0 || (period ?? 0) != 0
        if policy == .deadline {
            let (runtime, deadline) = (runtime ?? 0, deadline ?? 0)
            let period = period ?? 0
            try require(
                runtime > 0 && runtime <= deadline && (period == 0 || deadline <= period), path,
                "SCHED_DEADLINE needs 0 < runtime <= deadline <= period")
        } else {
            try require(
                !isTimed, path,
                "runtime, deadline and period are for SCHED_DEADLINE, not \(policy.rawValue)")
        }
    }
}

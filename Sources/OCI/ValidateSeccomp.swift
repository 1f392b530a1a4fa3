extension Spec.Seccomp {
    func validate(at path: String) throws(ConfigError) {
        // The runtime itself could not go on: nobody answers before the listener has the handle.
        try require(
            defaultAction != .notify, path + ".defaultAction",
            "SCMP_ACT_NOTIFY cannot be the default")
        try check(defaultErrnoRet, of: defaultAction, path + ".defaultErrnoRet")
        try require(
            listenerMetadata?.isEmpty != false || listenerPath?.isEmpty == false,
            path + ".listenerMetadata", "needs listenerPath")
        if let listenerPath, !listenerPath.isEmpty {
            try checkAbsolute(listenerPath, path + ".listenerPath")
        }
        for (index, rule) in syscalls.enumerated() {
            try check(rule, "\(path).syscalls[\(index)]")
        }
    }

    private func check(_ rule: Rule, _ path: String) throws(ConfigError) {
        try require(!rule.names.isEmpty, path + ".names", "must name a system call")
        try check(rule.errnoRet, of: rule.action, path + ".errnoRet")
        if rule.action == .notify {
            try require(
                listenerPath?.isEmpty == false, path + ".action",
                "SCMP_ACT_NOTIFY needs listenerPath")
            // Init passes the handle on after it has loaded the filter.
            for name in ["write", "sendmsg"] {
                try require(
                    !rule.names.contains(name), path + ".action",
                    "SCMP_ACT_NOTIFY cannot be used for the \(name) syscall")
            }
        }
        for (index, argument) in rule.args.enumerated() {
            try require(
                argument.index < 6, "\(path).args[\(index)].index", "is outside 0 to 5")
        }
    }

    /// Only errno and trace carry a number; the kernel knows errno 1 to 4095.
    private func check(
        _ number: UInt32?, of action: Action, _ path: String
    ) throws(ConfigError) {
        guard let number else { return }
        switch action {
        case .errno: try require(number <= 4095, path, "\(number) is no errno")
        case .trace: try require(number <= UInt16.max, path, "\(number) is above 65535")
        default: throw ConfigError(path: path, message: "\(action.rawValue) has no errno")
        }
    }
}

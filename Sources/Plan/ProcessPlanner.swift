internal import OCI

/// Which process a plan ends in.
enum ProcessKind {
    /// The container's own, which waits for `start`.
    case first
    /// One more, by `exec`.
    case further
}

extension Draft {
    mutating func enterDirectory(
        _ process: Spec.Process, isFirstTry: Bool, isMade: Bool
    ) {
        add(
            "process.cwd",
            .workingDirectory(
                WorkingDirectory(path: process.cwd, isMade: isMade, isFirstTry: isFirstTry)))
    }

    /// From a root of the container that does setup to the container's process.
    ///
    /// What can fail comes before `ready`, so that it fails `create`. The filter comes as late as
    /// the kernel allows: the less of this code runs under it, the less a profile must permit.
    mutating func become(_ process: Spec.Process, kind: ProcessKind) throws(ConfigError) {
        let user = process.user
        let posture = try posture(of: process)
        let environment = Environment.plan(process.env)
        let filter = seccompFilter()
        // The kernel takes a filter from who cannot gain privileges by it, or has CAP_SYS_ADMIN.
        let isFilterEarly =
            filter != nil && !process.noNewPrivileges
            && posture.capabilities.effective.bits & Self.sysAdmin == 0

        try addLabels(process)
        try checkMapped(user.uid, linux.uidMappings, "process.user.uid")
        try checkMapped(user.gid, linux.gidMappings, "process.user.gid")
        for (index, gid) in user.additionalGids.enumerated() {
            try checkMapped(gid, linux.gidMappings, "process.user.additionalGids[\(index)]")
        }
        add("process.capabilities.bounding", .boundingSet(posture.bounding))
        add(
            "process.user.additionalGids",
            .groups(user.additionalGids, keepsGroups: keepsGroups))
        add("process.user", .user(uid: user.uid, gid: user.gid, umask: user.umask))
        enterDirectory(process, isFirstTry: false, isMade: false)
        if isFilterEarly { add(filter) }
        add("process.capabilities", .capabilities(posture.capabilities))
        add(
            "process.args[0]",
            .executable(name: process.args[0], searchPath: environment.searchPath))
        // The listener's handle goes to who waits for it with the runtime's help: before `ready`.
        let hasListener = filter?.hasListener == true && !isFilterEarly
        if hasListener { addLast(filter, posture) }
        add("(default)", .await(.ready))
        if kind == .first { add("(default)", .gate) }
        if !hasListener { addLast(isFilterEarly ? nil : filter, posture) }
        // Their programs are the image's, like the process's: they get no privileges that it has not.
        if kind == .first { addHooks(.startContainer) }
        add("process.args", .execute(execution(process, environment)))
    }

    private static let sysAdmin: UInt64 = 1 << 21

    private mutating func add(_ filter: SeccompFilter?) {
        if let filter { add("linux.seccomp", .seccomp(filter)) }
    }

    private mutating func addLast(_ filter: SeccompFilter?, _ posture: Posture) {
        if posture.noNewPrivileges { add("process.noNewPrivileges", .noNewPrivileges) }
        add("process", .verify(posture))
        add(filter)
    }

    /// The labels hold from the next exec on.
    private mutating func addLabels(_ process: Spec.Process) throws(ConfigError) {
        if let label = process.selinuxLabel, !label.isEmpty {
            guard host.hasSELinux else {
                throw ConfigError(
                    path: "process.selinuxLabel", message: "SELinux is not enabled on this host")
            }
            add("process.selinuxLabel", .selinuxLabel(label))
        }
        if let profile = process.apparmorProfile, !profile.isEmpty {
            guard host.hasAppArmor else {
                // Without AppArmor everything is unconfined.
                if profile == "unconfined" { return }
                throw ConfigError(
                    path: "process.apparmorProfile",
                    message: "AppArmor is not enabled on this host")
            }
            add("process.apparmorProfile", .apparmorProfile(profile))
        }
    }

    private func execution(_ process: Spec.Process, _ planned: Environment.Planned) -> Execution {
        var environment = planned.entries
        if options.notifyDirectory != nil {
            environment = Environment.replacing(
                "NOTIFY_SOCKET", "/run/notify/notify.sock", in: environment)
        }
        if options.listenFDs > 0 {
            environment = Environment.replacing(
                "LISTEN_FDS", String(options.listenFDs), in: environment)
            environment = Environment.replacing("LISTEN_PID", "1", in: environment)
        }
        return Execution(
            arguments: process.args, environment: environment, listenFDs: options.listenFDs,
            setsHome: !planned.hasHome)
    }
}

/// The environment of a process.
enum Environment {
    struct Planned: Equatable {
        var entries: [String] = []
        /// Where the program is looked for.
        var searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        var hasHome = false
    }

    /// Of entries with one name the last holds, at its place.
    ///
    /// An empty HOME counts as none.
    static func plan(_ entries: [String]) -> Planned {
        var planned = Planned()
        var seen: Set<String> = []
        for entry in entries.reversed() {
            let name = name(of: entry)
            guard seen.insert(name).inserted else { continue }
            let value = String(
                decoding: Array(entry.utf8.dropFirst(name.utf8.count + 1)), as: UTF8.self)
            if name == "HOME" {
                guard !value.isEmpty else { continue }
                planned.hasHome = true
            }
            if name == "PATH" { planned.searchPath = value }
            planned.entries.append(entry)
        }
        planned.entries.reverse()
        return planned
    }

    static func replacing(_ name: String, _ value: String, in entries: [String]) -> [String] {
        entries.filter { self.name(of: $0) != name } + ["\(name)=\(value)"]
    }

    private static func name(of entry: String) -> String {
        String(
            decoding: Array(entry.utf8.prefix { $0 != UInt8(ascii: "=") }), as: UTF8.self)
    }
}

internal import OCI

extension CloneShape {
    /// Which namespaces clone3(2) makes, which are made later, and whether a second process is
    /// needed.
    ///
    /// - A joined pid namespace holds the children of who joins, so a child goes on.
    /// - Namespaces belong to the user namespace they are made in. With a joined one, the new ones
    ///   are made after it was entered.
    /// - A new user namespace takes away the right to enter namespaces of the host, so those are
    ///   joined before it is made.
    /// - The cgroup namespace's root is the cgroup of who makes it, and clone3 would take the
    ///   runtime's: it is made last, from inside the container's cgroup.
    /// - The root of an IPC namespace's mqueue file system belongs to who makes the namespace: to be the
    ///   container's root's, it is made once that user is there.
    /// - Offsets can be written to a time namespace only while nobody is in it: after unshare(2),
    ///   whose caller enters it with its next execve (Linux 6.1). The second clone, clone(2) with
    ///   CLONE_PARENT, has no flag for a time namespace either.
    static func decide(made: Namespaces, joined: Namespaces, hasTimeOffsets: Bool) -> CloneShape {
        var shape = CloneShape()
        var late: Namespaces = [.cgroup]
        if made.contains(.user) { late.insert(.ipc) }
        let isSecond =
            joined.contains(.pid) || (made.contains(.user) && !joined.isEmpty)
            || joined.contains(.user)
        if hasTimeOffsets || isSecond { late.insert(.time) }
        shape.unshared = made.intersection(late)
        let rest = made.subtracting(late)
        if !isSecond {
            shape.new = rest
        } else if joined.contains(.user), !joined.contains(.pid), !rest.contains(.pid) {
            shape.unshared.formUnion(rest)
        } else {
            shape.forked = rest
        }
        return shape
    }
}

extension Draft {
    /// Sorts the configured namespaces into those to make and those to join.
    mutating func chooseNamespaces() throws(ConfigError) {
        for namespace in linux.namespaces {
            let type = Namespaces(namespace.type)
            if (namespace.path ?? "").isEmpty { made.insert(type) } else { joined.insert(type) }
        }
        if host.uid != 0, !hasUserNamespace {
            throw ConfigError(
                path: "linux.namespaces", message: "without root, a user namespace is required")
        }
    }

    /// The init stage's way into the namespaces; at its end all of them are entered or made.
    mutating func enterNamespaces() throws(ConfigError) {
        let offsets = timeOffsets
        plan.clone = CloneShape.decide(
            made: made, joined: joined, hasTimeOffsets: offsets != nil)
        plan.clone.intoCgroup = !options.noCgroup
        if plan.clone.unshared.contains(.time), host.kernel < KernelVersion(6, 1) {
            throw ConfigError(
                path: "linux.namespaces", message: "this time namespace needs Linux 6.1 or newer")
        }
        awaitCgroup()
        requestNamespaces()
        for join in plan.clone.joins {
            add(join.origin, .join(handle: join.handle, types: join.types))
        }
        if joined.contains(.user) { becomeRoot() }
        if let forked = plan.clone.forked {
            add("linux.namespaces", .fork(newNamespaces: forked))
        }
        if made.contains(.user) {
            add("linux.uidMappings", .await(.mapIDs))
            becomeRoot()
        }
        let unshared = plan.clone.unshared
        if !unshared.isEmpty { add("linux.namespaces", .unshare(unshared)) }
        if let offsets { add("linux.timeOffsets", offsets) }
        if made.contains(.network) { add("linux.namespaces", .loopbackUp) }
    }

    /// Session and keyring come after the user namespace: the keyring belongs to its root.
    mutating func openSession(label: String?) {
        add("(default)", .newSession)
        if !options.noNewKeyring {
            let isLabelled = label?.isEmpty == false
            add(
                isLabelled ? "process.selinuxLabel" : "(default)",
                .keyring(name: "_ses." + options.id, label: label))
        }
    }

    /// A user's systemd may have to move the process into its scope: clone3 into it is refused to
    /// who has no right to the cgroup above both, as in a login session.
    ///
    /// That comes before all else, so that nothing is done outside of the limits, and the cgroup
    /// namespace is made inside.
    private mutating func awaitCgroup() {
        guard options.systemdCgroup, host.isRootless, !options.noCgroup else { return }
        add("linux.cgroupsPath", .await(.cgroup))
    }

    mutating func joinContainer() throws(ConfigError) {
        let types = own
        plan.clone.intoCgroup = !options.noCgroup
        awaitCgroup()
        guard !types.isEmpty else { return try enterRootOfContainer() }
        let handle = slot("exec", .process)
        plan.clone.joins = [NamespaceJoin(handle: handle, types: types, origin: "exec")]
        add("exec", .join(handle: handle, types: types))
        if types.contains(.user) { becomeRoot() }
        if types.contains(.pid) {
            // Who joins a pid namespace stays outside; its children are inside.
            plan.clone.forked = []
            add("exec", .fork(newNamespaces: []))
        }
        if !types.contains(.mount) { try enterRootOfContainer() }
    }

    private mutating func enterRootOfContainer() throws(ConfigError) {
        add(
            "root",
            .openRoot(path: try rootPath(), handle: nil, isShared: false, binding: .none))
        add("root", .pivot(.chroot))
    }

    private mutating func becomeRoot() {
        add("linux.uidMappings", .becomeRoot(keepsGroups: keepsGroups))
    }

    private mutating func requestNamespaces() {
        var joins: [NamespaceJoin] = []
        for (index, namespace) in linux.namespaces.enumerated() {
            guard let path = namespace.path, !path.isEmpty else { continue }
            let origin = "linux.namespaces[\(index)]"
            let type = Namespaces(namespace.type)
            let handle = slot(origin, .namespace(path: path, type: type))
            joins.append(NamespaceJoin(handle: handle, types: type, origin: origin))
        }
        // The host's root loses the right to enter other namespaces with the user namespace;
        // anybody else gets it there.
        let user = joins.filter { $0.types == .user }
        let others = joins.filter { $0.types != .user }
        plan.clone.joins = host.isPrivileged ? others + user : user + others
    }

    private var timeOffsets: Operation? {
        guard let offsets = linux.timeOffsets,
            offsets.monotonic != nil || offsets.boottime != nil
        else { return nil }
        return .timeOffsets(
            monotonic: offsets.monotonic.map {
                TimeOffset(seconds: $0.secs, nanoseconds: $0.nanosecs)
            },
            boottime: offsets.boottime.map {
                TimeOffset(seconds: $0.secs, nanoseconds: $0.nanosecs)
            })
    }
}

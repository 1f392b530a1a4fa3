internal import OCI

extension Draft {
    /// Absolute path of the container's root on the host.
    func rootPath() throws(ConfigError) -> String {
        guard let root = spec.root, !root.path.isEmpty else {
            throw ConfigError(path: "root.path", message: "required, but missing")
        }
        return root.path.isAbsolutePath ? root.path : options.bundle + "/" + root.path
    }

    /// The mount namespace's propagation, and the root tree.
    mutating func makeRoot() throws(ConfigError) {
        let path = try rootPath()
        if own.contains(.mount) {
            add("linux.rootfsPropagation", .hostPropagation(hostPropagation))
        }
        let handle =
            usesTrees
            ? slot("root", .tree(path: path, isRecursive: true, followsLink: true)) : nil
        add(
            "root",
            .openRoot(
                path: path, handle: handle, isShared: rootPropagation.contains(.shared),
                binding: rootBinding))
        if options.isEphemeral {
            guard own.contains(.mount) else {
                throw ConfigError(path: "root", message: "ephemeral needs a mount namespace")
            }
            let inUserNamespace = hasUserNamespace || host.isInUserNamespace
            add("root", .overlayRoot(inUserNamespace: inUserNamespace))
        }
    }

    /// Whose mounts the container's are.
    ///
    /// Without a mount namespace of its own it has the host's, and they are made there: OCI
    /// config-linux.md, "Namespaces". A user namespace has no right to that.
    var rootBinding: RootBinding {
        if own.contains(.mount) { return .own }
        return spec.mounts.isEmpty || hasUserNamespace ? .none : .onHost
    }

    /// Whether the runtime opens trees of the host for the init stage: its mapped root could be
    /// forbidden the way to them.
    var usesTrees: Bool { hasUserNamespace && host.isPrivileged }

    /// What `rootfsPropagation` asks for; empty where it is absent.
    var rootPropagation: Propagation {
        Propagation.named(linux.rootfsPropagation?.rawValue ?? "") ?? []
    }

    /// Mounts of the host still arrive (slave) unless asked otherwise, and none of ours leave.
    ///
    /// An unbindable "/" could not be the source of the root, so that is set at the end only. Where
    /// nothing is to be shared, that holds for every mount, whichever the root lies on.
    var hostPropagation: Propagation {
        let asked = rootPropagation
        guard !asked.isEmpty, !asked.contains(.unbindable) else { return [.slave, .recursive] }
        return asked.contains(.shared) ? asked : asked.union(.recursive)
    }

    /// All mounts, in the configuration's order.
    mutating func mountAll() throws(ConfigError) {
        guard rootBinding != .none || spec.mounts.isEmpty else {
            throw ConfigError(
                path: "mounts", message: "a user namespace needs a mount namespace for them")
        }
        for (index, mount) in spec.mounts.enumerated() {
            try add(mount, "mounts[\(index)]")
        }
        if let directory = options.notifyDirectory {
            var notify = Spec.Mount()
            notify.destination = "/run/notify"
            notify.source = directory
            notify.options = ["bind", "nosuid", "noexec", "nodev", "ro"]
            try add(notify, "NOTIFY_SOCKET")
        }
    }

    private mutating func add(_ mount: Spec.Mount, _ origin: String) throws(ConfigError) {
        let target = mount.destination.isAbsolutePath ? mount.destination : "/" + mount.destination
        guard target.cleanPath != "/" else {
            throw ConfigError(
                path: origin + ".destination", message: "the root cannot be mounted over")
        }
        var options = MountOptions(mount.options)
        if mount.type == "bind" { options.isBind = true }
        try check(options, origin)
        try checkProc(mount, target, options, origin)
        if options.isRemount {
            add(
                origin,
                .remount(
                    Remount(
                        target: target, settings: options.settings,
                        superblock: options.isBind ? 0 : options.superblock,
                        data: options.data)))
        } else if options.isBind {
            try addBind(mount, target, options, origin)
        } else {
            try addFileSystem(mount, target, options, origin)
        }
    }

    /// Refuses options that this runtime knows of and does not honour.
    private func check(_ options: MountOptions, _ origin: String) throws(ConfigError) {
        for option in options.data {
            if option == "copy-symlink" || option.starts(withText: "idmap=")
                || option.starts(withText: "ridmap=")
            {
                throw ConfigError(
                    path: origin + ".options", message: "\"\(option)\" is not supported yet")
            }
        }
        if options.isBind, let option = options.data.first {
            throw ConfigError(
                path: origin + ".options", message: "\"\(option)\" is not an option of a bind")
        }
    }

    // MARK: - New file systems

    private mutating func addFileSystem(
        _ mount: Spec.Mount, _ target: String, _ options: MountOptions, _ origin: String
    ) throws(ConfigError) {
        guard let type = mount.type, !type.isEmpty, type != "none" else {
            throw ConfigError(path: origin + ".type", message: "required, but missing")
        }
        guard options.mapsIDsRecursively == nil, mount.uidMappings.isEmpty else {
            throw ConfigError(
                path: origin + ".options", message: "idmap is supported for binds only")
        }
        if options.settings.how.contains(.copyUp), type != "tmpfs" {
            throw ConfigError(path: origin + ".options", message: "tmpcopyup needs type tmpfs")
        }
        if type == "cgroup" || type == "cgroup2" {
            return try addCgroup(target, options, origin)
        }
        if let source = hostFallback(type) {
            return try addFallback(source, target, options, origin)
        }
        try checkMapped(options.data, origin)
        var new = NewMount(type: type, source: mount.source ?? type, target: target)
        new.settings = options.settings
        new.data = options.data
        new.superblock = options.superblock
        if isVirtual(type) {
            // Their superblock may be the host's too; only the mount is ours to make read-only.
            // A symbolic link in their place would put them, or what is done there later, elsewhere.
            if type != "tmpfs" { new.settings.how.insert(.destinationNoFollow) }
        } else if options.isReadOnly {
            new.superblock |= SuperblockFlags.readOnly
        }
        // A read-only tmpfs, and a read-only /dev, is filled before it is made so.
        if options.isReadOnly, type == "tmpfs" || target.cleanPath == "/dev" {
            new.settings.attributes.set &= ~MountAttributes.readOnly
            new.settings.attributes.recursiveSet &= ~MountAttributes.readOnly
            sealedLate.append((origin, target.cleanPath))
        }
        let takesLabel = !["proc", "sysfs", "mqueue"].contains(type)
        if takesLabel, let label = linux.mountLabel, !label.isEmpty {
            guard host.hasSELinux else {
                throw ConfigError(
                    path: "linux.mountLabel", message: "SELinux is not enabled on this host")
            }
            new.context = label
        }
        add(origin, .mount(new))
    }

    private func isVirtual(_ type: String) -> Bool {
        ["proc", "sysfs", "tmpfs", "mqueue", "devpts"].contains(type)
    }

    /// The mounts of `mountAll` that become read-only at the end.
    mutating func sealMounts() {
        for (origin, target) in sealedLate {
            var seal = Remount(target: target)
            seal.settings.attributes.set = MountAttributes.readOnly
            add(origin, .remount(seal))
        }
    }

    /// Options of cgroup2 itself, cgroups(7) and cgroup-v2.rst.
    ///
    /// They are those of the whole hierarchy, and the kernel passes them over in a cgroup namespace.
    private static let cgroupOptions = [
        "nsdelegate", "favordynmods", "nofavordynmods", "memory_localevents",
        "memory_recursiveprot", "memory_hugetlb_accounting", "pids_localevents",
    ]

    private mutating func addCgroup(
        _ target: String, _ options: MountOptions, _ origin: String
    ) throws(ConfigError) {
        for option in options.data where !Self.cgroupOptions.contains(option) {
            throw ConfigError(
                path: origin + ".options",
                message: "\"\(option)\" is not an option of cgroup2: invalid argument")
        }
        let view: CgroupMount.View = own.contains(.cgroup) ? .own : .host
        var mount = CgroupMount(target: target, view: view)
        mount.settings = options.settings
        if view == .host, host.isRootless || hasUserNamespace {
            // Writable, the delegated part of the host's hierarchy would be the container's
            // (CVE-2023-25809).
            mount.settings.attributes.set |= MountAttributes.readOnly
            mount.settings.attributes.clear &= ~MountAttributes.readOnly
        }
        add(origin, .mountCgroup(mount))
    }

    /// Refuses a group that the new user namespace has not: devpts would with a mere EINVAL.
    private func checkMapped(_ data: [String], _ origin: String) throws(ConfigError) {
        for option in data {
            if let text = option.dropping(prefix: "gid="), let gid = UInt32(text) {
                try checkMapped(gid, linux.gidMappings, origin + ".options")
            }
            if let text = option.dropping(prefix: "uid="), let uid = UInt32(text) {
                try checkMapped(uid, linux.uidMappings, origin + ".options")
            }
        }
    }

    // MARK: - Where a user namespace has no right to a file system

    /// The kernel lets root of a user namespace mount these only for a namespace of its own.
    private static let bound: [(type: String, namespace: Namespaces, source: String)] = [
        ("proc", .pid, "/proc"), ("sysfs", .network, "/sys"), ("mqueue", .ipc, "/dev/mqueue"),
    ]

    /// The host's mount to bind where a new one would be refused.
    private func hostFallback(_ type: String) -> String? {
        for row in Self.bound where row.type == type {
            // A joined namespace may belong to the joined user namespace: only the kernel knows.
            let isForeign =
                made.contains(.user)
                ? !made.contains(row.namespace)
                : (host.isInUserNamespace || own.contains(.user)) && !own.contains(row.namespace)
            return isForeign ? row.source : nil
        }
        return nil
    }

    private mutating func addFallback(
        _ source: String, _ target: String, _ options: MountOptions, _ origin: String
    ) throws(ConfigError) {
        var settings = options.settings
        settings.how.formUnion([.recursive, .destinationNoFollow])
        // What lies below is the host's as well.
        settings.attributes.recursiveSet |= settings.attributes.set & MountAttributes.readOnly
        if settings.propagation.isEmpty { settings.propagation = [.slave, .recursive] }
        add(origin, .bind(Bind(source: source, target: target, settings: settings)))
    }
}

internal import OCI

extension Draft {
    /// A tree of the host, opened by the init stage or, where that could not, by the runtime.
    mutating func addBind(
        _ mount: Spec.Mount, _ target: String, _ options: MountOptions, _ origin: String
    ) throws(ConfigError) {
        guard let source = mount.source, !source.isEmpty else {
            throw ConfigError(path: origin + ".source", message: "required by a bind")
        }
        guard !options.settings.how.contains(.copyUp) else {
            throw ConfigError(path: origin + ".options", message: "tmpcopyup needs type tmpfs")
        }
        let path = source.isAbsolutePath ? source : self.options.bundle + "/" + source
        let inRoot = try pathInRoot(path)
        var bind = Bind(source: inRoot ?? path, target: target, settings: options.settings)
        let tree = try mappedTree(mount, path, options, origin)
        if tree != nil { bind.settings.how.insert(.idMapped) }
        if inRoot != nil {
            bind.settings.how.insert(.sourceInRoot)
            bind.mapped = tree
        } else if let tree {
            bind.handle = slot(origin, .mappedTree(tree))
        } else if usesTrees {
            bind.handle = slot(
                origin,
                .tree(
                    path: path, isRecursive: options.settings.how.contains(.recursive),
                    followsLink: !options.settings.how.contains(.sourceNoFollow)))
        }
        if bind.handle != nil, bind.settings.propagation.isEmpty {
            // Opened in the host's mount namespace, the tree is still a peer of the host's mounts.
            bind.settings.propagation = hostPropagation
        }
        add(origin, .bind(bind))
    }

    /// The path as the container sees it, of a source that lies in its root; nil for others.
    ///
    /// There the mounts before are to be seen, which only the init stage does, and links are
    /// the image's: they must not lead out.
    private func pathInRoot(_ path: String) throws(ConfigError) -> String? {
        let root = try rootPath().cleanPath
        let clean = path.cleanPath
        if clean == root { return "/" }
        guard root != "/", clean.starts(withText: root + "/") else { return nil }
        return clean.dropping(prefix: root)
    }

    /// What `idmap`, `ridmap` or a mount's own maps ask for; nil for a plain bind.
    private func mappedTree(
        _ mount: Spec.Mount, _ path: String, _ options: MountOptions, _ origin: String
    ) throws(ConfigError) -> MappedTree? {
        guard options.mapsIDsRecursively != nil || !mount.uidMappings.isEmpty else { return nil }
        let optionsPath = origin + ".options"
        // Root of a user namespace may map a file system that was mounted there, a tmpfs for one.
        guard host.isPrivileged else {
            throw ConfigError(path: optionsPath, message: "idmap needs root")
        }
        let isOfContainer = mount.uidMappings.isEmpty
        guard !isOfContainer || hasUserNamespace else {
            throw ConfigError(
                path: optionsPath, message: "idmap without maps needs a user namespace")
        }
        let uids = isOfContainer ? linux.uidMappings : mount.uidMappings
        let gids = isOfContainer ? linux.gidMappings : mount.gidMappings
        var namespace: String?
        if isOfContainer, joined.contains(.user) {
            for entry in linux.namespaces where entry.type == .user { namespace = entry.path }
        }
        return MappedTree(
            path: path, isRecursive: options.settings.how.contains(.recursive),
            mapsRecursively: options.mapsIDsRecursively ?? false,
            uids: Self.ranges(uids),
            gids: Self.ranges(gids), namespace: namespace)
    }

    /// Files of a procfs that may be covered: what LXCFS and engines put there to show a
    /// container its own share of the machine.
    private static let coverable = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/net/dev",
        "/proc/slabinfo", "/proc/stat", "/proc/swaps", "/proc/sys/crypto/fips_enabled",
        "/proc/sys/kernel/ns_last_pid", "/proc/uptime",
    ]

    /// Refuses targets in a procfs, but for the few files that may be covered.
    ///
    /// What is mounted over others could hide from the runtime, or from the container's own
    /// tools, what the kernel says (CVE-2019-16884, CVE-2025-52881). The init stage in turn
    /// refuses to be led to a procfs by links from a target that is not below /proc here.
    func checkProc(
        _ mount: Spec.Mount, _ target: String, _ options: MountOptions, _ origin: String
    ) throws(ConfigError) {
        let clean = target.cleanPath
        if clean == "/proc" {
            let isProc =
                options.isBind
                ? mount.source?.cleanPath == "/proc" : mount.type == "proc" || options.isRemount
            guard isProc else {
                throw ConfigError(
                    path: origin + ".destination", message: "only a procfs can be mounted on /proc")
            }
            return
        }
        guard clean.starts(withText: "/proc/") else { return }
        guard options.isBind, Self.coverable.contains(clean) else {
            throw ConfigError(
                path: origin + ".destination",
                message: "\"\(clean)\" cannot be mounted because it is inside /proc")
        }
    }
}

package import OCI

/// What `shell` must know of the host and of the directory.
package struct ShellHost: Sendable {
    /// The absolute path of the root file system.
    package var root = "/"
    package var user = UserDatabase.User(uid: 0, gid: 0, home: "/root")
    /// The shell to start where no command is given: a path inside.
    package var shell = "/bin/sh"
    package var hasTerminal = false
    /// $TERM of the caller.
    package var term: String?
    /// The host name inside, unless the command line has one.
    package var hostname = Program.name
    /// An ordinary user: its own ids, and the ranges it was given; nil for root.
    package var ownership: Ownership?
    /// The host's /etc/resolv.conf is shown inside (only with the host's network).
    package var sharesResolver = false

    package init() {}

    /// Who an ordinary user may be inside.
    package struct Ownership: Sendable {
        package var uid: UInt32
        package var gid: UInt32
        package var uids: [IDRange]
        package var gids: [IDRange]

        package init(
            uid: UInt32, gid: UInt32, uids: [IDRange], gids: [IDRange]
        ) {
            self.uid = uid
            self.gid = gid
            self.uids = uids
            self.gids = gids
        }
    }
}

/// Makes the configuration of `shell DIR`: the same values a bundle's config.json would hold.
package struct ShellSpec {
    private let request: ShellRequest
    private let host: ShellHost
    private var spec: Spec

    private init(_ request: ShellRequest, _ host: ShellHost) {
        self.request = request
        self.host = host
        let args = request.command.isEmpty ? [host.shell] : request.command
        spec = Spec.shell(root: host.root, args: args)
    }

    /// The configuration; `request.binds` have absolute sources.
    package static func make(_ request: ShellRequest, _ host: ShellHost) -> Spec {
        var maker = ShellSpec(request, host)
        maker.makeRoot()
        maker.makeProcess()
        maker.makeMounts()
        maker.makeLinux()
        return maker.spec
    }

    private mutating func makeRoot() {
        spec.root?.readonly = request.isReadOnly
        spec.hostname = request.hostname ?? host.hostname
    }

    private mutating func makeProcess() {
        var process = spec.process ?? Spec.Process()
        process.terminal = host.hasTerminal
        process.cwd = request.workdir ?? (request.command.isEmpty ? host.user.home : "/")
        process.user.uid = host.user.uid
        process.user.gid = host.user.gid
        process.user.umask = 0o022
        process.user.additionalGids = host.user.groups
        process.env = environment()
        process.capabilities = capabilities()
        process.rlimits = []
        // su and sudo work inside: what they can gain is in the bounding set.
        process.noNewPrivileges = false
        spec.process = process
    }

    private func environment() -> [String] {
        var list = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=" + host.user.home,
        ]
        if host.hasTerminal { list.append("TERM=" + (host.term ?? "xterm")) }
        // systemd's convention: programs that care look for it.
        list.append("container=" + Program.name)
        return list + request.environment
    }

    private func capabilities() -> Spec.Capabilities {
        var kept = request.droppedCapabilities.contains("ALL") ? [] : Spec.Capabilities.ordinary
        if request.addedCapabilities.contains("ALL") {
            kept = Capability.names.map { $0.description }
        }
        for name in request.addedCapabilities where name != "ALL" && !kept.contains(name) {
            kept.append(name)
        }
        kept.removeAll { request.droppedCapabilities.contains($0) }
        var sets = Spec.Capabilities()
        sets.bounding = kept
        // Another user than root gains them by programs only, and what was asked for by name.
        let own = host.user.uid == 0 ? kept : kept.filter { request.addedCapabilities.contains($0) }
        sets.permitted = own
        sets.effective = own
        if host.user.uid != 0 {
            sets.inheritable = own
            sets.ambient = own
        }
        return sets
    }

    /// What an ordinary user cannot have, in a form that it can.
    private mutating func adaptMounts(to ownership: ShellHost.Ownership) {
        let hasTerminalGroup = Self.isMapped(5, own: ownership.gid, ranges: ownership.gids)
        for index in spec.mounts.indices {
            switch spec.mounts[index].destination {
            case "/dev/pts" where !hasTerminalGroup:
                spec.mounts[index].options.removeAll { $0 == "gid=5" }
            case "/sys" where request.network == .host:
                // A user namespace may mount sysfs only with a network of its own.
                spec.mounts[index] = Spec.Mount(
                    "/sys", type: "none", source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "rro"])
            default: break
            }
        }
    }

    private mutating func makeMounts() {
        if let ownership = host.ownership { adaptMounts(to: ownership) }
        if host.sharesResolver {
            spec.mounts.append(
                Spec.Mount(
                    "/etc/resolv.conf", type: "none", source: "/etc/resolv.conf",
                    options: ["bind", "ro", "nosuid", "nodev", "noexec"]))
        }
        for tmpfs in request.tmpfs {
            spec.mounts.append(
                Spec.Mount(
                    tmpfs.destination, type: "tmpfs", source: "tmpfs",
                    options: ["nosuid", "nodev"] + tmpfs.options))
        }
        for bind in request.binds {
            spec.mounts.append(
                Spec.Mount(
                    bind.destination, type: "none", source: bind.source,
                    options: ["rbind", "rprivate"] + (bind.isReadOnly ? ["rro"] : [])))
        }
    }

    private mutating func makeLinux() {
        var linux = spec.linux ?? Spec.Linux()
        linux.namespaces = [.pid, .mount, .uts, .ipc, .cgroup].map { Spec.Namespace($0) }
        if request.network == .none { linux.namespaces.append(Spec.Namespace(.network)) }
        var resources = linux.resources ?? Spec.Resources()
        if let ownership = host.ownership {
            linux.namespaces.append(Spec.Namespace(.user))
            linux.uidMappings = Self.mappings(own: ownership.uid, ranges: ownership.uids)
            linux.gidMappings = Self.mappings(own: ownership.gid, ranges: ownership.gids)
            // Nobody makes device nodes in a user namespace, so nothing is left to forbid.
            resources.devices = []
        }
        setLimits(&resources)
        linux.resources = resources == Spec.Resources() ? nil : resources
        spec.linux = linux
    }

    private func setLimits(_ resources: inout Spec.Resources) {
        if let limit = request.memory {
            var memory = Spec.Resources.Memory()
            memory.limit = limit
            resources.memory = memory
        }
        if let quota = request.cpuQuota {
            var cpu = Spec.Resources.CPU()
            cpu.quota = quota
            cpu.period = UInt64(Quantity.cpuPeriod)
            resources.cpu = cpu
        }
        if let limit = request.pids {
            var pids = Spec.Resources.Pids()
            pids.limit = limit
            resources.pids = pids
        }
    }

    /// Root inside is the caller; the ids from 1 on are the caller's ranges, one after another.
    static func mappings(own: UInt32, ranges: [IDRange]) -> [Spec.IDMapping] {
        var list = [Spec.IDMapping(containerID: 0, hostID: own, size: 1)]
        var next: UInt32 = 1
        for range in ranges {
            let (end, overflow) = next.addingReportingOverflow(range.count)
            guard !overflow else { break }
            list.append(
                Spec.IDMapping(containerID: next, hostID: range.first, size: range.count))
            next = end
        }
        return list
    }

    /// Whether an id exists inside: in a user namespace only what is mapped does.
    package static func isMapped(_ id: UInt32, own: UInt32, ranges: [IDRange]) -> Bool {
        for mapping in mappings(own: own, ranges: ranges)
        where id >= mapping.containerID && id - mapping.containerID < mapping.size { return true }
        return false
    }
}

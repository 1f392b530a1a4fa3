package import Cgroups
package import OCI

/// What every call of the runtime is told, whatever the verb.
package struct Settings {
    /// `--root`; nil: /run/apus, or a directory of an unprivileged user, see `Runtime.chooseRoot`.
    package var root: String?
    package var cgroupDriver = CgroupDriver.cgroupfs
    /// `--rootless`; nil: decided by the effective user and the user namespace.
    package var isRootless: Bool?
    /// The user's directory of the session: $XDG_RUNTIME_DIR, or /run/user/UID.
    package var runtimeDirectory: String?
    /// $USER: root of a user namespace is the machine's root to whoever logs in there.
    package var userName: String?
    /// $PATH of the runtime: where helpers (newuidmap, criu) are looked for.
    package var searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// $LISTEN_FDS of the runtime, where $LISTEN_PID is its own: sockets passed on, from handle 3.
    package var listenFDs = 0
    /// $NOTIFY_SOCKET: where the caller wants to be told that the container is ready.
    package var notifySocket: String?
    /// The directory that relative paths of the command line start from.
    package var workingDirectory = "/"
    /// Takes a warning: one line, without a newline.
    package var warn: (String) -> Void = { _ in }

    package init() {}
}

/// `apus create`.
package struct CreateRequest {
    package var id: String
    /// The bundle directory, absolute or relative to `Settings.workingDirectory`.
    package var bundle: String
    /// The configuration, where it does not come from the bundle's config.json.
    package var spec: Spec?
    /// `--config`: another file than config.json, relative to the bundle.
    package var configFile: String?
    package var consoleSocket: String?
    package var pidfdSocket: String?
    package var pidFile: String?
    package var noPivot = false
    package var noNewKeyring = false
    /// Handles from 3 on that the container keeps, after the LISTEN_FDS.
    package var preserveFDs = 0
    /// `run` without --detach: this process is the terminal's other side.
    var isForeground = false
    /// `shell --ephemeral`: what changes in the root file system is kept in memory and lost at the end.
    package var ephemeral = false

    package init(id: String, bundle: String) {
        self.id = id
        self.bundle = bundle
    }
}

/// `apus run`: create, start, and wait unless detached.
package struct RunRequest {
    package var create: CreateRequest
    package var detach = false
    /// Keeps the container's state after its end.
    package var keep = false
    package var noSubreaper = false

    package init(create: CreateRequest) {
        self.create = create
    }
}

/// `apus exec`: another process in a running container.
package struct ExecRequest {
    package var id: String
    /// The whole process, from `--process`; nil: the container's own with `changes`.
    package var process: Spec.Process?
    package var changes = ProcessChanges()
    package var detach = false
    package var pidFile: String?
    package var consoleSocket: String?
    package var pidfdSocket: String?
    package var preserveFDs = 0
    /// A cgroup below the container's own.
    package var cgroup: String?
    package var ignorePaused = false

    package init(id: String) {
        self.id = id
    }
}

/// How the options of `apus exec` change the container's own process.
package struct ProcessChanges {
    package var arguments: [String] = []
    package var cwd: String?
    /// "NAME=value", added after the container's own.
    package var environment: [String] = []
    package var hasTerminal = false
    package var uid: UInt32?
    package var gid: UInt32?
    package var additionalGids: [UInt32] = []
    /// Capability names added to the bounding, effective and permitted sets; where the container
    /// has inheritable ones, also to the inheritable and ambient sets.
    package var capabilities: [String] = []
    package var noNewPrivileges = false
    package var selinuxLabel: String?
    package var apparmorProfile: String?

    package init() {}
}

/// `apus update`.
package struct UpdateRequest {
    package var id: String
    package var resources: Spec.Resources
    package var l3CacheSchema: String?
    package var memoryBandwidthSchema: String?
    /// Only tells what would be written.
    package var isDryRun = false

    package init(id: String, resources: Spec.Resources) {
        self.id = id
        self.resources = resources
    }
}

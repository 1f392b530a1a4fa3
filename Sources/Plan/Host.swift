/// What the planner must know of the host; the runtime looks it up once.
package struct Host: Equatable {
    /// Which cgroup hierarchy is mounted on /sys/fs/cgroup.
    package enum CgroupHierarchy: Equatable { case none, legacy, hybrid, unified }

    package var kernel = KernelVersion(6, 12)
    package var cgroup = CgroupHierarchy.unified
    /// The ids that the runtime runs as.
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// Whether the runtime is in a user namespace that is not the host's first.
    package var isInUserNamespace = false
    /// Capabilities the runtime may give away, its permitted set.
    package var capabilities = CapabilityMask(bits: .max)
    /// The last capability the kernel knows.
    package var lastCapability = 40
    /// What the root of the unified hierarchy offers; nil where it is unknown.
    package var controllers: [String]?
    /// Whether the runtime's own user namespace forbids setgroups(2).
    package var setgroupsDenied = false
    package var hasAppArmor = false
    package var hasSELinux = false
    /// Whether newuidmap and newgidmap are installed.
    package var hasMapHelpers = true

    package init() {}

    /// Without the privileges of the host's root: another user, or root of a user namespace.
    package var isRootless: Bool { uid != 0 || isInUserNamespace }
    /// Whether the runtime may do as root does in its own namespace.
    package var isPrivileged: Bool { uid == 0 }
}

/// A version of Linux.
package struct KernelVersion: Equatable, Comparable {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    package static func < (one: KernelVersion, other: KernelVersion) -> Bool {
        (one.major, one.minor) < (other.major, other.minor)
    }
}

/// What the command line and the runtime add to the configuration.
package struct PlanOptions: Equatable {
    package var id = ""
    /// Absolute path of the bundle.
    package var bundle = ""
    /// `--no-pivot`: the root is moved, not pivoted.
    package var noPivot = false
    /// `--no-new-keyring`: the caller's session keyring stays.
    package var noNewKeyring = false
    /// Changes of the root file system are kept in memory and lost at the end (`shell --ephemeral`).
    package var isEphemeral = false
    /// `--preserve-fds`: handles from 3 that the process keeps.
    package var preserveFDs = 0
    /// LISTEN_FDS of the runtime's own environment: handles from 3, before the preserved ones.
    package var listenFDs = 0
    /// `--systemd-cgroup`: `cgroupsPath` is `slice:prefix:name`.
    package var systemdCgroup = false
    /// --cgroup-manager disabled: no cgroup is made.
    package var noCgroup = false
    /// A directory of the runtime that is mounted on /run/notify, where the runtime's caller
    /// wants to be told (NOTIFY_SOCKET) that the container is ready.
    package var notifyDirectory: String?
    /// The runtime's own environment, which hooks have where the configuration gives them none.
    package var environment: [String] = []

    package init() {}
}

/// One thing that the init stage does, at the grain of a line of `apus explain`.
///
/// The order of a container's birth is a list of these. Each has its counterpart in
/// Sources/CInit (`enum apus_operation`), which says what the fields mean to the kernel;
/// Engine/Encode.swift turns one into the other.
package enum Operation: Equatable {
    // Rendezvous and processes
    case await(Checkpoint)
    case gate
    case fork(newNamespaces: Namespaces)
    case join(handle: Slot, types: Namespaces)
    case unshare(Namespaces)
    case timeOffsets(monotonic: TimeOffset?, boottime: TimeOffset?)
    case becomeRoot(keepsGroups: Bool)
    case newSession
    case keyring(name: String, label: String?)
    case loopbackUp

    // Mounts
    case hostPropagation(Propagation)
    case openRoot(path: String, handle: Slot?, isShared: Bool, binding: RootBinding)
    /// A layer in memory over the root. In a user namespace overlayfs keeps its own attributes as
    /// `user.overlay.*`.
    case overlayRoot(inUserNamespace: Bool)
    case mount(NewMount)
    case bind(Bind)
    case remount(Remount)
    case mountCgroup(CgroupMount)
    case device(DeviceNode)
    case symlink(contents: String, path: String, replaces: Bool)
    case console(Console)
    case mask(String)
    case readOnly(String)
    case pivot(PivotMode)
    case rootReadOnly
    case rootPropagation(Propagation)

    // Settings of the namespaces
    case hostname(String)
    case domainname(String)
    case sysctl(path: String, value: String)

    // The process
    case rlimit(Rlimit)
    case oomScoreAdjust(Int)
    case scheduler(Scheduler)
    case ioPriority(class: Int, priority: Int)
    /// A CPU list ("0-3,5"); nil is every CPU, as far as the cpuset allows.
    case affinity(cpus: String?)
    case personality(UInt32)
    case memoryPolicy(mode: Int, nodes: String)
    /// The user becomes the owner of its stdin, stdout and stderr; their group stays.
    case passStdio(uid: UInt32)
    case workingDirectory(WorkingDirectory)
    case selinuxLabel(String)
    case apparmorProfile(String)
    case hook(HookRun)
    case boundingSet(CapabilityMask)
    case groups([UInt32], keepsGroups: Bool)
    case user(uid: UInt32, gid: UInt32, umask: UInt32?)
    case capabilities(CapabilityMasks)
    case noNewPrivileges
    case seccomp(SeccompFilter)
    case executable(name: String, searchPath: String)
    case verify(Posture)
    case execute(Execution)
}

/// An operation and the place of the configuration that asked for it.
///
/// The place is what an error and `apus explain` show: "mounts[3]", "process.user", "(default)".
package struct Step: Equatable {
    package let origin: String
    package let operation: Operation

    package init(_ origin: String, _ operation: Operation) {
        self.origin = origin
        self.operation = operation
    }
}

/// A handle that the runtime opens and gives to the init stage; its place in `Plan.handles`.
package struct Slot: Equatable {
    package let index: Int

    package init(_ index: Int) {
        self.index = index
    }
}

/// Where the init stage waits for the runtime; the values are the contract's
/// (`enum apus_checkpoint`, with a drawing of both sides).
package enum Checkpoint: Int, Equatable {
    case cgroup = 0
    case mapIDs = 1
    case createRuntime = 2
    case console = 3
    case listener = 4
    case ready = 5
    case mapTree = 6

    package var name: String {
        switch self {
        case .cgroup: "cgroup"
        case .mapIDs: "mapIDs"
        case .createRuntime: "createRuntime"
        case .console: "console"
        case .listener: "listener"
        case .ready: "ready"
        case .mapTree: "mapTree"
        }
    }
}

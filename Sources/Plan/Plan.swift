package import OCI

/// Everything that `create` or `exec` will do, in order, before any of it is done.
///
/// The runtime works through it from top to bottom; `steps` is the init stage's part. The same
/// configuration, options and host give the same plan, byte for byte.
package struct Plan: Equatable {
    package var clone = CloneShape()
    /// What the runtime opens for the init stage, in the order of their slots.
    package var handles: [HandleRequest] = []
    /// The maps of a new user namespace, written at the checkpoint `mapIDs`.
    package var identity: IdentityMapping?
    package var cgroup = CgroupPlan()
    package var networkDevices: [NetworkDevice] = []
    package var resctrl: ResctrlPlan?
    /// Hooks that the runtime runs itself; those in the container's namespaces are steps.
    package var hooks = RuntimeHooks()
    package var seccomp: SeccompPlan?
    /// Whether the process gets a terminal, whose other side the runtime passes on.
    package var hasTerminal = false
    /// The process adjusts these before it enters the container's cgroup (`exec` only).
    package var initialAffinity: String?
    /// What the runtime does to the process from outside at the checkpoint `ready`: limits and the
    /// OOM score, for which root of a user namespace has not the privilege.
    package var outsideSteps: [Step] = []
    /// The init stage's list.
    package var steps: [Step] = []
    /// What the configuration asked for and the container does without, as OCI allows.
    package var warnings: [ConfigWarning] = []

    package init() {}

    /// Whether mounts are made in the mount namespace that the container has from the host.
    package var bindsRootOnHost: Bool {
        for step in steps {
            if case .openRoot(_, _, _, .onHost) = step.operation { return true }
        }
        return false
    }

    /// Whether the init stage stops at `checkpoint`; the runtime then must serve it.
    package func awaits(_ checkpoint: Checkpoint) -> Bool {
        for step in steps {
            switch step.operation {
            case .await(checkpoint): return true
            case .bind(let bind) where checkpoint == .mapTree && bind.mapped != nil: return true
            case .console where checkpoint == .console: return true
            case .seccomp(let filter) where checkpoint == .listener && filter.hasListener:
                return true
            default: continue
            }
        }
        return false
    }
}

/// How the first process comes to be.
package struct CloneShape: Equatable {
    /// Made by clone3(2) itself.
    package var new: Namespaces = []
    /// Entered by the init stage, in this order.
    package var joins: [NamespaceJoin] = []
    /// Made by the init stage, after the joins.
    package var unshared: Namespaces = []
    /// Made by a second clone, whose process goes on as the init stage; nil without one.
    package var forked: Namespaces?
    /// Whether the first process starts inside the container's cgroup (CLONE_INTO_CGROUP).
    package var intoCgroup = false

    package var needsIntermediate: Bool { forked != nil }
}

/// A namespace to enter, by a handle.
package struct NamespaceJoin: Equatable {
    package let handle: Slot
    package let types: Namespaces
    package let origin: String
}

/// A handle that the runtime opens for the init stage.
package struct HandleRequest: Equatable {
    package enum Kind: Equatable {
        /// A namespace by its path; the runtime checks that it is of this type.
        case namespace(path: String, type: Namespaces)
        /// The pidfd of the container's init, for setns(2).
        case process
        /// A detached copy of the tree at the path (open_tree), which a mapped root could not
        /// reach itself.
        case tree(path: String, isRecursive: Bool, followsLink: Bool)
        /// A detached copy whose ids are mapped (mount_setattr with a user namespace).
        case mappedTree(MappedTree)
    }

    package let origin: String
    package let kind: Kind
}

/// A tree of the host and the ids it shows inside.
package struct MappedTree: Equatable {
    package let path: String
    package let isRecursive: Bool
    /// Whether the maps hold for the mounts below the path too (ridmap).
    package let mapsRecursively: Bool
    package let uids: [IDRange]
    package let gids: [IDRange]
    /// A user namespace whose maps are taken instead of these.
    package let namespace: String?
}

/// A range of ids in a user namespace, user_namespaces(7).
package struct IDRange: Equatable {
    package let inside: UInt32
    package let outside: UInt32
    package let count: UInt32
}

/// The id maps of a new user namespace and who may write them.
package struct IdentityMapping: Equatable {
    package enum Method: Equatable {
        /// The runtime writes uid_map and gid_map.
        case direct
        /// The helpers newuidmap and newgidmap do, for a runtime without the privilege.
        case helpers
    }

    package let uids: [IDRange]
    package let gids: [IDRange]
    package let method: Method
    /// "deny" is written to setgroups first, without which an unprivileged process may not map
    /// a group.
    package let deniesSetgroups: Bool

    package init(uids: [IDRange], gids: [IDRange], method: Method, deniesSetgroups: Bool) {
        self.uids = uids
        self.gids = gids
        self.method = method
        self.deniesSetgroups = deniesSetgroups
    }
}

/// A network device to move into the container before its createRuntime hooks.
package struct NetworkDevice: Equatable {
    package let name: String
    /// The name inside.
    package let newName: String
}

/// A hook that the runtime runs.
package struct RuntimeHook: Equatable {
    package let origin: String
    package let path: String
    /// argv, the program's name first.
    package let arguments: [String]
    package let environment: [String]
    /// Seconds.
    package let timeout: Int?
}

/// The hooks that the runtime runs, by the moment.
package struct RuntimeHooks: Equatable {
    /// prestart and then createRuntime, both at the checkpoint `createRuntime`.
    package var createRuntime: [RuntimeHook] = []
    package var poststart: [RuntimeHook] = []
    package var poststop: [RuntimeHook] = []

    package var isEmpty: Bool {
        createRuntime.isEmpty && poststart.isEmpty && poststop.isEmpty
    }
}

/// Where the seccomp listener's handle goes.
///
/// The filter itself is compiled from the configuration beside the plan.
package struct SeccompPlan: Equatable {
    package let listenerPath: String?
    package let listenerMetadata: String
}

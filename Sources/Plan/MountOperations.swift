/// How a mount is made, beyond its attributes (`enum apus_mount_how`).
package struct MountHow: OptionSet {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The whole tree below the source (rbind).
    package static let recursive = MountHow(rawValue: 1)
    /// A new tmpfs is filled with what the target held (tmpcopyup).
    package static let copyUp = MountHow(rawValue: 2)
    /// The source's last component is not followed when it is a symbolic link.
    package static let sourceNoFollow = MountHow(rawValue: 4)
    /// The target's last component is not followed when it is a symbolic link.
    package static let destinationNoFollow = MountHow(rawValue: 8)
    /// The tree in the slot has its ids mapped already.
    package static let idMapped = MountHow(rawValue: 16)
    /// The source is a path inside the root, as the mounts before have left it.
    package static let sourceInRoot = MountHow(rawValue: 32)
}

/// Attributes of a mount, as mount_setattr(2) takes them (MOUNT_ATTR_*).
package struct MountAttributes: Equatable {
    package var set: UInt64 = 0
    package var clear: UInt64 = 0
    /// Set on the mount and everything below it (rro, rnosuid, ...).
    package var recursiveSet: UInt64 = 0
    package var recursiveClear: UInt64 = 0

    package static let readOnly: UInt64 = 0x1
    package static let noSuid: UInt64 = 0x2
    package static let noDev: UInt64 = 0x4
    package static let noExec: UInt64 = 0x8
    /// The field of the access time policies; 0 in it is relatime.
    package static let accessTime: UInt64 = 0x70
    package static let noAccessTime: UInt64 = 0x10
    package static let strictAccessTime: UInt64 = 0x20
    package static let noDirectoryAccessTime: UInt64 = 0x80
    package static let noSymlinkFollow: UInt64 = 0x20_0000

    package var isEmpty: Bool { (set | clear | recursiveSet | recursiveClear) == 0 }
}

/// A propagation change, the MS_* flags of mount(2); empty leaves it as it is.
package struct Propagation: OptionSet {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let recursive = Propagation(rawValue: 1 << 14)
    package static let unbindable = Propagation(rawValue: 1 << 17)
    package static let `private` = Propagation(rawValue: 1 << 18)
    package static let slave = Propagation(rawValue: 1 << 19)
    package static let shared = Propagation(rawValue: 1 << 20)

    /// The mount options that name a propagation.
    package static let table: [(name: String, value: Propagation)] = [
        ("private", .private), ("rprivate", [.private, .recursive]),
        ("shared", .shared), ("rshared", [.shared, .recursive]),
        ("slave", .slave), ("rslave", [.slave, .recursive]),
        ("unbindable", .unbindable), ("runbindable", [.unbindable, .recursive]),
    ]

    package static func named(_ name: String) -> Propagation? {
        for row in table where row.name == name { return row.value }
        return nil
    }

    package var name: String {
        for row in Self.table where row.value == self { return row.name }
        return ""
    }
}

/// Flags of a superblock, the MS_* flags of mount(2) that concern the file system itself.
package enum SuperblockFlags {
    package static let readOnly: UInt64 = 1
    package static let synchronous: UInt64 = 1 << 4
    package static let mandatoryLocks: UInt64 = 1 << 6
    package static let directorySync: UInt64 = 1 << 7
    package static let silent: UInt64 = 1 << 15
    package static let lazyTime: UInt64 = 1 << 25
}

/// What every mount operation says beside its source.
package struct MountSettings: Equatable {
    package var how: MountHow = []
    package var attributes = MountAttributes()
    package var propagation: Propagation = []
}

/// A new file system.
package struct NewMount: Equatable {
    package let type: String
    package let source: String
    package let target: String
    package var settings = MountSettings()
    /// MS_* flags of the superblock, see `SuperblockFlags`.
    package var superblock: UInt64 = 0
    /// Options of the file system, in the configuration's order.
    package var data: [String] = []
    /// The SELinux context of the whole file system.
    package var context: String?
}

/// A tree of the host, bound into the container.
package struct Bind: Equatable {
    /// A path of the host: what is opened, or where the handle's tree came from; of the root with
    /// `.sourceInRoot`.
    package let source: String
    package let target: String
    /// The detached tree that the runtime opened, where the init stage could not.
    package var handle: Slot?
    package var settings = MountSettings()
    /// How the runtime maps the ids of the tree that the init stage opened in the root.
    package var mapped: MappedTree?
}

/// A change to a mount that is there already ("remount").
package struct Remount: Equatable {
    package let target: String
    package var settings = MountSettings()
    package var superblock: UInt64 = 0
    package var data: [String] = []
}

/// The container's view of the cgroup2 hierarchy.
package struct CgroupMount: Equatable {
    package enum View: Equatable {
        /// The container's own cgroup is the root of what is seen.
        case own
        /// The whole hierarchy, as a container without a cgroup namespace sees it.
        case host
    }

    package let target: String
    package let view: View
    package var settings = MountSettings()
}

/// A device node, or a FIFO.
package struct DeviceNode: Equatable {
    package enum Kind: UInt32, Equatable {
        // The values are S_IFMT's of stat(2).
        case fifo = 0o010000
        case character = 0o020000
        case block = 0o060000
    }

    package let path: String
    package let kind: Kind
    package let major: UInt32
    package let minor: UInt32
    /// Permission bits, without the umask.
    package var mode: UInt32 = 0o666
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// The host's node is bound, because a user namespace cannot make one.
    package var isBound = false
    /// One of the default devices: a right node that is there already is kept.
    package var isDefault = false
}

/// The terminal of a process, from the container's own devpts.
package struct Console: Equatable {
    /// Columns and rows; 0 where the configuration does not say.
    package let width: UInt32
    package let height: UInt32
    package let uid: UInt32
    /// The terminal is bound on /dev/console too (the container's first process).
    package let bindsConsole: Bool
}

/// Whether the root is bound onto itself, so that what is mounted in it is one tree.
package enum RootBinding: Int, Equatable {
    /// In the container's mount namespace.
    case own = 0
    /// Only opened: nothing will be mounted in it.
    case none = 1
    /// In the mount namespace of the host, which the container has: unmounted by `delete`.
    case onHost = 2
}

/// How the container's root becomes "/".
package enum PivotMode: Int, Equatable {
    case pivotRoot = 0
    /// Where the host's root is a ramfs (--no-pivot): MS_MOVE, then chroot.
    case moveRoot = 1
    /// Without a mount namespace of its own.
    case chroot = 2
}

internal import CLinux

/// MOUNT_ATTR_* of mount_setattr(2) and fsmount(2).
package struct MountFlags: OptionSet {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static let readOnly = MountFlags(rawValue: 0x1)
    package static let noSetuid = MountFlags(rawValue: 0x2)
    package static let noDevices = MountFlags(rawValue: 0x4)
    package static let noExec = MountFlags(rawValue: 0x8)
    package static let noAccessTime = MountFlags(rawValue: 0x10)
    /// Ids of the mount are mapped by a user namespace (Linux 5.12).
    package static let idMapped = MountFlags(rawValue: 0x10_0000)
    package static let noSymlinks = MountFlags(rawValue: 0x20_0000)
}

/// How a mount exchanges events with others (MS_SHARED, MS_SLAVE, MS_PRIVATE).
package enum MountPropagation: UInt64 {
    case shared = 0x10_0000
    case slave = 0x8_0000
    case `private` = 0x4_0000
}

extension Handle where Self: ~Copyable {
    /// open_tree(2) with OPEN_TREE_CLONE (Linux 5.2): a detached copy of the mount at `path`.
    ///
    /// - Parameter path: relative to this handle; "" is the handle itself.
    package func cloneTree(_ path: String, isRecursive: Bool) throws(Errno) -> FileDescriptor {
        let clone: UInt32 = 0x1
        let closeOnExec: UInt32 = 0o2_000_000
        let recursive: UInt32 = isRecursive ? 0x8000 : 0
        return FileDescriptor(
            owning: try check(
                unsafe apus_open_tree(raw, path, clone | closeOnExec | recursive | emptyPath(path)))
        )
    }

    /// move_mount(2) (Linux 5.2): attaches this detached mount to `path` below `directory`.
    package func attachMount(
        to directory: borrowing some Handle & ~Copyable, _ path: String
    ) throws(Errno) {
        let sourceIsHandle: UInt32 = 0x4
        let targetIsHandle: UInt32 = path.isEmpty ? 0x40 : 0
        _ = try check(
            unsafe apus_move_mount(raw, "", directory.raw, path, sourceIsHandle | targetIsHandle))
    }

    /// mount_setattr(2) (Linux 5.12) of the mount of this handle.
    ///
    /// - Parameter userNamespace: maps the ids of the mount, with `.idMapped` in `set`.
    package func setMountAttributes(
        set: MountFlags = [], clear: MountFlags = [],
        propagation: MountPropagation? = nil, isRecursive: Bool = false,
        userNamespace: BorrowedHandle? = nil
    ) throws(Errno) {
        let flags = emptyPath("") | (isRecursive ? 0x8000 : 0)
        _ = try check(
            unsafe apus_mount_setattr(
                raw, "", flags, set.rawValue, clear.rawValue, propagation?.rawValue ?? 0,
                userNamespace?.raw ?? 0))
    }
}

/// umount2(2) with MNT_DETACH: the mount at the path, with all that is mounted below it.
package func unmount(_ path: String) throws(Errno) {
    let detach: Int32 = 0x2
    let noFollow: Int32 = 0x8
    _ = try check(unsafe apus_unmount(path, detach | noFollow))
}

/// AT_EMPTY_PATH where the path is empty.
private func emptyPath(_ path: String) -> UInt32 { path.isEmpty ? 0x1000 : 0 }

/// A file system that is being set up (fsopen(2), Linux 5.2).
package struct NewFileSystem: ~Copyable {
    private let context: FileDescriptor

    /// ENODEV where the kernel does not know the type.
    package init(type: String) throws(Errno) {
        let closeOnExec: UInt32 = 1
        context = FileDescriptor(owning: try check(unsafe apus_fsopen(type, closeOnExec)))
    }

    /// fsconfig(FSCONFIG_SET_STRING), or FSCONFIG_SET_FLAG where there is no value.
    package func set(_ key: String, _ value: String? = nil) throws(Errno) {
        if let value {
            _ = try check(unsafe apus_fsconfig(context.raw, 1, key, value, 0))
        } else {
            _ = try check(unsafe apus_fsconfig(context.raw, 0, key, nil, 0))
        }
    }

    /// Makes the file system, and a detached mount of it (fsmount(2)).
    package consuming func mount(_ attributes: MountFlags = []) throws(Errno) -> FileDescriptor {
        _ = try check(apus_fsconfig(context.raw, 6, nil, nil, 0))
        let closeOnExec: UInt32 = 1
        return FileDescriptor(
            owning: try check(
                apus_fsmount(context.raw, closeOnExec, UInt32(attributes.rawValue))))
    }
}

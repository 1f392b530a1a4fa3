internal import CLinux

/// S_IFMT of a mode.
package enum FileType: UInt32 {
    case fifo = 0o10000
    case characterDevice = 0o20000
    case directory = 0o40000
    case blockDevice = 0o60000
    case regular = 0o100000
    case symlink = 0o120000
    case socket = 0o140000
}

/// What statx(2) says of a file (Linux 4.11).
package struct FileStatus {
    /// `nil`: none of the known types (an anonymous inode).
    package let type: FileType?
    /// The permission bits, with setuid, setgid and sticky.
    package let mode: UInt32
    package let links: UInt32
    package let uid: UInt32
    package let gid: UInt32
    package let inode: UInt64
    /// Bytes.
    package let size: UInt64
    /// The device that holds the file, as st_dev.
    package let device: UInt64
    /// The device that the file is, as st_rdev.
    package let specialDevice: DeviceNumber
    /// The mount: its unique id (Linux 6.8), before that a number that is used again; 0 before 5.8.
    package let mount: UInt64
    /// Whether it is the root of a mount; always false before Linux 5.8.
    package let isMountRoot: Bool
    package let modified: Timestamp

    init(_ status: apus_status) {
        type = FileType(rawValue: status.mode & 0o170000)
        mode = status.mode & 0o7777
        links = status.links
        uid = status.uid
        gid = status.gid
        inode = status.inode
        size = status.size
        device = status.device
        specialDevice = DeviceNumber(status.special_device)
        mount = status.mount
        isMountRoot = status.is_mount_root != 0
        modified = Timestamp(
            seconds: status.modified_seconds, nanoseconds: Int64(status.modified_nanoseconds))
    }

    /// Whether both are the same file of the same file system.
    package func isSameFile(as other: FileStatus) -> Bool {
        inode == other.inode && device == other.device
    }
}

/// A device's major and minor number.
package struct DeviceNumber: Equatable {
    package let major: UInt32
    package let minor: UInt32

    package init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// Splits a dev_t.
    init(_ device: UInt64) {
        major = apus_device_major(device)
        minor = apus_device_minor(device)
    }
}

/// The magic of a file system, as fstatfs(2) reports it.
package struct FileSystemType: Equatable {
    package let magic: UInt64

    package init(magic: UInt64) {
        self.magic = magic
    }

    package static let cgroup1 = FileSystemType(magic: 0x27e0eb)
    package static let cgroup2 = FileSystemType(magic: 0x6367_7270)
    package static let proc = FileSystemType(magic: 0x9fa0)
    package static let sysfs = FileSystemType(magic: 0x6265_6572)
    package static let tmpfs = FileSystemType(magic: 0x102_1994)
    package static let namespaces = FileSystemType(magic: 0x6e73_6673)
    package static let overlay = FileSystemType(magic: 0x794c_7630)
    package static let ramfs = FileSystemType(magic: 0x8584_58f6)
    package static let nfs = FileSystemType(magic: 0x6969)
    package static let selinux = FileSystemType(magic: 0xf97c_ff8c)
    package static let bpf = FileSystemType(magic: 0xcafe_4a11)
}

extension Handle where Self: ~Copyable {
    /// statx(2) of this handle itself.
    package func status() throws(Errno) -> FileStatus {
        try status("", flags: 0x1000)
    }

    /// statx(2) of a path; a symbolic link at its end is followed where `following` says so.
    package func status(_ path: String, following: Bool = true) throws(Errno) -> FileStatus {
        try status(path, flags: following ? 0 : 0x100)
    }

    private func status(_ path: String, flags: Int32) throws(Errno) -> FileStatus {
        let noAutomount: Int32 = 0x800
        var status = apus_status()
        _ = try check(unsafe apus_status(raw, path, flags | noAutomount, &status))
        return FileStatus(status)
    }

    /// fstatfs(2): the type of the file system that holds this handle.
    package func fileSystem() throws(Errno) -> FileSystemType {
        try fileSystemAndFlags().type
    }

    /// fstatfs(2): the type, and ST_* flags of the mount (ST_RDONLY 1, ST_NOSUID 2, ST_NODEV 4, ...).
    package func fileSystemAndFlags() throws(Errno) -> (type: FileSystemType, flags: UInt64) {
        var magic: UInt64 = 0
        var flags: UInt64 = 0
        _ = try retrying { unsafe apus_file_system(raw, &magic, &flags) }
        return (FileSystemType(magic: magic), flags)
    }

    /// fchmod(2).
    package func setMode(_ mode: UInt32) throws(Errno) {
        _ = try check(apus_chmod(raw, mode))
    }

    /// fchownat(2) of this handle itself (AT_EMPTY_PATH).
    package func setOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        _ = try check(unsafe apus_chown(raw, "", uid, gid, 0x1000))
    }

    /// fchownat(2) of a path, without following a link at its end.
    package func setOwner(_ path: String, uid: UInt32, gid: UInt32) throws(Errno) {
        _ = try check(unsafe apus_chown(raw, path, uid, gid, 0x100))
    }
}

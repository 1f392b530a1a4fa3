internal import CLinux

/// O_* of open(2).
///
/// O_CLOEXEC and O_NOCTTY are always added.
package struct OpenFlags: OptionSet {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static let readOnly: OpenFlags = []
    package static let writeOnly = OpenFlags(rawValue: 0o1)
    package static let readWrite = OpenFlags(rawValue: 0o2)
    package static let create = OpenFlags(rawValue: 0o100)
    package static let exclusive = OpenFlags(rawValue: 0o200)
    package static let truncate = OpenFlags(rawValue: 0o1000)
    package static let append = OpenFlags(rawValue: 0o2000)
    package static let nonBlocking = OpenFlags(rawValue: 0o4000)
    package static let path = OpenFlags(rawValue: 0o10_000_000)

    // These two differ between architectures.
    #if arch(arm64) || arch(arm)
        package static let directory = OpenFlags(rawValue: 0o40000)
        package static let noFollow = OpenFlags(rawValue: 0o100000)
    #else
        package static let directory = OpenFlags(rawValue: 0o200000)
        package static let noFollow = OpenFlags(rawValue: 0o400000)
    #endif

    /// An unnamed file in the directory that is opened (Linux 3.11).
    package static let temporary: OpenFlags = [OpenFlags(rawValue: 0o20_000_000), .directory]

    static let always = OpenFlags(rawValue: 0o2_000_000 | 0o400)
}

/// RESOLVE_* of openat2(2): how the path is followed (Linux 5.6).
package struct Resolve: OptionSet {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// No mount point is crossed.
    package static let noMounts = Resolve(rawValue: 0x01)
    /// No link of procfs (/proc/PID/fd and such) is followed.
    package static let noMagicLinks = Resolve(rawValue: 0x02)
    /// No symbolic link is followed, in any component.
    package static let noSymlinks = Resolve(rawValue: 0x04)
    /// The path must stay below the directory: ".." and absolute links out of it are EXDEV.
    package static let beneath = Resolve(rawValue: 0x08)
    /// The directory is "/" while the path is resolved, as after chroot.
    package static let inRoot = Resolve(rawValue: 0x10)
}

extension Handle where Self: ~Copyable {
    /// openat(2): `path` relative to this directory.
    package func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> FileDescriptor {
        let all = flags.union(.always).rawValue
        return FileDescriptor(
            owning: try retrying { unsafe apus_open(raw, path, all, mode) })
    }

    /// openat2(2): as `open`, with a say in how the path is followed (Linux 5.6).
    ///
    /// EAGAIN (a rename raced with "..") is tried again a few times.
    package func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0, resolve: Resolve
    ) throws(Errno) -> FileDescriptor {
        var all = flags.union(.always).rawValue
        // openat2 refuses what open ignores: with O_PATH only four flags have a meaning.
        if flags.contains(.path) { all &= ~0o400 }
        var attempt = 0
        while true {
            let result = unsafe apus_open_resolved(raw, path, all, UInt64(mode), resolve.rawValue)
            attempt += 1
            let isTransient =
                result == -Errno.eintr.rawValue || result == -Errno.eagain.rawValue
            if isTransient, attempt < 32 { continue }
            return FileDescriptor(owning: try check(result))
        }
    }
}

extension FileDescriptor {
    /// Opens `path`, relative to the working directory.
    package static func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(Errno) -> FileDescriptor {
        try BorrowedHandle.workingDirectory.open(path, flags, mode: mode)
    }
}

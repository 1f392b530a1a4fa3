internal import Linux

/// The settings of the host's cgroup2 file system: nsdelegate, memory_recursiveprot and the like.
///
/// They belong to the hierarchy and not to a mount. Whoever mounts cgroup2 anew from the first cgroup
/// namespace sets them all, those that it does not name to off (cgroup v2, "Mounting"): a program that
/// does so, as criu does for a restore, takes them from the whole host.
package struct CgroupMountSettings: Equatable {
    let names: [String]

    /// As /proc/self/mountinfo has them now; nil where there is no cgroup2.
    package static func current() -> CgroupMountSettings? {
        guard let mount = (try? MountTable.read())?.lastCgroup2() else { return nil }
        // Of one mount, not of the hierarchy.
        return CgroupMountSettings(names: mount.options.filter { $0 != "rw" && $0 != "ro" })
    }

    /// Sets them again if they are others now.
    ///
    /// - Throws: EPERM without CAP_SYS_ADMIN in the first user namespace, where nobody below can
    ///   have changed them.
    package func restore() throws(CgroupFailure) {
        guard let now = Self.current(), now != self else { return }
        do throws(Errno) {
            let fileSystem = try NewFileSystem(type: "cgroup2")
            for name in names { try fileSystem.set(name) }
            // A mount that nothing is attached to: it goes with its handle, the settings stay.
            _ = try fileSystem.mount()
        } catch {
            throw CgroupFailure("set the options of cgroup2 again", error)
        }
    }
}

extension CgroupHost {
    /// Where cgroup2 is mounted; nil where hierarchies of cgroup v1 are there besides.
    package var loneMount: String? {
        let text = try? BorrowedHandle.workingDirectory.readText("/proc/self/cgroup")
        guard let text, text.utf8.starts(with: "0::".utf8) else { return nil }
        return facts.mountPoint
    }
}

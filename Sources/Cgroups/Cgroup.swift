internal import Linux

/// A cgroup that exists, held by the handle of its directory.
///
/// A handle stays with its directory: when that is removed and another made in its place, every
/// use is ENODEV or ENOENT, never an effect on the wrong one.
package struct Cgroup: ~Copyable {
    package let place: CgroupPlace
    let directory: FileDescriptor
    /// Whether the host's root is not the caller; failures get another hint then.
    let isRootless: Bool
    /// What keeps a scope of systemd alive until the first process is in it.
    var placeholder: ProcessHandle?
    /// The limit on tasks that holds once the placeholder is gone and the first process there.
    var finalTaskLimit: String?

    init(place: CgroupPlace, directory: consuming FileDescriptor, isRootless: Bool) {
        self.place = place
        self.directory = directory
        self.isRootless = isRootless
    }

    /// For clone3(CLONE_INTO_CGROUP); valid as long as this value.
    package var handle: Int32 { directory.raw }

    /// Opens the cgroup of a record; nil when it is gone, or none was wanted.
    package static func open(
        _ place: CgroupPlace, on host: borrowing CgroupHost
    ) throws(CgroupFailure) -> Cgroup? {
        guard place.driver != .disabled, let path = relativePath(place.path) else { return nil }
        do throws(Errno) {
            guard let directory = try host.open(path) else { return nil }
            return Cgroup(place: place, directory: directory, isRootless: host.facts.isRootless)
        } catch .enoent {
            return nil
        } catch {
            throw CgroupFailure("open the cgroup", error, path: place.path)
        }
    }

    /// The cgroup a process is in now, which may lie below the one it was started in.
    ///
    /// - Returns: nil when the process is gone or its cgroup is not below the mount.
    package static func ofProcess(
        _ pid: Int32, on host: borrowing CgroupHost
    ) throws(CgroupFailure) -> Cgroup? {
        let text = try? BorrowedHandle.workingDirectory.readText("/proc/\(pid)/cgroup")
        guard let text, let path = unifiedPath(in: text) else { return nil }
        return try open(CgroupPlace(driver: .cgroupfs, path: path), on: host)
    }

    /// An existing cgroup below this one, by its path ("a/b").
    package func child(_ path: String) throws(CgroupFailure) -> Cgroup {
        let parts: [String]
        do throws(CgroupFailure) {
            parts = try CgroupPlace.components(of: path)
        } catch {
            throw CgroupFailure("bad sub cgroup path: " + error.operation, origin: "--cgroup")
        }
        let below = CgroupPlace.join(parts)
        let place = CgroupPlace(driver: .cgroupfs, path: self.place.path + below)
        do throws(Errno) {
            let directory = try directory.open(
                relativePath(below) ?? ".", [.directory], resolve: beneath)
            return Cgroup(place: place, directory: directory, isRootless: isRootless)
        } catch {
            throw CgroupFailure("open the cgroup", error, path: place.path)
        }
    }

    // MARK: - Files

    /// The text of a file without its last newline.
    func read(_ file: String) throws(CgroupFailure) -> String {
        do throws(Errno) {
            return try directory.readCgroup(file)
        } catch {
            throw CgroupFailure("read \(file)", error, path: path(of: file))
        }
    }

    /// The text of a file, nil when it does not exist: its controller is not enabled.
    func readIfPresent(_ file: String) throws(CgroupFailure) -> String? {
        do throws(Errno) {
            return try directory.readCgroup(file)
        } catch .enoent {
            return nil
        } catch .eopnotsupp {
            // A pressure file with PSI switched off, or cgroup.procs of a threaded cgroup.
            return nil
        } catch {
            throw CgroupFailure("read \(file)", error, path: path(of: file))
        }
    }

    func write(_ file: String, _ value: String, origin: String = "") throws(CgroupFailure) {
        do throws(Errno) {
            try directory.writeCgroup(file, value)
        } catch {
            throw CgroupFailure(
                "write '\(value)' to \(file)", origin: origin, error, path: path(of: file))
        }
    }

    func path(of file: String) -> String { place.path + "/" + file }
}

extension CgroupHost {
    /// Opens a directory below the mount's root; nil without a mount.
    func open(_ path: String) throws(Errno) -> FileDescriptor? {
        guard root != nil else { return nil }
        return try root?.open(path, [.directory], resolve: beneath)
    }
}

extension Handle where Self: ~Copyable {
    /// A file of a cgroup: never a path, so that no name of a configuration leads elsewhere.
    private func openCgroupFile(
        _ name: String, _ flags: OpenFlags
    ) throws(Errno) -> FileDescriptor {
        guard !name.utf8.contains(UInt8(ascii: "/")) else { throw .einval }
        return try open(name, flags, resolve: beneath)
    }

    func readCgroup(_ file: String) throws(Errno) -> String {
        // memory.numa_stat and io.stat grow with the host; a megabyte is far beyond both.
        var bytes = try openCgroupFile(file, .readOnly).readAll(limit: 4 << 20)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One write; an empty value is a newline, because a write of nothing reaches no driver.
    func writeCgroup(_ file: String, _ value: String) throws(Errno) {
        try openCgroupFile(file, .writeOnly).writeOnce(value.isEmpty ? "\n" : value)
    }
}

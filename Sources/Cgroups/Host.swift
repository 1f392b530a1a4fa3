internal import Linux

/// The host's cgroup2 mount, held by a handle.
package struct CgroupHost: ~Copyable {
    /// The root of the mount; nil when cgroup2 is not mounted.
    let root: FileDescriptor?
    package let facts: CgroupFacts

    /// Finds cgroup2 where it is usually mounted, or else anywhere.
    package init() throws(CgroupFailure) {
        var facts = CgroupFacts()
        facts.isRootless = Self.isRootless()
        for place in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
            guard let root = Self.open(place) else { continue }
            facts.mountPoint = place
            self.root = consume root
            self.facts = facts
            return
        }
        facts.mountPoint = Self.findMountPoint()
        self.facts = facts
        guard let mountPoint = facts.mountPoint else {
            root = nil
            return
        }
        do throws(Errno) {
            root = try FileDescriptor.open(mountPoint, [.directory])
        } catch {
            throw CgroupFailure("open the cgroup2 mount", error, path: mountPoint)
        }
    }

    /// As euid or in a user namespace: both lack the powers of the host's root.
    private static func isRootless() -> Bool {
        guard CurrentProcess.effectiveUID == 0 else { return true }
        return (try? isInUserNamespace()) == true
    }

    private static func findMountPoint() -> String? {
        // What is listed may be covered by another mount.
        guard let mount = (try? MountTable.read())?.lastCgroup2(), open(mount.mountPoint) != nil
        else { return nil }
        return mount.mountPoint
    }

    /// Opens a directory that cgroup2 is mounted at; nil where it is something else.
    private static func open(_ path: String) -> FileDescriptor? {
        do throws(Errno) {
            let handle = try FileDescriptor.open(path, [.directory])
            guard try handle.fileSystem() == .cgroup2 else { return nil }
            return handle
        } catch {
            return nil
        }
    }

    /// The caller's cgroup from the mount's root.
    ///
    /// /proc/self/cgroup speaks of the cgroup namespace's root, and the mount may show only a part
    /// of that: a bind of one cgroup into a container that has no cgroup namespace.
    func ownPath() -> String {
        guard let mountPoint = facts.mountPoint else { return "/" }
        guard let text = try? BorrowedHandle.workingDirectory.readText("/proc/self/cgroup"),
            let path = unifiedPath(in: text), let relative = relativePath(path)
        else { return "/" }
        if relative == "." { return "/" }
        if (try? root?.open(relative, [.path, .directory], resolve: beneath)) != nil {
            return path
        }
        guard let mount = (try? MountTable.read())?.lastCgroup2(at: mountPoint) else { return "/" }
        let prefix = mount.root.utf8
        guard path.utf8.starts(with: prefix) else { return "/" }
        let rest = String(decoding: Array(path.utf8.dropFirst(prefix.count)), as: UTF8.self)
        return rest.utf8.first == UInt8(ascii: "/") ? rest : "/"
    }
}

/// How cgroup directories are opened: strictly below the mount's root.
let beneath: Resolve = [.beneath, .noSymlinks, .noMounts]

/// The path as openat2 wants it, without the slash; nil when it leads upwards, out of the
/// namespace.
func relativePath(_ path: String) -> String? {
    var parts: [String] = []
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
        let name = String(decoding: Array(part), as: UTF8.self)
        if name == ".." { return nil }
        parts.append(name)
    }
    guard var text = parts.first else { return "." }
    for part in parts.dropFirst() { text += "/" + part }
    return text
}

/// The path of cgroup v2 in the text of /proc/PID/cgroup: the line "0::PATH".
func unifiedPath(in text: String) -> String? {
    let prefix = Array("0::".utf8)
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: prefix) {
        let path = String(decoding: Array(line.dropFirst(prefix.count)), as: UTF8.self)
        // The kernel marks a cgroup that is gone but still has a task.
        let mark = " (deleted)"
        guard path.utf8.suffix(mark.utf8.count).elementsEqual(mark.utf8) else { return path }
        return String(decoding: Array(path.utf8.dropLast(mark.utf8.count)), as: UTF8.self)
    }
    return nil
}

/// The names in cgroup.controllers or cgroup.subtree_control.
func controllers(in text: String) -> [String] {
    var names: [String] = []
    for word in text.utf8.split(separator: UInt8(ascii: " ")) {
        names.append(trimmed(String(decoding: Array(word), as: UTF8.self)))
    }
    return names
}

extension [MountEntry] {
    /// The last mount of cgroup2 (the one on top), at `mountPoint` when that is given.
    func lastCgroup2(at mountPoint: String? = nil) -> MountEntry? {
        last { $0.type == "cgroup2" && (mountPoint ?? $0.mountPoint) == $0.mountPoint }
    }
}

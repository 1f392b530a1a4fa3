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
        let text = try? BorrowedHandle.workingDirectory.readText(
            "/proc/self/mountinfo", limit: CgroupMountInfo.limit)
        // What is listed may be covered by another mount.
        let mount = text.flatMap { CgroupMountInfo.find(in: $0, mountPoint: nil) }
        guard let mount, open(mount.mountPoint) != nil else { return nil }
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
        let working = BorrowedHandle.workingDirectory
        guard let text = try? working.readText("/proc/self/cgroup"),
            let path = unifiedPath(in: text), let relative = relativePath(path)
        else { return "/" }
        if relative == "." { return "/" }
        if (try? root?.open(relative, [.path, .directory], resolve: beneath)) != nil {
            return path
        }
        guard
            let mounts = try? working.readText(
                "/proc/self/mountinfo", limit: CgroupMountInfo.limit),
            let mount = CgroupMountInfo.find(in: mounts, mountPoint: mountPoint)
        else { return "/" }
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

/// A cgroup2 mount in /proc/self/mountinfo, proc_pid_mountinfo(5).
struct CgroupMountInfo: Equatable {
    /// The part of the hierarchy that is mounted.
    let root: String
    let mountPoint: String
    /// The options of the file system, which all its mounts share, other than "rw" and "ro".
    let settings: [String]

    /// Of /proc/self/mountinfo, bytes; a host of ten thousand mounts has about three megabytes of it.
    static let limit = 64 << 20

    /// The last such mount (the one on top), at `mountPoint` when that is given.
    static func find(in text: String, mountPoint: String?) -> CgroupMountInfo? {
        var found: CgroupMountInfo?
        for line in words(of: text) where line.count >= 9 {
            // Optional fields end with a lone hyphen; the type follows it.
            guard let hyphen = line[6...].firstIndex(of: Array("-".utf8)), hyphen + 1 < line.count,
                line[hyphen + 1] == Array("cgroup2".utf8)
            else { continue }
            let info = CgroupMountInfo(
                root: unescape(line[3]), mountPoint: unescape(line[4]),
                settings: hyphen + 3 < line.count ? settings(line[hyphen + 3]) : [])
            if mountPoint == nil || mountPoint == info.mountPoint { found = info }
        }
        return found
    }

    private static func settings(_ field: [UInt8]) -> [String] {
        var names: [String] = []
        for part in field.split(separator: UInt8(ascii: ",")) {
            let name = String(decoding: Array(part), as: UTF8.self)
            if name != "rw" && name != "ro" { names.append(name) }
        }
        return names
    }

    /// Resolves the octal escapes of white space and backslash.
    private static func unescape(_ field: [UInt8]) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < field.count {
            if field[index] == UInt8(ascii: "\\"), index + 3 < field.count {
                var value = 0
                for digit in field[(index + 1)...(index + 3)] {
                    value = value * 8 + Int(digit & 7)
                }
                bytes.append(UInt8(truncatingIfNeeded: value))
                index += 4
            } else {
                bytes.append(field[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

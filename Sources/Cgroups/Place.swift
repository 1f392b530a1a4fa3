/// Who makes a container's cgroup.
package enum CgroupDriver: String {
    /// The container runs wherever the runtime's caller is.
    case disabled
    /// The runtime, with mkdir.
    case cgroupfs
    /// systemd, as the scope of a transient unit.
    case systemd
}

/// Where a container's cgroup is: all that is needed to find it again and to remove it.
package struct CgroupPlace: Equatable {
    package var driver = CgroupDriver.disabled
    /// From the root of the cgroup2 mount, "/system.slice/apus-x.scope"; "" without a cgroup.
    package var path = ""
    /// The unit, "apus-x.scope"; "" with another driver.
    package var unit = ""
    /// Whether the unit belongs to the user's own systemd.
    package var isUserUnit = false
    /// What marks the cgroup as this container's: its id and generation.
    ///
    /// Kept with the cgroup, so that no other container's is ever killed or removed in its stead.
    package var stamp = ""

    package init() {}

    package init(
        driver: CgroupDriver, path: String, unit: String = "", isUserUnit: Bool = false,
        stamp: String = ""
    ) {
        self.driver = driver
        self.path = path
        self.unit = unit
        self.isUserUnit = isUserUnit
        self.stamp = stamp
    }
}

/// What the choice of a place depends on; a value, so that every host can be tested anywhere.
package struct CgroupFacts: Equatable {
    /// Where cgroup2 is mounted; nil when it is not.
    package var mountPoint: String?
    /// The runtime's own cgroup from the mount's root; "/" when it lies outside, or when nothing
    /// depends on it.
    package var ownPath = "/"
    /// Whether the caller lacks the host root's powers.
    package var isRootless = false

    package init() {}
}

extension CgroupPlace {
    /// The place that a configuration asks for; pure.
    ///
    /// The plain driver reads `cgroupsPath` as OCI does: absolute from the mount's root, relative
    /// from the parent of the runtime's own cgroup, and absent `apus-ID` in the same parent. The
    /// systemd driver reads `slice:prefix:name` (see `SystemdName`).
    ///
    /// - Parameters:
    ///   - needsCgroup: limits, devices or an explicit path were asked for. Without that a host
    ///     that has no cgroup2 yields the disabled driver instead of an error.
    ///   - managerRoot: the cgroup of the user's systemd; "" for the system's.
    /// - Throws: `CgroupFailure` for a path with `..` or an unusable name, or a missing cgroup2.
    package static func decide(
        cgroupsPath: String, id: String, driver: CgroupDriver, facts: CgroupFacts,
        needsCgroup: Bool, managerRoot: String = ""
    ) throws(CgroupFailure) -> CgroupPlace {
        guard driver != .disabled else { return CgroupPlace() }
        guard facts.mountPoint != nil else {
            guard needsCgroup || driver == .systemd else { return CgroupPlace() }
            throw CgroupFailure(
                "limits need cgroup v2, which is not mounted", origin: "linux.resources",
                hint: "mount -t cgroup2 none /sys/fs/cgroup")
        }
        if driver == .systemd {
            let name = try SystemdName(cgroupsPath, id: id, isRootless: facts.isRootless)
            return CgroupPlace(
                driver: .systemd, path: try name.path(below: managerRoot), unit: name.unit,
                isUserUnit: facts.isRootless)
        }
        let path = cgroupsPath.isEmpty ? "apus-" + id : cgroupsPath
        let parts = try components(of: path)
        let base = path.utf8.first == UInt8(ascii: "/") ? [] : try parent(of: facts.ownPath)
        guard !parts.isEmpty else {
            throw CgroupFailure(
                "'\(cgroupsPath)' is the root of all cgroups", origin: "linux.cgroupsPath")
        }
        return CgroupPlace(driver: .cgroupfs, path: join(base + parts))
    }

    /// The names on a path; empty ones and `.` are dropped, `..` is refused: cleaned lexically it
    /// would name another directory than the kernel's.
    package static func components(of path: String) throws(CgroupFailure) -> [String] {
        var parts: [String] = []
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            let name = String(decoding: Array(part), as: UTF8.self)
            if name == "." { continue }
            guard name != ".." else {
                throw CgroupFailure(
                    "`..` components are not allowed: '\(path)'", origin: "linux.cgroupsPath")
            }
            guard part.count <= 255, !part.contains(0),
                !part.contains(UInt8(ascii: "\n"))
            else {
                throw CgroupFailure(
                    "'\(path)' has a part that names no cgroup", origin: "linux.cgroupsPath")
            }
            parts.append(name)
        }
        return parts
    }

    /// The path of its parts, with a slash before each.
    static func join(_ parts: [String]) -> String {
        var path = ""
        for part in parts { path += "/" + part }
        return path.isEmpty ? "/" : path
    }

    private static func parent(of path: String) throws(CgroupFailure) -> [String] {
        Array(try components(of: path).dropLast())
    }
}

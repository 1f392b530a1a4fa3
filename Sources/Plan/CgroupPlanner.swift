internal import OCI

extension Draft {
    mutating func planCgroup() throws(ConfigError) {
        let resources = linux.resources ?? Spec.Resources()
        plan.cgroup.path = linux.cgroupsPath ?? ""
        plan.cgroup.writes = CgroupFiles(resources).writes()
        try checkControllers()
        plan.cgroup.isNeeded = !plan.cgroup.writes.isEmpty || !plan.cgroup.path.isEmpty
        if options.noCgroup, let first = plan.cgroup.writes.first {
            throw ConfigError(path: first.origin, message: "cannot be had without a cgroup")
        }
        if resources.memory?.checkBeforeUpdate == true {
            plan.cgroup.checkedMemoryLimit = resources.memory?.limit
        }
        // A user namespace cannot make device nodes, nor load the program that restricts them.
        if !host.isRootless, !options.noCgroup {
            plan.cgroup.devices = DeviceRule.rules(resources.devices) + DeviceRule.defaults
        }
        plan.cgroup.ownerUID = ownerUID()
        try planUnitProperties()
    }

    /// A limit whose controller the host has not would fail as a missing file.
    private func checkControllers() throws(ConfigError) {
        guard let controllers = host.controllers else { return }
        for write in plan.cgroup.writes where !write.isOptional {
            let controller = write.file.split(at: ".")[0]
            guard controller == "cgroup" || controllers.contains(controller) else {
                throw ConfigError(
                    path: write.origin,
                    message: "cgroup controller \(controller) is not available on this host")
            }
        }
    }

    /// OCI config-linux.md, "Cgroup ownership": with a cgroup namespace of its own, mounted
    /// writable, the cgroup is given to the container's user.
    private func ownerUID() -> UInt32? {
        guard made.contains(.cgroup), let process = spec.process else { return nil }
        var isWritable = false
        for mount in spec.mounts where mount.destination.cleanPath == "/sys/fs/cgroup" {
            guard mount.type == "cgroup" || mount.type == "cgroup2" else { continue }
            isWritable = !MountOptions(mount.options).isReadOnly
        }
        guard isWritable else { return nil }
        let uid = hostID(process.user.uid, linux.uidMappings)
        return uid == host.uid ? nil : uid
    }

    /// The annotations that engines use to set what systemd alone knows.
    private mutating func planUnitProperties() throws(ConfigError) {
        guard options.systemdCgroup else { return }
        for key in spec.annotations.keys.sorted() {
            guard let name = key.dropping(prefix: "org.systemd.property.") else { continue }
            let isName =
                name.utf8.count >= 3
                && name.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) }
            guard isName else {
                throw ConfigError(
                    path: "annotations[\(key)]", message: "is not the name of a property")
            }
            plan.cgroup.unitProperties.append(
                UnitProperty(name: name, value: spec.annotations[key] ?? ""))
        }
    }
}

extension DeviceRule {
    /// Rules of the configuration, in its order.
    static func rules(_ rules: [Spec.Resources.DeviceRule]) -> [DeviceRule] {
        rules.map { rule in
            let kind: Kind =
                switch rule.type {
                case .character, .unbuffered: .character
                case .block: .block
                default: .all
                }
            let access = rule.access ?? ""
            func grants(_ letter: Unicode.Scalar) -> Bool {
                access.isEmpty || access.utf8.contains(UInt8(ascii: letter))
            }
            return DeviceRule(
                isAllowed: rule.allow, kind: kind, major: number(rule.major),
                minor: number(rule.minor), reads: grants("r"), writes: grants("w"),
                makes: grants("m"))
        }
    }

    /// Absent or -1 is every number.
    private static func number(_ number: Int64?) -> UInt32? {
        UInt32(exactly: number ?? -1)
    }

    /// What every container may do, whatever the configuration denies.
    ///
    /// That is to make nodes, and to use the default devices and terminals; the numbers are those
    /// of the kernel's devices.txt.
    static let defaults: [DeviceRule] =
        [node(.character), node(.block)]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)].map { use($0.0, $0.1) }
        + [use(136, nil)]

    private static func node(_ kind: Kind) -> DeviceRule {
        DeviceRule(
            isAllowed: true, kind: kind, major: nil, minor: nil, reads: false, writes: false,
            makes: true)
    }

    private static func use(_ major: UInt32, _ minor: UInt32?) -> DeviceRule {
        DeviceRule(
            isAllowed: true, kind: .character, major: major, minor: minor, reads: true,
            writes: true, makes: true)
    }
}

internal import OCI

extension Draft {
    mutating func planCgroup() throws(ConfigError) {
        let resources = linux.resources ?? Spec.Resources()
        plan.cgroup.path = linux.cgroupsPath ?? ""
        plan.cgroup.writes = try CgroupFiles(resources).writes()
        plan.cgroup.isNeeded = !plan.cgroup.writes.isEmpty || !plan.cgroup.path.isEmpty
        if options.noCgroup, let first = plan.cgroup.writes.first {
            throw ConfigError(path: first.origin, message: "cannot be had without a cgroup")
        }
        if resources.memory?.checkBeforeUpdate == true {
            plan.cgroup.checkedMemoryLimit = resources.memory?.limit
        }
        // A user namespace cannot make device nodes, nor load the program that restricts them.
        if !host.isRootless, !options.noCgroup {
            plan.cgroup.devices = try DeviceRule.rules(resources.devices) + DeviceRule.defaults
        }
        plan.cgroup.ownerUID = ownerUID()
        try planUnitProperties()
    }

    /// OCI config-linux.md, "Cgroup ownership": with a cgroup namespace of its own, mounted
    /// writable, the cgroup is given to the container's user.
    private func ownerUID() -> UInt32? {
        guard made.contains(.cgroup), let process = spec.process else { return nil }
        var isWritable = false
        for mount in spec.mounts where mount.type == "cgroup" || mount.type == "cgroup2" {
            if !MountOptions(mount.options).isReadOnly { isWritable = true }
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
    static func rules(
        _ rules: [Spec.Resources.DeviceRule]
    ) throws(ConfigError) -> [DeviceRule] {
        var result: [DeviceRule] = []
        for (index, rule) in rules.enumerated() {
            let origin = "linux.resources.devices[\(index)]"
            let kind: Kind
            switch rule.type {
            case nil, .all: kind = .all
            case .character, .unbuffered: kind = .character
            case .block: kind = .block
            case .fifo:
                throw ConfigError(path: origin + ".type", message: "a FIFO is not a device")
            }
            let access = rule.access ?? ""
            for byte in access.utf8 where !"rwm".utf8.contains(byte) {
                throw ConfigError(
                    path: origin + ".access", message: "expected some of r, w and m")
            }
            let isFull = access.isEmpty
            result.append(
                DeviceRule(
                    isAllowed: rule.allow, kind: kind,
                    major: try number(rule.major, origin + ".major"),
                    minor: try number(rule.minor, origin + ".minor"),
                    reads: isFull || access.utf8.contains(UInt8(ascii: "r")),
                    writes: isFull || access.utf8.contains(UInt8(ascii: "w")),
                    makes: isFull || access.utf8.contains(UInt8(ascii: "m"))))
        }
        return result
    }

    private static func number(_ number: Int64?, _ path: String) throws(ConfigError) -> UInt32? {
        guard let number, number != -1 else { return nil }
        guard let result = UInt32(exactly: number) else {
            throw ConfigError(path: path, message: "\(number) is not the number of a device")
        }
        return result
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

internal import OCI

extension Draft {
    /// Ids and capabilities of the process.
    ///
    /// Capabilities that cannot be had are left out with a warning, as OCI wants; a set that the
    /// kernel would refuse as a whole is an error.
    mutating func posture(of process: Spec.Process) throws(ConfigError) -> Posture {
        let sets = process.capabilities ?? Spec.Capabilities()
        let path = "process.capabilities"
        let bounding = mask(sets.bounding, path + ".bounding")
        var masks = CapabilityMasks(
            effective: mask(sets.effective, path + ".effective"),
            permitted: mask(sets.permitted, path + ".permitted"),
            inheritable: mask(sets.inheritable, path + ".inheritable"),
            ambient: mask(sets.ambient, path + ".ambient"))
        guard masks.effective.isSubset(of: masks.permitted) else {
            throw ConfigError(
                path: path + ".effective",
                message: "\(Self.missing(masks.effective, masks.permitted)) is not permitted")
        }
        guard masks.inheritable.isSubset(of: bounding) else {
            throw ConfigError(
                path: path + ".inheritable",
                message: "\(Self.missing(masks.inheritable, bounding)) is not in bounding")
        }
        let possible = masks.permitted.intersection(masks.inheritable)
        if !masks.ambient.isSubset(of: possible) {
            warn(
                path + ".ambient",
                "\(Self.missing(masks.ambient, possible)) is not both permitted and inheritable")
            masks.ambient = masks.ambient.intersection(possible)
        }
        return Posture(
            uid: process.user.uid, gid: process.user.gid, capabilities: masks, bounding: bounding,
            noNewPrivileges: process.noNewPrivileges)
    }

    /// The set of the names that this kernel knows and the runtime may give.
    private mutating func mask(_ names: [String], _ path: String) -> CapabilityMask {
        // Root of a new or joined user namespace has every capability in it.
        let available = hasUserNamespace ? UInt64.max : host.capabilities.bits
        var bits: UInt64 = 0
        for name in names {
            // Names that nobody knows are among the configuration's own warnings.
            guard let number = Capability.number(of: name) else { continue }
            guard number <= host.lastCapability else {
                warn(path, "\(name) is newer than this kernel, it is ignored")
                continue
            }
            let bit = UInt64(1) << UInt64(number)
            guard available & bit != 0 else {
                warn(path, "\(name) is not the runtime's to give, it is ignored")
                continue
            }
            bits |= bit
        }
        return CapabilityMask(bits: bits)
    }

    private static func missing(_ set: CapabilityMask, _ other: CapabilityMask) -> String {
        CapabilityMask(bits: set.bits & ~other.bits).names.joined(with: ", ")
    }
}

extension CapabilityMask {
    /// Names of the members, in the order of their numbers.
    package var names: [String] {
        var names: [String] = []
        for number in 0..<64 where bits & (1 << UInt64(number)) != 0 {
            names.append(
                number < Capability.names.count
                    ? Capability.names[number].description : "CAP_\(number)")
        }
        return names
    }
}

extension Draft {
    /// The filter's flags, and where its listener goes.
    mutating func seccompFilter() -> SeccompFilter? {
        guard let seccomp = linux.seccomp else { return nil }
        var flags: UInt32 = 0
        for flag in seccomp.flags ?? [.specAllow] {
            switch flag {
            // The init stage has one thread, there is nothing to synchronise.
            case .tsync: break
            case .log: flags |= 1 << 1
            case .specAllow: flags |= 1 << 2
            case .waitKillableRecv: flags |= 1 << 5
            }
        }
        var hasListener = seccomp.defaultAction == .notify
        for rule in seccomp.syscalls where rule.action == .notify { hasListener = true }
        let path = seccomp.listenerPath ?? ""
        if hasListener {
            flags |= SeccompFilter.newListener
        } else {
            // The kernel knows it with a listener only, where alone it means something.
            flags &= ~(1 << 5)
        }
        plan.seccomp = SeccompPlan(
            listenerPath: hasListener ? path : nil,
            listenerMetadata: seccomp.listenerMetadata ?? "")
        return SeccompFilter(flags: flags)
    }
}

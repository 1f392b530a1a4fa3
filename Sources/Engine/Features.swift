internal import Linux
package import OCI
internal import Plan

extension Runtime {
    /// `features`: what this runtime can do on this host, OCI features.md.
    ///
    /// Engines switch functions off by what is missing here, and on by what is there.
    package func features() -> Features {
        var features = Features()
        features.ociVersionMin = "1.0.0"
        features.ociVersionMax = Spec.version
        features.hooks = [
            "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
            "poststop",
        ]
        features.mountOptions = MountOptions.known
        features.linux = linuxFeatures()
        // Unit properties may undo limits, OCI features.md "Unsafe annotations".
        features.potentiallyUnsafeConfigAnnotations = ["org.systemd.property."]
        return features
    }

    private func linuxFeatures() -> Features.Linux {
        var linux = Features.Linux()
        for type in Spec.NamespaceType.allCases { linux.namespaces.append(type.name) }
        for name in Capability.names { linux.capabilities.append(name.description) }
        var cgroup = Features.Cgroup()
        cgroup.v2 = true
        cgroup.systemd = true
        cgroup.systemdUser = true
        cgroup.rdma = true
        linux.cgroup = cgroup
        linux.seccomp = seccompFeatures()
        linux.apparmor = Features.Enabled(true)
        linux.selinux = Features.Enabled(true)
        linux.intelRdt = Features.IntelRdt()
        var policy = Features.MemoryPolicy()
        policy.modes = words(Spec.MemoryPolicy.Mode.self)
        policy.flags = words(Spec.MemoryPolicy.Flag.self)
        linux.memoryPolicy = policy
        var extensions = Features.MountExtensions()
        extensions.idmap = Features.Enabled(true)
        linux.mountExtensions = extensions
        linux.netDevices = Features.Enabled(false)
        return linux
    }

    private func seccompFeatures() -> Features.Seccomp {
        var seccomp = Features.Seccomp()
        seccomp.enabled = true
        seccomp.actions = words(Spec.Seccomp.Action.self)
        seccomp.operators = words(Spec.Seccomp.Operator.self)
        seccomp.archs = words(Spec.Seccomp.Architecture.self)
        seccomp.knownFlags = words(Spec.Seccomp.Flag.self)
        // SECCOMP_FILTER_FLAG_*, which the kernel may be too old for.
        let flags: [(flag: Spec.Seccomp.Flag, number: UInt32)] = [
            (.tsync, 1 << 0), (.log, 1 << 1), (.specAllow, 1 << 2), (.waitKillableRecv, 1 << 5),
        ]
        for row in flags where SeccompProbe.isAvailable(flag: row.number) {
            seccomp.supportedFlags.append(row.flag.rawValue)
        }
        return seccomp
    }

    private func words<W: Word>(_ type: W.Type) -> [String] {
        var words: [String] = []
        for word in W.allCases { words.append(word.rawValue) }
        return words
    }
}

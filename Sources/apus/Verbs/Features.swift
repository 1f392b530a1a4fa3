internal import Engine
internal import OCI
internal import Options
internal import Plan

extension Command {
    /// `apus features`.
    ///
    /// Engines switch functions off by what is missing here, and rely on what is there.
    func features() throws(Failure) {
        var features = Features()
        features.ociVersionMin = "1.0.0"
        features.ociVersionMax = Spec.version
        features.hooks = [
            "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
            "poststop",
        ]
        features.mountOptions = MountOptions.known
        features.linux = Self.linuxFeatures()
        features.annotations = [
            "org.opencontainers.apus.version": Program.version,
            // Engines look for runc's key, whatever the runtime.
            "org.opencontainers.runc.checkpoint.enabled": "\(try runtime().hasCriu)",
        ]
        features.potentiallyUnsafeConfigAnnotations = [
            "bundle", "org.systemd.property.", "org.criu.config",
        ]
        try Output.write(features.json(indented: true))
    }

    private static func linuxFeatures() -> Features.Linux {
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
        policy.modes = words(Spec.MemoryPolicy.Mode.allCases)
        policy.flags = words(Spec.MemoryPolicy.Flag.allCases)
        linux.memoryPolicy = policy
        var extensions = Features.MountExtensions()
        extensions.idmap = Features.Enabled(true)
        linux.mountExtensions = extensions
        linux.netDevices = Features.Enabled(false)
        return linux
    }

    private static func seccompFeatures() -> Features.Seccomp {
        var seccomp = Features.Seccomp()
        seccomp.enabled = true
        seccomp.actions = words(Spec.Seccomp.Action.allCases)
        seccomp.operators = words(Spec.Seccomp.Operator.allCases)
        seccomp.archs = architectures
        seccomp.knownFlags = words(Spec.Seccomp.Flag.allCases)
        seccomp.supportedFlags = seccomp.knownFlags
        return seccomp
    }

    /// The interfaces that a filter of this build covers.
    private static var architectures: [String] {
        #if arch(x86_64)
            ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        #elseif arch(arm64)
            ["SCMP_ARCH_AARCH64"]
        #endif
    }

    private static func words(_ cases: [some Word]) -> [String] {
        var names: [String] = []
        for word in cases { names.append(word.rawValue) }
        return names
    }
}

package import OCI

/// What the planner can plan and the runtime can carry out, as `apus features` tells engines.
///
/// One table beside the planner: what is refused there is not in here, and a test plans a
/// configuration for every row.
package enum Support {
    /// OCI's optional functions, by their place in `Features.Linux`.
    package enum Function: CaseIterable {
        case appArmor, seLinux, intelRdt, schemata, monitoring, idmap, netDevices
    }

    package static let functions: [Function] = Function.allCases

    /// Whether this runtime has the function, on a host that has it too.
    package static func has(_ function: Function) -> Bool { functions.contains(function) }

    /// OCI's names of the hooks, in the order of a container's life.
    package static let hooks = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]

    /// Policies of `process.scheduler` that Linux has not.
    static let missingPolicies: [Spec.Scheduler.Policy] = [.iso]

    /// With the value "1" the container's processes keep the groups of the engine's user, mapped or not.
    static let keepGroupsAnnotation = "run.oci.keep_original_groups"

    /// Annotations that change what the container may do, which an engine should pass on with care.
    package static let unsafeAnnotations = [
        "bundle", "org.systemd.property.", "org.criu.config", keepGroupsAnnotation,
    ]

    /// All of it as OCI's features document; `annotations` is the caller's.
    package static func features() -> Features {
        var features = Features()
        features.ociVersionMin = "1.0.0"
        features.ociVersionMax = Spec.version
        features.hooks = hooks
        features.mountOptions = MountOptions.known
        features.linux = linux()
        features.potentiallyUnsafeConfigAnnotations = unsafeAnnotations
        return features
    }

    private static func linux() -> Features.Linux {
        var linux = Features.Linux()
        for type in Spec.NamespaceType.allCases { linux.namespaces.append(type.name) }
        for name in Capability.names { linux.capabilities.append(name.description) }
        var cgroup = Features.Cgroup()
        cgroup.v2 = true
        cgroup.systemd = true
        cgroup.systemdUser = true
        cgroup.rdma = true
        linux.cgroup = cgroup
        linux.seccomp = seccomp()
        linux.apparmor = Features.Enabled(has(.appArmor))
        linux.selinux = Features.Enabled(has(.seLinux))
        var rdt = Features.IntelRdt()
        rdt.enabled = has(.intelRdt)
        rdt.schemata = has(.schemata)
        rdt.monitoring = has(.monitoring)
        linux.intelRdt = rdt
        var policy = Features.MemoryPolicy()
        policy.modes = words(Spec.MemoryPolicy.Mode.allCases)
        policy.flags = words(Spec.MemoryPolicy.Flag.allCases)
        linux.memoryPolicy = policy
        var extensions = Features.MountExtensions()
        extensions.idmap = Features.Enabled(has(.idmap))
        linux.mountExtensions = extensions
        linux.netDevices = Features.Enabled(has(.netDevices))
        return linux
    }

    private static func seccomp() -> Features.Seccomp {
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

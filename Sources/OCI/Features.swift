/// What the runtime can do: OCI features.md and features-linux.md.
///
/// Engines switch functions off by what is missing here, so it must be neither more nor less
/// than the truth.
package struct Features: Fields {
    package var ociVersionMin = ""
    package var ociVersionMax = ""
    package var hooks: [String] = []
    package var mountOptions: [String] = []
    package var linux: Linux?
    package var annotations: [String: String] = [:]
    package var potentiallyUnsafeConfigAnnotations: [String] = []

    package init() {}

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("ociVersionMin", &ociVersionMin)
        try coder.required("ociVersionMax", &ociVersionMax)
        try coder.defaulted("hooks", &hooks)
        try coder.defaulted("mountOptions", &mountOptions)
        try coder.optional("linux", &linux)
        try coder.defaulted("annotations", &annotations)
        try coder.defaulted(
            "potentiallyUnsafeConfigAnnotations", &potentiallyUnsafeConfigAnnotations)
    }
}

extension Features {
    /// The part about Linux.
    package struct Linux: Fields {
        package var namespaces: [String] = []
        package var capabilities: [String] = []
        package var cgroup: Cgroup?
        package var seccomp: Seccomp?
        package var apparmor: Enabled?
        package var selinux: Enabled?
        package var intelRdt: IntelRdt?
        package var memoryPolicy: MemoryPolicy?
        package var mountExtensions: MountExtensions?
        package var netDevices: Enabled?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("namespaces", &namespaces)
            try coder.defaulted("capabilities", &capabilities)
            try coder.optional("cgroup", &cgroup)
            try coder.optional("seccomp", &seccomp)
            try coder.optional("apparmor", &apparmor)
            try coder.optional("selinux", &selinux)
            try coder.optional("intelRdt", &intelRdt)
            try coder.optional("memoryPolicy", &memoryPolicy)
            try coder.optional("mountExtensions", &mountExtensions)
            try coder.optional("netDevices", &netDevices)
        }
    }

    /// A function that is there or not.
    package struct Enabled: Fields {
        package var enabled = false

        package init() {}

        package init(_ enabled: Bool) {
            self.enabled = enabled
        }

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("enabled", &enabled)
        }
    }

    /// The cgroup managers.
    package struct Cgroup: Fields {
        package var v1 = false
        package var v2 = false
        package var systemd = false
        package var systemdUser = false
        package var rdma = false

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("v1", &v1)
            try coder.required("v2", &v2)
            try coder.required("systemd", &systemd)
            try coder.required("systemdUser", &systemdUser)
            try coder.required("rdma", &rdma)
        }
    }

    /// The seccomp words that are understood.
    package struct Seccomp: Fields {
        package var enabled = false
        package var actions: [String] = []
        package var operators: [String] = []
        package var archs: [String] = []
        package var knownFlags: [String] = []
        package var supportedFlags: [String] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("enabled", &enabled)
            try coder.defaulted("actions", &actions)
            try coder.defaulted("operators", &operators)
            try coder.defaulted("archs", &archs)
            try coder.defaulted("knownFlags", &knownFlags)
            try coder.defaulted("supportedFlags", &supportedFlags)
        }
    }

    /// What of Intel RDT is supported.
    package struct IntelRdt: Fields {
        package var enabled = false
        package var schemata = false
        package var monitoring = false

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("enabled", &enabled)
            try coder.required("schemata", &schemata)
            try coder.required("monitoring", &monitoring)
        }
    }

    /// The NUMA memory policy words that are understood.
    package struct MemoryPolicy: Fields {
        package var modes: [String] = []
        package var flags: [String] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("modes", &modes)
            try coder.defaulted("flags", &flags)
        }
    }

    /// Additions to mounts.
    package struct MountExtensions: Fields {
        package var idmap: Enabled?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.optional("idmap", &idmap)
        }
    }
}

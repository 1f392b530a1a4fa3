/// The configuration of a container: OCI runtime-spec 1.3 `config.json` for Linux.
///
/// The nested types and their properties carry OCI's own names, so that its text is their
/// manual. Lists and maps are empty when absent; an optional is nil when absent or null.
package struct Spec: Fields {
    package var ociVersion = ""
    package var process: Process?
    package var root: Root?
    package var hostname: String?
    package var domainname: String?
    package var mounts: [Mount] = []
    package var hooks: Hooks?
    package var annotations: [String: String] = [:]
    package var linux: Linux?
    package var vm: VM?

    package init() {}

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("ociVersion", &ociVersion)
        try coder.optional("process", &process)
        try coder.optional("root", &root)
        try coder.optional("hostname", &hostname)
        try coder.optional("domainname", &domainname)
        try coder.defaulted("mounts", &mounts)
        try coder.optional("hooks", &hooks)
        try coder.defaulted("annotations", &annotations)
        try coder.optional("linux", &linux)
        try coder.optional("vm", &vm)
    }
}

extension Spec {
    /// The container's root file system.
    package struct Root: Fields {
        /// Absolute, or relative to the bundle.
        package var path = ""
        package var readonly = false

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("path", &path)
            try coder.defaulted("readonly", &readonly)
        }
    }

    /// A mount.
    ///
    /// They are made in the order of the list.
    package struct Mount: Fields {
        package var destination = ""
        package var type: String?
        package var source: String?
        package var options: [String] = []
        package var uidMappings: [IDMapping] = []
        package var gidMappings: [IDMapping] = []

        package init() {}

        package init(_ destination: String, type: String, source: String, options: [String]) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
        }

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("destination", &destination)
            try coder.optional("type", &type)
            try coder.optional("source", &source)
            try coder.defaulted("options", &options)
            try coder.defaulted("uidMappings", &uidMappings)
            try coder.defaulted("gidMappings", &gidMappings)
        }
    }

    /// The programs to run at the steps of a container's life.
    ///
    /// OCI config.md, "POSIX-platform Hooks".
    package struct Hooks: Fields {
        package var prestart: [Hook] = []
        package var createRuntime: [Hook] = []
        package var createContainer: [Hook] = []
        package var startContainer: [Hook] = []
        package var poststart: [Hook] = []
        package var poststop: [Hook] = []

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.defaulted("prestart", &prestart)
            try coder.defaulted("createRuntime", &createRuntime)
            try coder.defaulted("createContainer", &createContainer)
            try coder.defaulted("startContainer", &startContainer)
            try coder.defaulted("poststart", &poststart)
            try coder.defaulted("poststop", &poststop)
        }
    }

    /// One hook.
    ///
    /// Without `env` it gets an empty environment, but for `startContainer`: that of the process.
    package struct Hook: Fields {
        package var path = ""
        package var args: [String] = []
        /// Nil leaves it to the runtime.
        package var env: [String]?
        /// Seconds until the hook is ended.
        ///
        /// Nil means no limit.
        package var timeout: Int64?

        package init() {}

        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
            try coder.required("path", &path)
            try coder.defaulted("args", &args)
            try coder.optional("env", &env)
            try coder.optional("timeout", &timeout)
        }
    }

    /// The virtual machine a hypervisor runtime would start.
    ///
    /// Apus refuses it in one clear line.
    package struct VM: Fields {
        package init() {}
        package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {}
    }
}

/// The state of a container: OCI runtime.md "State", with the properties runc adds.
package struct State: Fields {
    /// Where a container stands in its life.
    ///
    /// `paused` is runc's, OCI does not know it.
    package enum Status: String, Word {
        case creating, created, running, paused, stopped
    }

    package var ociVersion = ""
    package var id = ""
    /// The id of the container's first process on the host; 0 when it is stopped.
    package var pid: Int32 = 0
    package var status = Status.creating
    package var bundle = ""
    package var rootfs: String?
    /// RFC 3339 with nanoseconds, UTC.
    package var created: String?
    package var annotations: [String: String] = [:]
    package var owner: String?
    /// How many of its processes the kernel killed for want of memory.
    ///
    /// Of our own: engines otherwise guess it from an exit code. Absent where it was none.
    package var oomKills: Int64?

    package init() {}

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("ociVersion", &ociVersion)
        try coder.required("id", &id)
        try coder.required("pid", &pid)
        try coder.required("status", &status)
        try coder.required("bundle", &bundle)
        try coder.optional("rootfs", &rootfs)
        try coder.optional("created", &created)
        try coder.defaulted("annotations", &annotations)
        try coder.optional("owner", &owner)
        try coder.optional("oomKills", &oomKills)
    }
}

/// The message to a seccomp listener: OCI config-linux.md "The Container Process State".
package struct ContainerProcessState: Fields {
    package var ociVersion = ""
    /// The names of the file descriptors, in the order of the SCM_RIGHTS array.
    package var fds: [String] = ["seccompFd"]
    package var pid: Int32 = 0
    package var metadata: String?
    package var state = State()

    package init() {}

    package mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("ociVersion", &ociVersion)
        try coder.required("fds", &fds)
        try coder.required("pid", &pid)
        try coder.optional("metadata", &metadata)
        try coder.required("state", &state)
    }
}

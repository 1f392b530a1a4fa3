package import Linux

/// Why something about a cgroup failed, in the parts of Engine's `Failure`.
package struct CgroupFailure: Error {
    /// The place in config.json that asked for it, or "".
    package var origin: String
    /// What was tried, or, without an errno, the whole of what is wrong.
    package var operation: String
    package var errno: Errno?
    /// The file that the errno is about, "/a/b/memory.max" from the mount's root, or "".
    package var path: String
    /// What mends it, or "".
    package var hint: String

    package init(
        _ operation: String, origin: String = "", _ errno: Errno? = nil, path: String = "",
        hint: String = ""
    ) {
        self.operation = operation
        self.origin = origin
        self.errno = errno
        self.path = path
        self.hint = hint
    }
}

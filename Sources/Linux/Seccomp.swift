internal import CLinux

/// What this kernel's seccomp can do.
package enum SeccompProbe {
    /// Whether a filter may return `action`, SECCOMP_RET_* (SECCOMP_GET_ACTION_AVAIL, Linux 4.14).
    package static func isAvailable(action: UInt32) -> Bool {
        var action = action
        return unsafe apus_seccomp(2, 0, &action) == 0
    }

    /// Whether the kernel knows `flag`, SECCOMP_FILTER_FLAG_*.
    ///
    /// A filter of none is asked for: EFAULT says that the flag was accepted, EINVAL that it was not.
    package static func isAvailable(flag: UInt32) -> Bool {
        apus_seccomp(1, flag, nil) == -14
    }
}

internal import CLinux

/// How a file is locked.
package enum LockKind: Int32 {
    case shared = 0
    case exclusive = 1
}

extension Handle where Self: ~Copyable {
    /// Waits for a lock of the open file description (F_OFD_SETLKW, Linux 3.15).
    ///
    /// It ends when the last duplicate of the handle is closed. An exclusive one wants a handle open
    /// for writing, a shared one for reading.
    package func lock(_ kind: LockKind = .exclusive) throws(Errno) {
        _ = try retrying { apus_lock(raw, kind.rawValue, 1) }
    }

    /// As `lock`, but gives up at once: `false` where somebody else holds it.
    package func tryLock(_ kind: LockKind = .exclusive) throws(Errno) -> Bool {
        let result = apus_lock(raw, kind.rawValue, 0)
        if result == -Errno.eagain.rawValue || result == -Errno.eacces.rawValue { return false }
        _ = try check(result)
        return true
    }

    /// Gives the lock up before the handle is closed.
    package func unlock() throws(Errno) {
        _ = try check(apus_lock(raw, 2, 0))
    }
}

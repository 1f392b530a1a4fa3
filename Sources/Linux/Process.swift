internal import CLinux

/// How a process ended.
package enum ExitStatus: Equatable {
    case exited(Int32)
    case signaled(Int32)

    /// As shells print it: the code, or 128 + the signal.
    package var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}

/// What waitid(2) reports of a child.
package enum ChildEvent: Equatable {
    case ended(pid: Int32, ExitStatus)
    case stopped(pid: Int32, signal: Int32)
    case continued(pid: Int32)
}

/// A process, held so that its number cannot come to mean another one (Linux 5.3).
package struct ProcessHandle: ~Copyable {
    package let pid: Int32
    package let handle: FileDescriptor

    /// Takes over a pidfd that came with the process (CLONE_PIDFD, SCM_PIDFD).
    package init(pid: Int32, owning handle: consuming FileDescriptor) {
        self.pid = pid
        self.handle = handle
    }

    /// pidfd_open(2); ESRCH where there is no such process.
    ///
    /// Compare the start time after this call before trusting a remembered number.
    package init(pid: Int32) throws(Errno) {
        self.pid = pid
        do throws(Errno) {
            handle = FileDescriptor(owning: try check(apus_pidfd_open(pid, 0)))
        } catch .einval {
            // Before Linux 6.16 one that is reaped during the call; the flags are always right.
            throw .esrch
        }
    }

    /// pidfd_send_signal(2) (Linux 5.1); signal 0 only asks whether the process is there.
    package func send(signal: Int32) throws(Errno) {
        _ = try check(apus_pidfd_signal(handle.raw, signal))
    }

    /// Whether the process has ended, also when it still is a zombie: its handle is readable then.
    package func hasEnded() throws(Errno) -> Bool {
        try handle.poll(.readable, until: 0).contains(.readable)
    }

    /// Waits until the process, of anybody's, has ended; `false` where the deadline passed first.
    package func waitForEnd(until deadline: Int64? = nil) throws(Errno) -> Bool {
        try handle.poll(.readable, until: deadline).contains(.readable)
    }

    /// waitid(P_PIDFD) (Linux 5.4): waits for this child to end, and reaps it.
    package func wait() throws(Errno) -> ExitStatus {
        while true {
            let event = try nextEvent(options: .ended)
            if case .ended(_, let status) = event { return status }
        }
    }

    /// As `wait`, but kills the child when the deadline passes first; ETIMEDOUT then.
    package func wait(until deadline: Int64) throws(Errno) -> ExitStatus {
        if try waitForEnd(until: deadline) { return try wait() }
        try? send(signal: Signal.kill)
        _ = try wait()
        throw .etimedout
    }

    /// What this child has to report; `nil` where that is nothing and `options` do not wait.
    package func nextEvent(options: WaitOptions) throws(Errno) -> ChildEvent? {
        let byHandle: Int32 = 3
        return try waitid(byHandle, handle.raw, options)
    }

    /// pidfd_getfd(2) (Linux 5.6): a duplicate of the process's handle `number`.
    package func duplicate(number: Int32) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try check(apus_pidfd_getfd(handle.raw, number)))
    }
}

/// What waitid(2) is asked for.
package struct WaitOptions: OptionSet {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let doNotWait = WaitOptions(rawValue: 1)
    package static let stopped = WaitOptions(rawValue: 2)
    package static let ended = WaitOptions(rawValue: 4)
    package static let continued = WaitOptions(rawValue: 8)
    /// The child is not reaped, and reports again.
    package static let keep = WaitOptions(rawValue: 0x100_0000)
}

/// What any child has to report; `nil` where that is nothing and `options` do not wait.
///
/// ECHILD: there is none left.
package func waitForAnyChild(_ options: WaitOptions) throws(Errno) -> ChildEvent? {
    try waitid(0, 0, options)
}

private func waitid(
    _ idType: Int32, _ id: Int32, _ options: WaitOptions
) throws(Errno) -> ChildEvent? {
    var exit = apus_exit()
    _ = try retrying { unsafe apus_waitid(idType, id, options.rawValue, &exit) }
    guard exit.pid != 0 else { return nil }
    switch exit.code {
    case 1: return .ended(pid: exit.pid, .exited(exit.status))
    case 2, 3: return .ended(pid: exit.pid, .signaled(exit.status))
    case 6: return .continued(pid: exit.pid)
    default: return .stopped(pid: exit.pid, signal: exit.status)
    }
}

/// This process.
package enum CurrentProcess {
    package static var pid: Int32 { apus_getpid() }
    package static var parent: Int32 { apus_getppid() }
    package static var uid: UInt32 { apus_getuid() }
    package static var effectiveUID: UInt32 { apus_geteuid() }
    package static var gid: UInt32 { apus_getgid() }
    package static var effectiveGID: UInt32 { apus_getegid() }

    /// getcwd(2); ENOENT where it was removed or lies outside of the root.
    package static func workingDirectory() throws(Errno) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try check(
            unsafe bytes.withUnsafeMutableBytes {
                unsafe apus_working_directory($0.baseAddress, $0.count)
            })
        // The count includes the NUL.
        guard count > 1, bytes[0] == UInt8(ascii: "/") else { throw .enoent }
        return String(decoding: bytes[..<(count - 1)], as: UTF8.self)
    }

    /// PR_SET_PDEATHSIG: the signal that comes when the parent ends; 0 none.
    package static func setDeathSignal(_ signal: Int32) throws(Errno) {
        _ = try check(apus_prctl(1, UInt(signal), 0, 0, 0))
    }

    /// PR_SET_CHILD_SUBREAPER: descendants whose parent ended become children of this process.
    package static func setSubreaper(_ isSet: Bool) throws(Errno) {
        _ = try check(apus_prctl(36, isSet ? 1 : 0, 0, 0, 0))
    }

    /// PR_SET_DUMPABLE: whether processes of the same user may look into this one.
    package static func setDumpable(_ isSet: Bool) throws(Errno) {
        _ = try check(apus_prctl(4, isSet ? 1 : 0, 0, 0, 0))
    }

    /// umask(2); the one before.
    @discardableResult
    package static func setUmask(_ mask: UInt32) -> UInt32 { apus_umask(mask) }

    /// setsid(2).
    package static func startSession() throws(Errno) { _ = try check(apus_setsid()) }

    /// _exit(2).
    package static func exit(_ code: Int32) -> Never { apus_exit(code) }
}

/// kill(2); for a process that is held, `ProcessHandle.send` is the safe way.
package func kill(pid: Int32, signal: Int32) throws(Errno) {
    _ = try check(apus_kill(pid, signal))
}

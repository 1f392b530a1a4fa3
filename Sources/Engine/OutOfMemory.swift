internal import CInit
internal import Cgroups
internal import Linux

// The kernel's SIGKILL for want of memory: told from other ends by memory.events.

extension Failure {
    /// The init stage was killed.
    static var initEnded: Failure { Failure("the container's init ended unexpectedly") }

    /// The init stage ended instead of executing the program, and could not even say why.
    static var programNotRun: Failure {
        var failure = initEnded
        failure.hint = "a seccomp profile must allow execve, write and exit_group"
        return failure
    }

    /// What to say of a process that ended in this cgroup; nil where no process of it was killed
    /// for want of memory.
    ///
    /// The kubelet and docker's users look for these words.
    ///
    /// - Parameter earlier: the kills that were counted before the process began.
    init?(
        outOfMemoryIn cgroup: borrowing Cgroup, after earlier: UInt64 = 0,
        of process: String = "container init"
    ) {
        guard cgroup.memoryKills > earlier else { return nil }
        self.init("\(process) was OOM-killed (memory limit too low?)")
        origin = "linux.resources.memory"
        guard let memory = (try? cgroup.memoryUse()) ?? nil else { return }
        hint = "the limit is \(memory.limit.map { "\($0) bytes" } ?? "that of a cgroup above")"
        if let peak = memory.peak { hint += ", the most that was in use \(peak)" }
    }
}

extension Cgroup {
    /// How many of its processes were killed for want of memory; 0 where nobody counts.
    var memoryKills: UInt64 { (try? memoryEvents())?.oomKill ?? 0 }
}

extension ProcessIdentity {
    /// Whether the process ended as the init stage: it never became the container's program.
    ///
    /// One that is reaped already tells nothing; it is taken for one that ran.
    var endedAsInitStage: Bool { Self.endedAsInitStage(pid, startTime: startTime) }

    /// The same of a child that is not reaped, or with its start time of any process.
    ///
    /// To be asked when its report has ended. That is a moment before it either has its program's name
    /// or has ended, so one of both is waited for.
    static func endedAsInitStage(_ pid: Int32, startTime: UInt64? = nil) -> Bool {
        let file = "/proc/\(pid)/comm"
        for _ in 0..<5000 {
            guard (try? BorrowedHandle.workingDirectory.readText(file)) == APUS_INIT_NAME,
                let status = try? ProcessStatus(pid: pid), status.name == APUS_INIT_NAME,
                startTime == nil || status.startTime == startTime
            else { return false }
            if status.hasEnded { return true }
            MonotonicClock.sleep(nanoseconds: 200_000)
        }
        return false
    }
}

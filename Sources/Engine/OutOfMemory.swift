internal import CInit
internal import Cgroups
internal import Linux

// The kernel's SIGKILL for want of memory: told from other ends by memory.events.

extension Failure {
    /// The init stage was killed.
    static var initEnded: Failure { Failure("the container's init ended unexpectedly") }

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
    /// Whether the process has ended, and was until then the init stage: it never became the
    /// container's program.
    ///
    /// A process keeps its name as a zombie. One that is reaped already tells nothing; it is taken
    /// for one that ran.
    var endedAsInitStage: Bool {
        // By a handle first: most have not ended, and procfs has much more to say than that.
        guard let process = try? ProcessHandle(pid: pid), (try? process.hasEnded()) == true,
            let status = try? ProcessStatus(pid: pid)
        else { return false }
        return status.startTime == startTime && status.name == APUS_INIT_NAME
    }
}

internal import CInit
internal import Linux
internal import Plan

/// Starts the init stage: the first process of a container, or of an `exec`.
///
/// One clone3(2) makes the process inside its new namespaces and its cgroup, and executes the init
/// stage there, from memory. It is given a table of handles, and its plan in one of them:
///
///     0 .. base-1   the container's own: stdio, LISTEN_FDS, --preserve-fds
///     base + 0      the socket to the runtime       (APUS_HANDLE_SYNC)
///     base + 1      the plan, a sealed memory file  (APUS_HANDLE_PLAN)
///     base + 2, 3   the FIFOs of the gate           (APUS_HANDLE_GATE, APUS_HANDLE_REPORT)
///     base + 4 ...  the handles that steps name     (slots)
///
/// Everything else is closed when it executes. It dies with the runtime until it is told otherwise.
struct Launch {
    /// The number of the first handle that is not the container's own; at least 3.
    var base: UInt32 = 3
    /// The namespaces that clone3 makes.
    var newNamespaces: Namespaces = []
    /// The container's cgroup, a cgroup2 directory; nil starts in the runtime's own.
    var cgroup: BorrowedHandle?
    /// The encoded plan, struct apus_plan.
    var plan: [UInt8]
    /// The gate of the state directory, opened for reading; nil where there is no gate.
    var gate: BorrowedHandle?
    /// The report of the state directory, opened for writing; nil where there is none.
    var report: BorrowedHandle?
    /// `Plan.handles`, opened.
    var slots: [BorrowedHandle] = []

    /// Starts it; `Failure` names the step: the image, the plan, or the clone.
    func start() throws(Failure) -> InitProcess {
        let image = try attempt("make the init stage's image") { () throws(Errno) in
            try Launch.image()
        }
        let plan = try attempt("write the plan") { () throws(Errno) in
            try FileDescriptor.sealed(name: "apus-plan", self.plan)
        }
        let null = try attempt("open", path: "/dev/null") { () throws(Errno) in
            try FileDescriptor.open("/dev/null", .readWrite)
        }
        let sync = try attempt("make a socket pair") { () throws(Errno) in
            try SocketPair(.sequencedPacket)
        }
        var launch = ProgramLaunch(
            .image(image.borrowed), arguments: [APUS_INIT_NAME, "\(base)"],
            handles: [
                sync.second.borrowed, plan.borrowed, gate ?? null.borrowed,
                report ?? null.borrowed,
            ] + slots)
        launch.firstHandle = base
        launch.newNamespaces = NamespaceTypes(rawValue: UInt64(newNamespaces.rawValue))
        launch.cgroup = cgroup
        launch.deathSignal = Signal.kill
        do throws(Errno) {
            // A second number: the pair's own is closed with the pair, as is the init stage's end,
            // so that the connection ends when the init stage does.
            let own = try sync.first.duplicate()
            return InitProcess(process: try launch.start(), sync: own)
        } catch {
            throw Launch.failure(error, newNamespaces: newNamespaces)
        }
    }

    /// The init stage as an executable in memory that can never again be changed.
    ///
    /// What runs inside the container is this copy and not the runtime's own file, which a container
    /// could otherwise reach as /proc/PID/exe and overwrite (CVE-2019-5736).
    private static func image() throws(Errno) -> FileDescriptor {
        guard apus_init_image_size > 0 else {
            return try .sealedCopyOfExecutable(name: APUS_INIT_NAME)
        }
        return try unsafe .sealedImage(
            name: APUS_INIT_NAME, start: apus_init_image_start(), count: apus_init_image_size)
    }

    private static func failure(_ errno: Errno, newNamespaces: Namespaces) -> Failure {
        let names = newNamespaces.names.joined(separator: ", ")
        var failure = Failure(
            names.isEmpty ? "start the init stage" : "start the init stage (new: \(names))", errno)
        switch errno {
        case .eagain: failure.hint = "a limit of processes is reached: pids.max, RLIMIT_NPROC"
        case .enospc: failure.hint = "a limit of namespaces is reached: /proc/sys/user/max_*"
        case .eperm where newNamespaces.contains(.user):
            failure.hint = "the kernel lets this user make no user namespaces"
        case .ebusy: failure.hint = "the cgroup has controllers enabled for groups below it"
        case .eopnotsupp: failure.hint = "the cgroup is in an invalid domain"
        default: break
        }
        return failure
    }
}

/// The init stage, as the runtime holds it: a child process and the socket to it.
struct InitProcess: ~Copyable {
    /// The process that goes on as the container's; at first the one that was cloned.
    private(set) var process: ProcessHandle
    /// SOCK_SEQPACKET; one struct apus_message a packet.
    let sync: FileDescriptor

    init(process: consuming ProcessHandle, sync: consuming FileDescriptor) {
        self.process = process
        self.sync = sync
    }

    var pid: Int32 { process.pid }

    /// The intermediate process has cloned the one that goes on, its brother: turns to that one, and
    /// reaps the intermediate, which ends at once.
    mutating func follow(_ pid: Int32) throws(Errno) {
        // It is this process's child (CLONE_PARENT): its number stays its own until it is reaped.
        var next = try ProcessHandle(pid: pid)
        swap(&next, &process)
        _ = try next.wait()
    }

    /// Kills the init stage and reaps it, so that nothing is left of a failed start.
    ///
    /// - Returns: whether somebody else had killed it, the kernel for want of memory for one.
    @discardableResult
    consuming func destroy() -> Bool {
        let hadEnded = (try? process.hasEnded()) ?? false
        if !hadEnded { try? process.send(signal: Signal.kill) }
        let status = try? process.wait()
        return hadEnded && status == .signaled(Signal.kill)
    }

    /// Closes the socket and keeps the process, for after the last message.
    consuming func finish() -> ProcessHandle {
        process
    }
}

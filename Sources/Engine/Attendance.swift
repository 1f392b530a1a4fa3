internal import Linux
internal import OCI
internal import Plan

/// What the runtime does at the checkpoints of every init stage, a container's first process or an
/// `exec`.
struct Attendance: ~Copyable {
    let plan: Plan
    let settings: Settings
    let consoleSocket: String?
    let pidfdSocket: String?
    let pidFile: String?
    private var master: FileDescriptor?

    init(_ plan: Plan, _ settings: Settings, _ request: CreateRequest) {
        self.plan = plan
        self.settings = settings
        consoleSocket = request.consoleSocket
        pidfdSocket = request.pidfdSocket
        pidFile = request.pidFile
    }

    init(_ plan: Plan, _ settings: Settings, _ request: ExecRequest) {
        self.plan = plan
        self.settings = settings
        consoleSocket = request.consoleSocket
        pidfdSocket = request.pidfdSocket
        pidFile = request.pidFile
    }

    /// The terminal's other side, where the foreground keeps it.
    mutating func takeMaster() -> FileDescriptor? {
        master.take()
    }

    /// Waits for the next checkpoint, see `InitProcess.arrive`.
    func arrival(of process: inout InitProcess) throws(Failure) -> InitEvent? {
        try process.arrive(plan, warn: settings.warn)
    }

    /// The terminal's master has come: it goes to the engine, or stays with the foreground.
    mutating func keepConsole(_ event: consuming InitEvent) throws(Failure) {
        let handle = try take(event, "process.terminal")
        guard let consoleSocket else {
            // Where no terminal shows the output, its carriage returns are in somebody's way.
            if !BorrowedHandle.standardOutput.isTerminal { try? handle.setPlainNewlines() }
            master = consume handle
            return
        }
        try HandleSocket.send(
            handle, payload: Array("/dev/ptmx".utf8), to: consoleSocket,
            origin: "--console-socket")
    }

    /// The seccomp listener has come: it goes to who decides about system calls.
    ///
    /// OCI config-linux.md, "The Container Process State".
    func passListener(
        _ event: consuming InitEvent, of process: borrowing InitProcess, _ state: State
    ) throws(Failure) {
        let origin = "linux.seccomp.listenerPath"
        let handle = try take(event, origin)
        guard let seccomp = plan.seccomp, let path = seccomp.listenerPath else {
            throw Failure("a seccomp listener came that nobody asked for").at(origin)
        }
        var message = ContainerProcessState()
        message.ociVersion = state.ociVersion
        message.pid = process.pid
        if !seccomp.listenerMetadata.isEmpty { message.metadata = seccomp.listenerMetadata }
        message.state = state
        try HandleSocket.send(
            handle, payload: message.json(), to: path, origin: origin, peer: "seccomp agent")
    }

    /// A tree has come, which a bind of the step takes from the container's root: its ids are mapped.
    func mapTree(_ event: consuming InitEvent, step index: Int) throws(Failure) {
        let step = plan.step(index)
        let tree = try take(event, step.origin)
        guard case .bind(let bind) = step.operation, let mapped = bind.mapped else {
            throw Failure("a tree came that nobody asked for").at(step.origin)
        }
        try Slots.map(tree, as: mapped, step.origin)
    }

    /// Tells the engine which process it is.
    func announce(_ process: borrowing InitProcess) throws(Failure) {
        if let pidfdSocket {
            try HandleSocket.send(
                process.process.handle, payload: Array("pidfd".utf8), to: pidfdSocket,
                origin: "--pidfd-socket")
        }
        if let pidFile { try PidFile.write(process.pid, to: pidFile) }
    }

    /// Lets the init stage go on.
    func proceed(_ process: borrowing InitProcess, from checkpoint: Checkpoint) throws(Failure) {
        do throws(Errno) {
            try process.proceed(from: checkpoint)
        } catch .epipe {
            // It has ended; its last message, or its end, comes next.
        } catch {
            throw Failure("let the init stage go on", error)
        }
    }

    private func take(
        _ event: consuming InitEvent, _ origin: String
    ) throws(Failure) -> FileDescriptor {
        do throws(Errno) {
            return try event.takeHandle()
        } catch {
            throw Failure("take a handle from the init stage", error).at(origin)
        }
    }
}

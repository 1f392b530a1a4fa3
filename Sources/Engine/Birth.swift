internal import Cgroups
internal import Linux
internal import OCI
internal import Plan

/// The runtime's part in a container's first process, from the clone to the gate.
struct Birth: ~Copyable {
    let runtime: Runtime
    let request: CreateRequest
    private var master: FileDescriptor?

    init(runtime: Runtime, request: CreateRequest) {
        self.runtime = runtime
        self.request = request
    }

    /// The terminal's other side, where the foreground keeps it.
    mutating func takeMaster() -> FileDescriptor? {
        master.take()
    }

    /// Starts the init stage and attends to it until it waits at the gate, the container committed.
    ///
    /// Nothing of the process is left when it fails.
    mutating func bear(
        _ container: inout Container, _ preparation: borrowing Preparation
    ) throws(Failure) -> ProcessHandle {
        let plan = preparation.plan
        var cgroup = try makeCgroup(container.record.cgroup, preparation)
        var process = try launch(container, preparation, cgroup)
        do throws(Failure) {
            try settle(&cgroup)
            while let event = try process.arrive(plan, warn: runtime.settings.warn) {
                guard case .request(let checkpoint) = event.message else { continue }
                try attend(checkpoint, event, process, &container, preparation)
                try proceed(process, from: checkpoint)
            }
            try checkAlive(process, container, cgroup)
        } catch {
            process.destroy()
            throw error
        }
        return process.finish()
    }

    // MARK: The clone

    private func makeCgroup(
        _ place: CgroupPlace, _ preparation: borrowing Preparation
    ) throws(Failure) -> Cgroup? {
        do throws(CgroupFailure) {
            return try Cgroup.create(
                place, preparation.plan.cgroup, description: "apus container \(request.id)",
                on: preparation.cgroups)
        } catch {
            throw Failure(error)
        }
    }

    private func settle(_ cgroup: inout Cgroup?) throws(Failure) {
        do throws(CgroupFailure) {
            try cgroup?.settle()
        } catch {
            throw Failure(error)
        }
    }

    private func launch(
        _ container: borrowing Container, _ preparation: borrowing Preparation,
        _ cgroup: borrowing Cgroup?
    ) throws(Failure) -> InitProcess {
        let plan = preparation.plan
        let gate = try container.directory.makeGate()
        let slots = try Slots(plan.handles, searchPath: runtime.settings.searchPath)
        let filter = try runtime.seccompProgram(preparation.spec)
        var launch = Launch(plan: try plan.encoded(seccomp: filter))
        launch.base = UInt32(3 + runtime.settings.listenFDs + request.preserveFDs)
        launch.newNamespaces = plan.clone.new
        launch.cgroup = cgroup.handle
        launch.gate = gate.reading.borrowed
        launch.report = gate.writing.borrowed
        launch.slots = slots.handles
        // The slots must live until the process has its copies.
        return try withExtendedLifetime(slots) { () throws(Failure) in try launch.start() }
    }

    // MARK: The checkpoints

    private mutating func attend(
        _ checkpoint: Checkpoint, _ event: consuming InitEvent,
        _ process: borrowing InitProcess, _ container: inout Container,
        _ preparation: borrowing Preparation
    ) throws(Failure) {
        let plan = preparation.plan
        switch checkpoint {
        case .mapIDs:
            guard let identity = plan.identity else { return }
            try IDMaps.write(
                identity, for: process.pid, searchPath: runtime.settings.searchPath)
        case .createRuntime:
            try runHooks(plan, process, container)
        case .console:
            let handle = try take(event, "process.terminal")
            guard let socket = request.consoleSocket else {
                master = consume handle
                return
            }
            try HandleSocket.send(
                handle, payload: Array("/dev/ptmx".utf8), to: socket, origin: "--console-socket")
        case .listener:
            let handle = try take(event, "linux.seccomp.listenerPath")
            var state = container.state(.creating)
            state.pid = process.pid
            try plan.seccomp?.send(handle, of: process.pid, state)
        case .ready:
            try OutsideSteps.perform(plan.outsideSteps, on: process.pid)
            try commit(process, &container)
        }
    }

    private func runHooks(
        _ plan: Plan, _ process: borrowing InitProcess, _ container: borrowing Container
    ) throws(Failure) {
        if let device = plan.networkDevices.first {
            throw Failure("moving network device \(device.name) is not supported")
                .at("linux.netDevices")
        }
        var state = container.state(.creating)
        state.pid = process.pid
        for hook in plan.hooks.createRuntime { try Hook(hook).run(state) }
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

    /// From here on the container exists: the record names its process.
    private func commit(
        _ process: borrowing InitProcess, _ container: inout Container
    ) throws(Failure) {
        do throws(Errno) {
            container.record.process = try ProcessIdentity(of: process.pid)
        } catch {
            throw Failure("identify process \(process.pid)", error)
        }
        try container.directory.commit(container.record)
        if let socket = request.pidfdSocket {
            try HandleSocket.send(
                process.process.handle, payload: Array("pidfd".utf8), to: socket,
                origin: "--pidfd-socket")
        }
        if let pidFile = request.pidFile { try PidFile.write(process.pid, to: pidFile) }
    }

    private func proceed(
        _ process: borrowing InitProcess, from checkpoint: Checkpoint
    ) throws(Failure) {
        do throws(Errno) {
            try process.proceed(from: checkpoint)
        } catch .epipe {
            // It has ended; its last message, or its end, comes next.
        } catch {
            throw Failure("let the init stage go on", error)
        }
    }

    /// The init stage says nothing more: it waits at the gate, or it was killed.
    private func checkAlive(
        _ process: borrowing InitProcess, _ container: borrowing Container,
        _ cgroup: borrowing Cgroup?
    ) throws(Failure) {
        do throws(Errno) {
            guard try process.process.hasEnded() || container.record.isIntent else { return }
        } catch {
            throw Failure("look after the init stage", error)
        }
        throw Failure.initEnded(wasOutOfMemory: cgroup.hadOutOfMemory)
    }
}

extension Failure {
    /// The init stage was killed. The kubelet and docker's users look for these words.
    static func initEnded(wasOutOfMemory: Bool) -> Failure {
        guard wasOutOfMemory else { return Failure("the container's init ended unexpectedly") }
        return Failure("container init was OOM-killed (memory limit too low?)")
    }
}


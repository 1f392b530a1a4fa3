internal import Cgroups
internal import Linux
internal import OCI

extension Runtime {
    /// OCI `start`: lets a created container execute its program.
    package func start(_ id: String) throws(Failure) {
        let locked = try findLocked(id)
        let status = locked.container.statusOfProcess()
        try locked.container.require(.start, in: status)
        let notify = try start(locked.container)
        let identity = locked.container.record.process
        locked.release()
        // Without the lock: who never gets ready must be killed by somebody.
        try relay(notify, identity)
    }

    /// Passes on what the container says until it is ready, or has ended.
    func relay(
        _ notify: consuming NotifySocket?, _ identity: ProcessIdentity
    ) throws(Failure) {
        guard let notify else { return }
        do throws(Errno) {
            guard let process = try identity.open() else { return }
            try notify.relay(until: process)
        } catch {
            throw Failure("tell the service manager", error).at("NOTIFY_SOCKET")
        }
    }

    /// Opens the gate of a created container whose lock is held, and waits until its program runs.
    ///
    /// - Returns: where the container will say that it is ready, if anybody asked.
    func start(_ container: borrowing Container) throws(Failure) -> NotifySocket? {
        var notify: NotifySocket?
        if let address = settings.notifySocket {
            notify = try NotifySocket.bind(in: container.directory, to: address)
        }
        let report = try container.openGate()
        if let failure = try container.failure(in: report) { throw failure }
        if container.record.process.endedAsInitStage {
            throw outOfMemory(container) ?? Failure.programNotRun
        }
        try runPoststart(container)
        return notify
    }

    private func outOfMemory(_ container: borrowing Container) -> Failure? {
        guard let cgroup = openCgroup(container.record.cgroup) else { return nil }
        return Failure(outOfMemoryIn: cgroup)
    }

    /// OCI 1.3: a poststart hook that fails stops the container, and `start` fails.
    func runPoststart(_ container: borrowing Container) throws(Failure) {
        let hooks = Hook.list(
            container.record.poststart, "poststart", inherited: settings.environment)
        guard !hooks.isEmpty else { return }
        let state = container.state(.running)
        do throws(Failure) {
            for hook in hooks { try hook.run(state) }
        } catch {
            var failure = error
            do throws(Failure) {
                try Cleanup.endProcesses(container.record, on: try openCgroups())
            } catch {
                failure.aftermath.append(error.message)
            }
            throw failure
        }
    }
}

extension Container {
    /// Lets the init stage go on; its report can then be read from the handle.
    ///
    /// The gate is renamed before the byte is written: whoever sees the container from then on sees
    /// it running, and a second `start` is refused.
    fileprivate func openGate() throws(Failure) -> FileDescriptor {
        do throws(Errno) {
            let gate = try directory.handle.open(
                ContainerDirectory.gateName, [.writeOnly, .nonBlocking, .noFollow])
            let report = try directory.handle.open(
                ContainerDirectory.reportName, [.readOnly, .nonBlocking, .noFollow])
            try report.setNonBlocking(false)
            try directory.handle.rename(
                ContainerDirectory.gateName, to: ContainerDirectory.openedGateName)
            try gate.writeAll([1])
            return report
        } catch .enxio {
            // Nobody reads: init has ended since its status was derived.
            throw Failure("cannot start a container that has stopped").at("container \"\(id)\"")
        } catch {
            throw Failure("open the gate", error, path: directory.path)
        }
    }

    /// Waits for the end of the report, which is the program's execution or the end of init.
    fileprivate func failure(in report: borrowing FileDescriptor) throws(Failure) -> Failure? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try report.readAll(limit: 1 << 20)
        } catch {
            throw Failure("read the report of init", error, path: directory.path)
        }
        let names = StepNames(first: Int(record.firstStep), words: record.stepNames)
        for message in InitMessage.readAll(bytes) {
            if let failure = names.failure(message) { return failure }
        }
        return nil
    }
}

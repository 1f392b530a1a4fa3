internal import Cgroups
internal import Linux
internal import OCI

extension Runtime {
    /// OCI `start`: lets a created container execute its program.
    package func start(_ id: String) throws(Failure) {
        let locked = try findLocked(id)
        try start(locked.container)
    }

    /// Opens the gate of a container whose lock is held, and waits until its program runs.
    func start(_ container: borrowing Container) throws(Failure) {
        let status = container.statusOfProcess()
        try container.require(.start, in: status)
        let report = try container.openGate()
        if let failure = try container.failure(in: report) { throw failure }
        if container.record.process.endedAsInitStage {
            throw outOfMemory(container) ?? Failure.initEnded
        }
        try runPoststart(container)
    }

    private func outOfMemory(_ container: borrowing Container) -> Failure? {
        guard let cgroups = try? openCgroups(),
            let cgroup = (try? Cgroup.open(container.record.cgroup, on: cgroups)) ?? nil
        else { return nil }
        return Failure(outOfMemoryIn: cgroup)
    }

    /// OCI 1.3: a poststart hook that fails stops the container, and `start` fails.
    private func runPoststart(_ container: borrowing Container) throws(Failure) {
        let hooks = Hook.list(container.record.poststart, "poststart")
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

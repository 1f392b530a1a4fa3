internal import Cgroups
internal import Linux
internal import OCI

extension Runtime {
    /// `run`: create, start, and unless detached wait for the end and delete.
    ///
    /// - Returns: the process's exit code, 128 + the signal that ended it, or 0 when detached.
    package func run(_ request: RunRequest) throws(Failure) -> Int32 {
        guard !request.detach else {
            var container = try start(try make(request.create))
            let notify = container.notify.take()
            let identity = container.locked.container.record.process
            _ = container.unlock()
            try relay(notify, identity)
            return 0
        }
        return try runInForeground(request)
    }

    private func runInForeground(_ request: RunRequest) throws(Failure) -> Int32 {
        var create = request.create
        create.isForeground = true
        let foreground = try takeForeground(noSubreaper: request.noSubreaper)
        let container = try start(try make(create))
        return try wait(for: container, in: foreground, keep: request.keep)
    }

    /// Takes over the signals, before the process that they are for is there.
    func takeForeground(noSubreaper: Bool) throws(Failure) -> Foreground {
        try attempt("take over signals") { () throws(Errno) in
            if !noSubreaper { try CurrentProcess.setSubreaper(true) }
            return try Foreground()
        }
    }

    /// Waits for the end of a container that runs, and deletes it; its exit code.
    func wait(
        for container: consuming NewContainer, in foreground: consuming Foreground, keep: Bool
    ) throws(Failure) -> Int32 {
        let id = container.locked.container.id
        let generation = container.locked.container.record.generation
        let place = container.locked.container.record.cgroup
        let master = container.master.take()
        let notify = container.notify.take()
        let process = container.unlock()
        let end: ExitStatus
        do throws(Errno) {
            end = try foreground.wait(for: process, master: master, notify: notify)
        } catch {
            throw Failure("wait for process \(process.pid)", error)
        }
        var verdict: Failure?
        if end == .signaled(Signal.kill), let cgroup = openCgroup(place) {
            verdict = Failure(outOfMemoryIn: cgroup)?.withExitCode(end.shellCode)
        }
        if !keep { try delete(id, generation: generation) }
        if let verdict { throw verdict }
        return end.shellCode
    }

    /// A cgroup about which something is to be told; nil where it cannot be had.
    func openCgroup(_ place: CgroupPlace) -> Cgroup? {
        guard let cgroups = try? openCgroups() else { return nil }
        return (try? Cgroup.open(place, on: cgroups)) ?? nil
    }

    /// Starts a container that was just made; where that fails, nothing of it is left.
    private func start(_ made: consuming NewContainer) throws(Failure) -> NewContainer {
        var container = made
        do throws(Failure) {
            container.notify = try start(container.locked.container)
            return container
        } catch {
            var failure = error
            do throws(Failure) {
                try remove(container.locked.container, on: try openCgroups())
            } catch {
                failure.aftermath.append(error.message)
                throw failure
            }
            container.locked.lock.remove()
            throw failure
        }
    }

    /// Deletes a container that has ended, unless somebody else did, and perhaps made a new one of the
    /// same id.
    func delete(_ id: String, generation: String) throws(Failure) {
        guard let store = try Store.open(root, creates: false), store.exists(id) else { return }
        let lock = try IDLock.take(id, in: store)
        guard let directory = try store.directory(of: id) else { return }
        let record = try directory.readRecord()
        guard record.generation == generation else { return }
        let container = Container(store: store, directory: directory, record: record)
        try remove(container, on: try openCgroups())
        lock.remove()
    }
}

extension NewContainer {
    /// Lets other verbs at the container, and keeps its process.
    fileprivate consuming func unlock() -> ProcessHandle {
        process
    }
}

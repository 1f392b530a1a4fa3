internal import CInit
internal import Cgroups
internal import Linux
internal import OCI
internal import Plan

extension Runtime {
    /// `exec`: starts another process in a running container.
    ///
    /// - Returns: its exit code, 128 + the signal that ended it, or 0 at once when it is detached.
    /// - Throws: `Failure` of exit code 255 where the process could not be started, and of the
    ///   process's own where it was killed for want of memory.
    package func exec(_ request: ExecRequest) throws(Failure) -> Int32 {
        let end: (code: Int32, verdict: Failure?)
        do throws(Failure) {
            end = try execute(request)
        } catch {
            throw error.withExitCode(255)
        }
        if let verdict = end.verdict { throw verdict.withExitCode(end.code) }
        return end.code
    }

    private func execute(
        _ request: ExecRequest
    ) throws(Failure) -> (code: Int32, verdict: Failure?) {
        let container = try find(request.id)
        let cgroups = try openCgroups()
        let status = try container.status(cgroups)
        try container.require(.exec(ignoresPause: request.ignorePaused), in: status)
        let target = try container.openInit()
        let (spec, plan) = try planExec(request, container, cgroups)
        try checkConsole(request, hasTerminal: plan.hasTerminal)
        trace(plan)

        let foreground =
            request.detach
            ? nil
            : try attempt("take over signals") {
                () throws(Errno) in try Foreground()
            }
        let slots = try Slots(
            plan.handles, container: target.handle.borrowed)
        var launch = Launch(
            plan: try plan.encoded(
                seccomp: try seccompProgram(spec, warn: settings.warn),
                cgroup: container.record.cgroup.path))
        launch.base = UInt32(3 + settings.listenFDs + request.preserveFDs)
        launch.newNamespaces = plan.clone.new
        var attendance = Attendance(plan, settings, request)
        let affinity = try setInitialAffinity(plan.initialAffinity)
        var entry = try enter(launch, slots, request, container, cgroups)
        if let affinity { try? affinity.apply() }
        do throws(Failure) {
            try attend(&entry, &attendance, container)
        } catch {
            throw entry.destroy() ?? error
        }
        let kills = entry.earlierKills
        let cgroup = entry.cgroup.take()
        let process = entry.finish()
        guard let foreground else { return (0, nil) }
        let end: ExitStatus
        do throws(Errno) {
            end = try foreground.wait(for: process, master: attendance.takeMaster())
        } catch {
            throw Failure("wait for process \(process.pid)", error)
        }
        guard end == .signaled(Signal.kill), let cgroup else { return (end.shellCode, nil) }
        return (end.shellCode, Failure(outOfMemoryIn: cgroup, after: kills, of: "the process"))
    }

    /// Moves this process to the CPUs that the new one shall begin on.
    ///
    /// - Returns: where it was.
    private func setInitialAffinity(_ cpus: String?) throws(Failure) -> Affinity? {
        guard let cpus, !cpus.isEmpty else { return nil }
        do throws(Errno) {
            let old = try Affinity()
            let affinity = try Affinity(list: cpus)
            try affinity.apply()
            trace(affinity)
            return old
        } catch {
            throw Failure("move to CPUs \(cpus)", error).at("process.execCPUAffinity.initial")
        }
    }

    /// Starts the init stage in the recorded cgroup, or where init is now.
    ///
    /// Init may have moved itself into a cgroup below, so that the kernel refuses
    /// processes in the recorded one (EBUSY: "no internal processes").
    private func enter(
        _ launch: Launch, _ slots: Slots, _ request: ExecRequest,
        _ container: borrowing Container, _ cgroups: borrowing CgroupHost
    ) throws(Failure) -> Entry {
        let place = container.record.cgroup
        if let path = request.cgroup {
            let cgroup = try cgroupFailing { () throws(CgroupFailure) in
                try container.openCgroup(on: cgroups).child(path)
            }
            do throws(Failure) {
                return try launch.enter(cgroup, slots)
            } catch {
                // With controllers for the cgroups below it, the kernel takes no process in it.
                guard error.errno == .ebusy else { throw error }
                throw Failure("adding pid of the process to cgroups", .ebusy, path: path)
                    .at("--cgroup")
            }
        }
        guard place.driver != .disabled else {
            return Entry(stage: try launch.start(slots), cgroup: nil, isOutside: false)
        }
        let recorded = try cgroupFailing { () throws(CgroupFailure) in
            try Cgroup.open(place, on: cgroups)
        }
        if let recorded {
            do throws(Failure) {
                return try launch.enter(recorded, slots)
            } catch {
                guard error.errno == .ebusy || error.errno == .enodev else { throw error }
            }
        }
        let current = try cgroupFailing { () throws(CgroupFailure) in
            try Cgroup.ofProcess(container.record.process.pid, on: cgroups)
        }
        guard let current else { throw Failure("the container's cgroup is gone") }
        return try launch.enter(current, slots)
    }

    private func attend(
        _ entry: inout Entry, _ attendance: inout Attendance,
        _ container: borrowing Container
    ) throws(Failure) {
        var isReady = false
        while let event = try attendance.arrival(of: &entry.stage) {
            guard case .request(let checkpoint, _) = event.message else { continue }
            switch checkpoint {
            case .mapIDs, .mapTree, .createRuntime: break
            case .cgroup: try entry.adopt()
            case .console: try attendance.keepConsole(event)
            case .listener:
                try attendance.passListener(event, of: entry.stage, container.state(.running))
            case .ready:
                try OutsideSteps.perform(attendance.plan.outsideSteps, on: entry.stage.pid)
                try container.record.assignResctrl(entry.stage.pid)
                try attendance.announce(entry.stage)
                isReady = true
            }
            try attendance.proceed(entry.stage, from: checkpoint)
        }
        guard isReady, !entry.endedAsInitStage else { throw Failure.programNotRun }
    }

    private func planExec(
        _ request: ExecRequest, _ container: borrowing Container, _ cgroups: borrowing CgroupHost
    ) throws(Failure) -> (Spec, Plan) {
        var options = PlanOptions()
        options.id = request.id
        options.bundle = container.record.bundle
        options.noNewKeyring = true
        options.preserveFDs = request.preserveFDs
        options.listenFDs = settings.listenFDs
        options.noCgroup = container.record.cgroup.driver == .disabled
        let host = try HostProbe.probe(cgroups: cgroups, settings: settings)
        let config = try container.directory.loadConfig()
        do throws(ConfigError) {
            let spec = try Spec.decode(config)
            var process = request.process
            if process == nil { process = try request.changes.applied(to: spec.process) }
            let plan = try Planner.planExec(
                process ?? Spec.Process(), in: spec, options: options, host: host)
            for warning in plan.warnings { settings.warn(warning.description) }
            return (spec, plan)
        } catch {
            throw Failure(error, in: "process")
        }
    }

    private func checkConsole(_ request: ExecRequest, hasTerminal: Bool) throws(Failure) {
        if hasTerminal && request.detach && request.consoleSocket == nil {
            var failure = Failure(
                "cannot allocate tty if apus will detach without setting console socket")
            failure.hint = "give --console-socket"
            throw failure
        }
        if request.consoleSocket != nil && !(hasTerminal && request.detach) {
            throw Failure("a console socket needs --detach and a process with a terminal")
                .at("--console-socket")
        }
    }
}

/// The init stage of an `exec`, and the cgroup it enters.
private struct Entry: ~Copyable {
    var stage: InitProcess
    var cgroup: Cgroup?
    /// It could not be cloned into its cgroup, and waits to be moved there.
    let isOutside: Bool
    /// What memory.events counted before: kills of others.
    var earlierKills: UInt64 = 0

    /// Has systemd move it into the cgroup.
    mutating func adopt() throws(Failure) {
        guard isOutside else { return }
        do throws(CgroupFailure) {
            try cgroup?.adopt(stage.pid)
        } catch {
            throw Failure(error)
        }
    }

    /// Whether it ended before it became the program.
    var endedAsInitStage: Bool {
        ProcessIdentity.endedAsInitStage(stage.pid)
    }

    /// Kills and reaps it; the failure that a shortage of memory was.
    consuming func destroy() -> Failure? {
        guard stage.destroy() else { return nil }
        switch cgroup {
        case .some(let cgroup): return Failure(outOfMemoryIn: cgroup, after: earlierKills)
        case .none: return nil
        }
    }

    consuming func finish() -> ProcessHandle {
        stage.finish()
    }
}

extension Launch {
    fileprivate func enter(
        _ cgroup: consuming Cgroup, _ slots: Slots
    ) throws(Failure) -> Entry {
        var launch = self
        launch.cgroup = BorrowedHandle(cgroup.handle)
        let kills = cgroup.memoryKills
        do throws(Failure) {
            let stage = try launch.start(slots)
            return Entry(stage: stage, cgroup: cgroup, isOutside: false, earlierKills: kills)
        } catch {
            guard cgroup.isUnitOfUser, error.errno == .eacces else { throw error }
            launch.cgroup = nil
            let stage = try launch.start(slots)
            return Entry(stage: stage, cgroup: cgroup, isOutside: true, earlierKills: kills)
        }
    }
}

extension Cgroup {
    /// Whether a user's systemd can move processes into it.
    fileprivate var isUnitOfUser: Bool { place.driver == .systemd && place.isUserUnit }
}

extension Container {
    /// Init by its handle, its identity checked: what is joined is this container and no other.
    fileprivate func openInit() throws(Failure) -> ProcessHandle {
        do throws(Errno) {
            if let process = try record.process.open() { return process }
        } catch {
            throw Failure("open process \(record.process.pid)", error)
        }
        throw Failure("cannot exec in a stopped container").at("container \"\(id)\"")
    }
}

extension ProcessChanges {
    /// The container's own process with these changes.
    fileprivate func applied(to process: Spec.Process?) throws(ConfigError) -> Spec.Process {
        guard var process else {
            throw ConfigError(path: "process", message: "the container has none; use --process")
        }
        process.args = arguments
        process.terminal = hasTerminal
        // The size is that of the terminal the container was made with.
        process.consoleSize = nil
        if let cwd { process.cwd = cwd }
        process.env += environment
        if let uid { process.user.uid = uid }
        if let gid { process.user.gid = gid }
        if uid != nil && gid == nil { process.user.gid = 0 }
        process.user.additionalGids += additionalGids
        if noNewPrivileges { process.noNewPrivileges = true }
        if let selinuxLabel { process.selinuxLabel = selinuxLabel }
        if let apparmorProfile { process.apparmorProfile = apparmorProfile }
        guard !capabilities.isEmpty else { return process }
        var sets = process.capabilities ?? Spec.Capabilities()
        // Where the container hands capabilities down to its programs, it does so with these, too.
        let areInherited = !sets.inheritable.isEmpty
        for name in capabilities {
            Self.add(name, to: &sets.bounding)
            Self.add(name, to: &sets.effective)
            Self.add(name, to: &sets.permitted)
            guard areInherited else { continue }
            Self.add(name, to: &sets.inheritable)
            Self.add(name, to: &sets.ambient)
        }
        process.capabilities = sets
        return process
    }

    private static func add(_ name: String, to set: inout [String]) {
        if !set.contains(name) { set.append(name) }
    }
}

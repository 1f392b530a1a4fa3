internal import Cgroups
internal import Linux
internal import OCI
internal import Plan

/// The birth of a container's first process, from the clone to the gate.
struct Birth: ~Copyable {
    let runtime: Runtime
    let request: CreateRequest
    private var attendance: Attendance
    /// The process could not be cloned into its cgroup, and waits to be moved there.
    private var isOutside = false

    init(_ runtime: Runtime, _ request: CreateRequest, _ plan: Plan) {
        self.runtime = runtime
        self.request = request
        attendance = Attendance(plan, runtime.settings, request)
    }

    /// The terminal's other side, where the foreground keeps it.
    mutating func takeMaster() -> FileDescriptor? {
        attendance.takeMaster()
    }

    /// Starts the init stage and attends to it until it waits at the gate, the container committed.
    ///
    /// Nothing of the process is left when it fails.
    mutating func bear(
        _ container: inout Container, _ preparation: borrowing Preparation
    ) throws(Failure) -> ProcessHandle {
        var cgroup = try makeCgroup(container.record.cgroup, preparation)
        container.record.cgroup = cgroup.actualPlace
        try container.record.makeResctrl(preparation.plan)
        var process = try launch(container, preparation, cgroup?.handle)
        do throws(Failure) {
            if !isOutside { try settle(&cgroup) }
            while let event = try attendance.arrival(of: &process) {
                guard case .request(let checkpoint, let step) = event.message else { continue }
                if checkpoint == .cgroup, isOutside { try adopt(process.pid, &cgroup) }
                if checkpoint == .mapTree {
                    try attendance.mapTree(event, step: step)
                } else {
                    try attend(checkpoint, event, process, &container)
                }
                try attendance.proceed(process, from: checkpoint)
            }
            let hasEnded = (try? process.process.hasEnded()) ?? true
            if hasEnded || container.record.isIntent {
                throw Failure.initEnded
            }
        } catch {
            let wasKilled = process.destroy()
            throw (wasKilled ? outOfMemory(cgroup) : nil) ?? error
        }
        return process.finish()
    }

    private func outOfMemory(_ cgroup: borrowing Cgroup?) -> Failure? {
        switch cgroup {
        case .some(let cgroup): Failure(outOfMemoryIn: cgroup)
        case .none: nil
        }
    }

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

    private func adopt(_ pid: Int32, _ cgroup: inout Cgroup?) throws(Failure) {
        do throws(CgroupFailure) {
            try cgroup?.adopt(pid)
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

    private mutating func launch(
        _ container: borrowing Container, _ preparation: borrowing Preparation, _ cgroup: Int32?
    ) throws(Failure) -> InitProcess {
        let plan = preparation.plan
        let gate = try container.directory.makeGate()
        let slots = try Slots(plan.handles)
        let filter = preparation.filter
        var launch = Launch(
            plan: try plan.encoded(
                seccomp: filter, cgroup: container.record.cgroup.path))
        launch.base = UInt32(3 + runtime.settings.listenFDs + request.preserveFDs)
        launch.newNamespaces = plan.clone.new
        launch.cgroup = cgroup.map { BorrowedHandle($0) }
        launch.gate = gate.reading.borrowed
        launch.report = gate.writing.borrowed
        do throws(Failure) {
            return try launch.start(slots)
        } catch {
            guard plan.awaits(.cgroup), error.errno == .eacces else { throw error }
            launch.cgroup = nil
            isOutside = true
            return try launch.start(slots)
        }
    }

    private mutating func attend(
        _ checkpoint: Checkpoint, _ event: consuming InitEvent,
        _ process: borrowing InitProcess, _ container: inout Container
    ) throws(Failure) {
        let plan = attendance.plan
        switch checkpoint {
        case .cgroup, .mapTree: break
        case .mapIDs:
            guard let identity = plan.identity else { return }
            try IDMaps.write(
                identity, for: process.pid, searchPath: runtime.settings.searchPath)
        case .createRuntime:
            try NetworkDevices.move(plan.networkDevices, to: process.pid)
            let state = container.state(.creating, pid: process.pid)
            for hook in plan.hooks.createRuntime { try Hook(hook).run(state) }
        case .console:
            try attendance.keepConsole(event)
        case .listener:
            let state = container.state(.creating, pid: process.pid)
            try attendance.passListener(event, of: process, state)
        case .ready:
            try OutsideSteps.perform(plan.outsideSteps, on: process.pid)
            try container.record.assignResctrl(process.pid)
            try commit(process, &container)
            try attendance.announce(process)
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
    }
}

extension Cgroup? {
    /// Where the cgroup is: with systemd not always where its name says; nowhere without one.
    var actualPlace: CgroupPlace {
        borrowing get {
            switch self {
            case .some(let cgroup): cgroup.place
            case .none: CgroupPlace()
            }
        }
    }
}

internal import Cgroups
internal import Linux
internal import OCI
internal import Plan

extension Runtime {
    /// `exec`: starts another process in a running container.
    ///
    /// - Returns: its exit code, 128 + the signal that ended it, or 0 at once when it is detached.
    /// - Throws: `Failure` of exit code 255 where the process could not be started.
    package func exec(_ request: ExecRequest) throws(Failure) -> Int32 {
        do throws(Failure) {
            return try execute(request)
        } catch {
            throw error.withExitCode(255)
        }
    }

    private func execute(_ request: ExecRequest) throws(Failure) -> Int32 {
        let container = try find(request.id)
        let cgroups = try openCgroups()
        let status = try container.status(cgroups)
        try container.require(.exec(ignoresPause: request.ignorePaused), in: status)
        let target = try container.openInit()
        let (spec, plan) = try planExec(request, container, cgroups)
        try checkConsole(request, hasTerminal: plan.hasTerminal)

        let foreground = request.detach ? nil : try attempt("take over signals") {
            () throws(Errno) in try Foreground()
        }
        let slots = try Slots(
            plan.handles, container: target.handle.borrowed, searchPath: settings.searchPath)
        var launch = Launch(plan: try plan.encoded(seccomp: try seccompProgram(spec)))
        launch.base = UInt32(3 + settings.listenFDs + request.preserveFDs)
        launch.newNamespaces = plan.clone.new
        launch.slots = slots.handles
        var birth = ExecBirth(runtime: self, request: request, plan: plan)
        let process = try birth.bear(launch, slots, container, target, cgroups)
        guard let foreground else { return 0 }
        let end: ExitStatus
        do throws(Errno) {
            end = try foreground.wait(for: process, master: birth.takeMaster())
        } catch {
            throw Failure("wait for process \(process.pid)", error)
        }
        return end.shellCode
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
        do throws(ConfigError) {
            let spec = try Spec.decode(try container.loadConfig())
            let process = try request.process ?? request.changes.applied(to: spec.process)
            let plan = try Planner.planExec(process, in: spec, options: options, host: host)
            for warning in plan.warnings { settings.warn(warning.description) }
            return (spec, plan)
        } catch {
            throw Failure(error, in: "process")
        }
    }

    private func checkConsole(_ request: ExecRequest, hasTerminal: Bool) throws(Failure) {
        if hasTerminal && request.detach && request.consoleSocket == nil {
            var failure = Failure("cannot allocate tty if apus will detach without a console socket")
            failure.hint = "give --console-socket"
            throw failure
        }
        if request.consoleSocket != nil && !(hasTerminal && request.detach) {
            throw Failure("a console socket needs --detach and a process with a terminal")
                .at("--console-socket")
        }
    }
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
        for name in capabilities {
            Self.add(name, to: &sets.bounding)
            Self.add(name, to: &sets.effective)
            Self.add(name, to: &sets.permitted)
        }
        process.capabilities = sets
        return process
    }

    private static func add(_ name: String, to set: inout [String]) {
        if !set.contains(name) { set.append(name) }
    }
}

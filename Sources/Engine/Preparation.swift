internal import Cgroups
internal import Linux
internal import OCI
package import Plan

/// All that is decided of a container before anything of it is made: what `explain` shows and
/// `create` carries out.
struct Preparation: ~Copyable {
    let bundle: Bundle
    /// The bytes of the configuration, of which a copy is kept.
    let config: [UInt8]
    let spec: Spec
    let rootfs: String
    let plan: Plan
    /// The seccomp filter, struct sock_filter[]; empty without one.
    let filter: [UInt8]
    let cgroups: CgroupHost
    let place: CgroupPlace
}

extension Runtime {
    /// Reads, checks and plans.
    ///
    /// Nothing is changed.
    func prepare(_ request: CreateRequest) throws(Failure) -> Preparation {
        let bundle = try Bundle.open(request.bundle, from: settings.workingDirectory)
        let config: [UInt8]
        let spec: Spec
        if let given = request.spec {
            spec = given
            config = given.json()
        } else {
            config = try bundle.readConfig(request.configFile)
            do throws(ConfigError) {
                spec = try Spec.decode(config)
            } catch {
                throw Failure(error, in: request.configFile ?? Bundle.configName)
            }
        }
        let rootfs = try bundle.rootfs(spec.root)
        let cgroups = try openCgroups()
        let host = try HostProbe.probe(cgroups: cgroups, settings: settings)
        let options = planOptions(request, bundle: bundle.path)
        let plan: Plan
        do throws(ConfigError) {
            plan = try Planner.plan(spec, options: options, host: host)
        } catch {
            throw Failure(error, in: Bundle.configName)
        }
        try checkConsole(request, hasTerminal: plan.hasTerminal)
        let place: CgroupPlace
        do throws(CgroupFailure) {
            place = try CgroupPlace.decide(
                cgroupsPath: plan.cgroup.path, id: request.id, driver: settings.cgroupDriver,
                on: cgroups, needsCgroup: plan.cgroup.isNeeded)
        } catch {
            throw Failure(error)
        }
        return Preparation(
            bundle: bundle, config: config, spec: spec, rootfs: rootfs, plan: plan,
            filter: try seccompProgram(spec, warn: settings.warn), cgroups: cgroups, place: place)
    }

    /// What `create` would do, with nothing done.
    package func explain(_ request: CreateRequest) throws(Failure) -> Plan {
        try ContainerID.validate(request.id)
        return try prepare(request).plan
    }

    private func planOptions(_ request: CreateRequest, bundle: String) -> PlanOptions {
        var options = PlanOptions()
        options.id = request.id
        options.bundle = bundle
        options.noPivot = request.noPivot
        options.isEphemeral = request.ephemeral
        options.noNewKeyring = request.noNewKeyring
        options.preserveFDs = request.preserveFDs
        options.listenFDs = settings.listenFDs
        options.environment = settings.environment
        if settings.notifySocket != nil {
            options.notifyDirectory = root + "/" + request.id + "/" + NotifySocket.directoryName
        }
        options.systemdCgroup = settings.cgroupDriver == .systemd
        options.noCgroup = settings.cgroupDriver == .disabled
        return options
    }

    /// A terminal whose other side nobody holds would block the process for ever.
    func checkConsole(_ request: CreateRequest, hasTerminal: Bool) throws(Failure) {
        if hasTerminal && request.consoleSocket == nil && !request.isForeground {
            var failure = Failure(
                "cannot allocate tty if apus will detach without setting console socket")
            failure.origin = "process.terminal"
            failure.hint = "give --console-socket, or run in the foreground"
            throw failure
        }
        if !hasTerminal && request.consoleSocket != nil {
            throw Failure("a console socket was given, but the process has no terminal")
                .at("--console-socket")
        }
    }
}

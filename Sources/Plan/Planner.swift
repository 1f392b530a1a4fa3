package import OCI

/// Turns a configuration into a plan.
package enum Planner {
    /// The plan of `create`.
    ///
    /// - Throws: `ConfigError` for what the configuration asks and no container could have, with
    ///   the place that asks for it.
    package static func plan(
        _ spec: Spec, options: PlanOptions, host: Host
    ) throws(ConfigError) -> Plan {
        try spec.validate()
        guard let process = spec.process else {
            throw ConfigError(path: "process", message: "required, but missing")
        }
        var draft = Draft(spec, options, host)
        try draft.chooseNamespaces()
        try draft.planIdentity()
        try draft.planCgroup()
        draft.planRuntimeHooks()
        try draft.planNetworkDevices()
        draft.planResctrl()

        try draft.enterNamespaces()
        draft.openSession(label: process.selinuxLabel)
        try draft.makeRoot()
        try draft.mountAll()
        try draft.makeDevices()
        draft.awaitRuntime()
        draft.addHooks(.createContainer)
        draft.openConsole(process, bindsConsole: true)
        draft.closeRoot()
        draft.setSysctls()
        try draft.hidePaths()
        draft.enterDirectory(process, isFirstTry: true, isMade: true)
        draft.sealRoot()
        draft.nameHost()
        try draft.limit(process, affinity: nil)
        draft.setExecutionDomain()
        try draft.become(process, kind: .first)
        return draft.plan
    }

    /// The plan of `exec`: another process in the namespaces of a running container.
    ///
    /// What `process` leaves out of capabilities, limits, labels and scheduling is the container's.
    /// - Parameter spec: the configuration that the container was made from.
    package static func planExec(
        _ process: Spec.Process, in spec: Spec, options: PlanOptions, host: Host
    ) throws(ConfigError) -> Plan {
        var process = process
        process.inherit(from: spec.process)
        try process.validate(at: "process")
        var draft = Draft(spec, options, host)
        try draft.chooseNamespaces()
        draft.plan.initialAffinity = process.execCPUAffinity?.initial
        draft.plan.cgroup.path = spec.linux?.cgroupsPath ?? ""

        try draft.joinContainer()
        draft.openSession(label: process.selinuxLabel)
        draft.openConsole(process, bindsConsole: false)
        draft.enterDirectory(process, isFirstTry: true, isMade: false)
        try draft.limit(process, affinity: process.execCPUAffinity?.final)
        draft.setExecutionDomain()
        try draft.become(process, kind: .further)
        return draft.plan
    }

    /// What `update` writes to the container's cgroup.
    ///
    /// - Parameter recorded: the limits the container has by its record; what an arithmetic needs
    ///   and `resources` does not say is taken from there.
    package static func planUpdate(
        _ resources: Spec.Resources, recorded: Spec.Resources?, host: Host
    ) throws(ConfigError) -> CgroupPlan {
        var plan = CgroupPlan()
        let whole = resources.completed(from: recorded)
        try whole.validate(at: "resources")
        plan.writes = CgroupFiles(whole, recordedBurst: recorded?.cpu?.burst).writes()
        if resources.memory?.checkBeforeUpdate == true {
            plan.checkedMemoryLimit = resources.memory?.limit
        }
        // An update that says nothing of devices leaves them as they are.
        if !resources.devices.isEmpty, !host.isRootless {
            plan.devices = DeviceRule.rules(resources.devices) + DeviceRule.defaults
        }
        return plan
    }

}

extension Spec.Process {
    /// Takes from the container's own process what this one does not say.
    fileprivate mutating func inherit(from container: Spec.Process?) {
        guard let container else { return }
        if capabilities == nil { capabilities = container.capabilities }
        if rlimits.isEmpty { rlimits = container.rlimits }
        if (apparmorProfile ?? "").isEmpty { apparmorProfile = container.apparmorProfile }
        if (selinuxLabel ?? "").isEmpty { selinuxLabel = container.selinuxLabel }
        if oomScoreAdj == nil { oomScoreAdj = container.oomScoreAdj }
        if scheduler == nil { scheduler = container.scheduler }
        if ioPriority == nil { ioPriority = container.ioPriority }
        if execCPUAffinity == nil { execCPUAffinity = container.execCPUAffinity }
    }
}

/// A plan in the making, to which each planner file adds its concern.
struct Draft {
    let spec: Spec
    let linux: Spec.Linux
    let options: PlanOptions
    let host: Host
    var plan = Plan()
    /// Which namespaces the container makes and which it joins.
    var made: Namespaces = []
    var joined: Namespaces = []
    /// The mounts that become read-only once they are filled.
    var sealedLate: [(origin: String, target: String)] = []

    init(_ spec: Spec, _ options: PlanOptions, _ host: Host) {
        self.spec = spec
        var linux = spec.linux ?? Spec.Linux()
        if linux.lacksMappings {
            // As unshare --map-root-user: the caller is the container's only user.
            linux.uidMappings = [Spec.IDMapping(containerID: 0, hostID: host.uid, size: 1)]
            linux.gidMappings = [Spec.IDMapping(containerID: 0, hostID: host.gid, size: 1)]
        }
        self.linux = linux
        self.options = options
        self.host = host
    }

    mutating func add(_ origin: String, _ operation: Operation) {
        plan.steps.append(Step(origin, operation))
    }

    /// Asks the runtime for a handle.
    mutating func slot(_ origin: String, _ kind: HandleRequest.Kind) -> Slot {
        plan.handles.append(HandleRequest(origin: origin, kind: kind))
        return Slot(plan.handles.count - 1)
    }

    mutating func warn(_ path: String, _ message: String) {
        plan.warnings.append(ConfigWarning(path: path, message: message))
    }

    /// Namespaces that are not the runtime's own.
    var own: Namespaces { made.union(joined) }
    /// Whether the container's root is another user on the host.
    var hasUserNamespace: Bool { own.contains(.user) }
}

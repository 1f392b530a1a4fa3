internal import Cgroups
internal import OCI
internal import Plan

extension Runtime {
    /// `update`: puts new limits in force, all or none of them.
    ///
    /// - Returns: what is, or with a dry run would be, written: "file = value".
    package func update(_ request: UpdateRequest) throws(Failure) -> [String] {
        var locked = try findLocked(request.id)
        let cgroups = try openCgroups()
        let status = try locked.container.status(cgroups)
        try locked.container.require(.update, in: status)
        let host = try HostProbe.probe(cgroups: cgroups, settings: settings)
        var spec: Spec
        let plan: CgroupPlan
        let config = try locked.container.directory.loadConfig()
        do throws(ConfigError) {
            spec = try Spec.decode(config)
            plan = try Planner.planUpdate(
                request.resources, recorded: spec.linux?.resources, host: host)
        } catch {
            throw Failure(error, in: "resources")
        }
        guard !request.isDryRun else {
            return try lines(of: plan, request, locked.container, cgroups)
        }
        try updateResctrl(request, &locked.container)
        do throws(CgroupFailure) {
            try locked.container.openCgroup(on: cgroups)
                .update(plan, changesDevices: !request.resources.devices.isEmpty)
        } catch {
            throw Failure(error)
        }
        // What the next update computes with, and what `exec` sees of the configuration.
        var linux = spec.linux ?? Spec.Linux()
        if let schema = request.l3CacheSchema {
            linux.intelRdt = linux.intelRdt ?? Spec.IntelRdt()
            linux.intelRdt?.l3CacheSchema = schema
        }
        if let schema = request.memoryBandwidthSchema {
            linux.intelRdt = linux.intelRdt ?? Spec.IntelRdt()
            linux.intelRdt?.memBwSchema = schema
        }
        linux.resources = (linux.resources ?? Spec.Resources()).updated(by: request.resources)
        spec.linux = linux
        try locked.container.directory.saveConfig(spec.json())
        return []
    }

    /// What would be written: "file = value".
    private func lines(
        of plan: CgroupPlan, _ request: UpdateRequest, _ container: borrowing Container,
        _ cgroups: borrowing CgroupHost
    ) throws(Failure) -> [String] {
        var lines: [String] = []
        do throws(CgroupFailure) {
            let cgroup = try container.openCgroup(on: cgroups)
            for write in plan.writes {
                let (file, value) = try cgroup.target(of: write)
                lines.append("\(file) = \(value)")
            }
        } catch {
            throw Failure(error)
        }
        for line in request.schemata { lines.append("schemata = \(line)") }
        return lines
    }

    /// Changes the schemata of the container's group; one that had none gets its own.
    private func updateResctrl(
        _ request: UpdateRequest, _ container: inout Container
    ) throws(Failure) {
        guard !request.schemata.isEmpty else { return }
        let resctrl = try Resctrl.required()
        if let place = container.record.resctrl {
            return try resctrl.change(place, request.schemata)
        }
        let place = try resctrl.place(
            of: ResctrlPlan(Spec.IntelRdt(), id: request.id), id: request.id)
        // Before the group is there, so that `delete` finds it whatever happens.
        container.record.resctrl = place
        try container.directory.commit(container.record)
        try resctrl.make(place, request.schemata)
        for pid in try processes(of: container) { try resctrl.assign(pid, to: place) }
    }
}

extension UpdateRequest {
    fileprivate var schemata: [String] {
        [l3CacheSchema ?? "", memoryBandwidthSchema ?? ""].filter { !$0.isEmpty }
    }
}

extension Spec.Resources {
    /// These limits with those of an update in their place.
    func updated(by update: Spec.Resources) -> Spec.Resources {
        var result = self
        if let memory = update.memory {
            var merged = result.memory ?? Memory()
            merged.limit = memory.limit ?? merged.limit
            merged.reservation = memory.reservation ?? merged.reservation
            merged.swap = memory.swap ?? merged.swap
            result.memory = merged
        }
        if let cpu = update.cpu {
            var merged = result.cpu ?? CPU()
            merged.shares = cpu.shares ?? merged.shares
            merged.quota = cpu.quota ?? merged.quota
            merged.burst = cpu.burst ?? merged.burst
            merged.period = cpu.period ?? merged.period
            merged.cpus = cpu.cpus ?? merged.cpus
            merged.mems = cpu.mems ?? merged.mems
            merged.idle = cpu.idle ?? merged.idle
            result.cpu = merged
        }
        if let pids = update.pids { result.pids = pids }
        if let blockIO = update.blockIO { result.blockIO = blockIO }
        if !update.devices.isEmpty { result.devices = update.devices }
        for (file, value) in update.unified { result.unified[file] = value }
        return result
    }
}

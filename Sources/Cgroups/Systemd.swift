internal import DBus
internal import Linux
internal import Plan

// The systemd driver. A scope comes to be with a process in it and ends with its last one, but
// the container's first process shall be cloned into a cgroup whose limits are in force. So the
// scope is started with a placeholder, a child of the runtime that only sleeps, and `settle` ends
// that once the first process is inside. Should the runtime be killed in between, the placeholder
// ends with it, and systemd removes the empty scope.

extension Cgroup {
    /// How long a job of systemd's may take, milliseconds.
    private static let jobTimeout = 30_000

    static func startUnit(
        _ place: CgroupPlace, _ plan: CgroupPlan, description: String,
        on host: borrowing CgroupHost
    ) throws(CgroupFailure) -> Cgroup {
        var bus = try Bus.connect(isUser: place.isUserUnit)
        try bus.subscribe()
        let isScope = place.unit.utf8.suffix(6).elementsEqual(".scope".utf8)
        var placeholder: ProcessHandle?
        if isScope {
            do throws(Errno) {
                placeholder = try ProcessHandle.placeholder()
            } catch {
                throw CgroupFailure("start the scope's placeholder", error)
            }
        }
        // Another's unit of this name must not be stopped because ours could not be started.
        var isOurs = false
        do throws(CgroupFailure) {
            let settings = try unitSettings(
                place, plan, description: description, firstProcess: placeholder?.pid)
            let job = try bus.start(place.unit, settings)
            isOurs = true
            try bus.awaitStart(job, of: place.unit, milliseconds: jobTimeout)
            var cgroup = try openUnit(place, &bus, on: host)
            if isScope { try cgroup.stamp() } else { try cgroup.claim(isNew: false) }
            try cgroup.apply(plan.writes)
            try cgroup.makeRoom(for: plan.writes, hasPlaceholder: isScope)
            try cgroup.filterDevices(plan.devices)
            if let uid = plan.ownerUID { try cgroup.delegate(to: uid) }
            cgroup.placeholder = placeholder.take()
            return cgroup
        } catch {
            end(placeholder.take())
            if isOurs { try? bus.stop(place.unit, milliseconds: jobTimeout) }
            throw error
        }
    }

    /// The properties of a new unit: those of every container, its limits, then what annotations
    /// ask for, which override the others.
    static func unitSettings(
        _ place: CgroupPlace, _ plan: CgroupPlan, description: String, firstProcess: Int32?
    ) throws(CgroupFailure) -> [UnitSetting] {
        var settings: [UnitSetting] = [UnitSetting("Description", .string(description))]
        if let firstProcess {
            settings += [
                UnitSetting("Slice", .string(place.slice)),
                UnitSetting("Delegate", .boolean(true)),
                UnitSetting("PIDs", .array(of: "u", [.uint32(UInt32(firstProcess))])),
            ]
        }
        settings.append(UnitSetting("DefaultDependencies", .boolean(false)))
        for name in ["MemoryAccounting", "CPUAccounting", "TasksAccounting", "IOAccounting"] {
            settings.append(UnitSetting(name, .boolean(true)))
        }
        settings += try SystemdProperties.settings(for: plan.writes)
        settings += SystemdDevices.settings(for: plan.devices)
        for setting in try SystemdProperties.settings(for: plan.unitProperties) {
            settings.removeAll { $0.name == setting.name }
            settings.append(setting)
        }
        return settings
    }

    /// Ends the placeholder; to be called when the container's first process is in the cgroup.
    package mutating func settle() throws(CgroupFailure) {
        Self.end(placeholder.take())
        guard let limit = finalTaskLimit else { return }
        finalTaskLimit = nil
        try write("pids.max", limit, origin: "linux.resources.pids.limit")
    }

    /// Has systemd move a process into the unit, and ends the placeholder.
    ///
    /// For a caller without systemd's rights over the cgroup that holds both itself and the unit
    /// (a user in a login session): clone3(CLONE_INTO_CGROUP) is EACCES then. The process must not
    /// have begun with what is limited. systemd 236.
    package mutating func adopt(_ pid: Int32) throws(CgroupFailure) {
        var bus = try Bus.connect(isUser: place.isUserUnit)
        _ = try bus.manager(
            "AttachProcessesToUnit",
            [.string(place.unit), .string(""), .array(of: "u", [.uint32(UInt32(pid))])])
        try settle()
    }

    private static func end(_ placeholder: consuming ProcessHandle?) {
        guard let placeholder else { return }
        try? placeholder.send(signal: 9)
        _ = try? placeholder.wait()
    }

    /// Lets the placeholder not count: a limit of one task is one for the container.
    ///
    /// A limit of none holds from the first process on, which could not be cloned under it.
    mutating func makeRoom(
        for writes: [CgroupWrite], hasPlaceholder: Bool
    ) throws(CgroupFailure) {
        for write in writes where write.file == "pids.max" {
            guard let limit = parseNumber(write.value.utf8), limit < 1 << 30 else { continue }
            let room = max(limit, 1) + (hasPlaceholder ? 1 : 0)
            guard room != limit else { continue }
            finalTaskLimit = write.value
            try self.write("pids.max", "\(room)", origin: write.origin)
        }
    }

    /// Opens the unit's cgroup where its name says it is, or else where systemd says.
    private static func openUnit(
        _ place: CgroupPlace, _ bus: inout Bus, on host: borrowing CgroupHost
    ) throws(CgroupFailure) -> Cgroup {
        if let cgroup = try open(place, on: host) { return cgroup }
        let body = try bus.manager("GetUnit", [.string(place.unit)])
        let kind = place.unit.utf8.suffix(6).elementsEqual(".slice".utf8) ? "Slice" : "Scope"
        let value = try bus.property(
            "ControlGroup", of: body.first?.text ?? "/",
            interface: "org.freedesktop.systemd1." + kind)
        var actual = place
        actual.path = value.text ?? ""
        if let cgroup = try open(actual, on: host) { return cgroup }
        throw CgroupFailure(
            "systemd's cgroup of \(place.unit) is not below this cgroup2 mount", path: actual.path)
    }

    /// Stops a unit and forgets that it may have failed; nothing where it is gone, or nobody is
    /// there to ask, or systemd is too busy to answer: the processes are dead, and an empty scope
    /// ends by itself.
    static func stopUnit(_ place: CgroupPlace) throws(CgroupFailure) {
        guard var bus = try? Bus.connect(isUser: place.isUserUnit) else { return }
        do throws(CgroupFailure) {
            try bus.subscribe()
            try bus.stop(place.unit, milliseconds: jobTimeout)
        } catch {
            guard error.errno == .etimedout else { throw error }
        }
    }

    /// Makes systemd forget that a unit failed.
    static func forgetUnit(_ place: CgroupPlace) {
        guard var bus = try? Bus.connect(isUser: place.isUserUnit) else { return }
        _ = try? bus.manager("ResetFailedUnit", [.string(place.unit)])
    }

    /// Sets the properties that stand for these writes, until the next boot at most.
    func setUnitProperties(_ settings: [UnitSetting]) throws(CgroupFailure) {
        guard place.driver == .systemd, !settings.isEmpty else { return }
        var bus = try Bus.connect(isUser: place.isUserUnit)
        _ = try bus.manager(
            "SetUnitProperties",
            [.string(place.unit), .boolean(true), UnitSetting.wire(settings)])
    }
}

extension CgroupPlace {
    /// The slice that holds the unit: the directory above it.
    var slice: String {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        guard parts.count > 1 else { return "-.slice" }
        return String(decoding: Array(parts[parts.count - 2]), as: UTF8.self)
    }

    /// As `decide`; asks the user's systemd for its own cgroup where the unit will be the user's.
    package static func decide(
        cgroupsPath: String, id: String, driver: CgroupDriver, on host: borrowing CgroupHost,
        needsCgroup: Bool
    ) throws(CgroupFailure) -> CgroupPlace {
        var managerRoot = ""
        if driver == .systemd, host.facts.isRootless {
            var bus = try Bus.connect(isUser: true)
            let value = try bus.property(
                "ControlGroup", of: "/org/freedesktop/systemd1",
                interface: "org.freedesktop.systemd1.Manager")
            managerRoot = value.text ?? ""
        }
        var facts = host.facts
        if driver == .cgroupfs, cgroupsPath.utf8.first != UInt8(ascii: "/") {
            facts.ownPath = host.ownPath()
        }
        return try decide(
            cgroupsPath: cgroupsPath, id: id, driver: driver, facts: facts,
            needsCgroup: needsCgroup, managerRoot: managerRoot)
    }
}

extension Bus {
    /// Has a transient unit started; the job that does so.
    ///
    /// A unit of the name that has failed earlier, and which nobody has asked about since, is
    /// forgotten first; one that runs is an error.
    mutating func start(
        _ unit: String, _ settings: [UnitSetting]
    ) throws(CgroupFailure) -> String {
        let body: [DBusValue] = [
            .string(unit), .string("fail"), UnitSetting.wire(settings),
            .array(of: "(sa(sv))", []),
        ]
        do throws(CgroupFailure) {
            return try manager("StartTransientUnit", body).first?.text ?? ""
        } catch {
            guard error.isNamed("org.freedesktop.systemd1.UnitExists") else { throw error }
        }
        _ = try? manager("ResetFailedUnit", [.string(unit)])
        return try manager("StartTransientUnit", body).first?.text ?? ""
    }

    mutating func awaitStart(
        _ job: String, of unit: String, milliseconds: Int
    ) throws(CgroupFailure) {
        let result = try awaitJob(job, of: unit, milliseconds: milliseconds)
        guard result == "done" else {
            throw CgroupFailure(
                "systemd could not start \(unit): \(result)",
                hint: "systemctl status \(unit); journalctl -u \(unit)")
        }
    }

    mutating func stop(_ unit: String, milliseconds: Int) throws(CgroupFailure) {
        do throws(CgroupFailure) {
            let answer = try manager("StopUnit", [.string(unit), .string("replace")])
            _ = try awaitJob(answer.first?.text ?? "", of: unit, milliseconds: milliseconds)
        } catch {
            guard error.isNamed("org.freedesktop.systemd1.NoSuchUnit") else { throw error }
        }
        _ = try? manager("ResetFailedUnit", [.string(unit)])
    }
}

extension CgroupFailure {
    /// Whether this is the D-Bus error of a name.
    func isNamed(_ name: String) -> Bool {
        operation.utf8.starts(with: (name + ":").utf8)
    }
}

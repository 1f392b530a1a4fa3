internal import Linux
internal import Plan

extension Cgroup {
    /// Puts a device filter for the rules in force, in the place of the one before.
    ///
    /// In a user namespace the kernel refuses bpf(2), and refuses making device nodes as well, so
    /// that the container is without a filter there; an unprivileged caller in the first user
    /// namespace must not have asked for one.
    ///
    /// - Parameter rules: none means that the planner saw no privilege to restrict devices.
    func filterDevices(_ rules: [DeviceRule]) throws(CgroupFailure) {
        guard !rules.isEmpty else { return }
        let program: DeviceProgram
        do throws(Errno) {
            program = try DeviceProgram(
                instructions: DeviceFilter(rules).words, name: DeviceFilter.name)
        } catch {
            guard error == .eperm, Self.needNoFilter(rules) else {
                throw CgroupFailure(
                    "load the device filter", origin: "linux.resources.devices", error,
                    hint: error == .eperm ? "bpf(2) needs CAP_BPF and CAP_NET_ADMIN" : "")
            }
            return
        }
        do throws(Errno) {
            try attach(program)
        } catch {
            guard error == .eperm, Self.needNoFilter(rules) else {
                throw CgroupFailure(
                    "attach the device filter", origin: "linux.resources.devices", error,
                    path: place.path)
            }
        }
    }

    /// One exchange for the filter that is there; systemd's own stay.
    private func attach(_ program: borrowing DeviceProgram) throws(Errno) {
        var old: [UInt32] = []
        for id in try DeviceProgram.attached(to: directory).ids {
            guard let attached = try? DeviceProgram(id: id),
                (try? attached.name()) == DeviceFilter.name
            else { continue }
            old.append(id)
        }
        guard let first = old.first else {
            return try program.attach(to: directory, .allowMultiple)
        }
        let replaced = try DeviceProgram(id: first)
        try program.attach(
            to: directory, [.allowMultiple, .replace], replacing: replaced.handle.borrowed)
        for id in old.dropFirst() { try DeviceProgram(id: id).detach(from: directory) }
    }

    private static func needNoFilter(_ rules: [DeviceRule]) -> Bool {
        if (try? isInUserNamespace()) == true { return true }
        guard CurrentProcess.effectiveUID != 0 else { return false }
        for rule in rules {
            let isFull = rule.isAllowed && rule.reads && rule.writes && rule.makes
            if !isFull { return false }
        }
        return true
    }
}

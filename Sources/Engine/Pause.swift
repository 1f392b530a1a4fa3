internal import Cgroups

extension Runtime {
    /// Freezes every process of the container.
    package func pause(_ id: String) throws(Failure) {
        try changeFreezer(id, .pause)
    }

    /// Lets a paused container go on.
    package func resume(_ id: String) throws(Failure) {
        try changeFreezer(id, .resume)
    }

    private func changeFreezer(_ id: String, _ transition: Transition) throws(Failure) {
        let locked = try findLocked(id)
        let cgroups = try openCgroups()
        let status = try locked.container.status(cgroups)
        try locked.container.require(transition, in: status)
        do throws(CgroupFailure) {
            let cgroup = try locked.container.openCgroup(on: cgroups)
            if case .pause = transition { try cgroup.freeze() } else { try cgroup.thaw() }
        } catch {
            throw Failure(error)
        }
    }
}

extension Container {
    /// The container's cgroup, for verbs that cannot do without.
    func openCgroup(on host: borrowing CgroupHost) throws(CgroupFailure) -> Cgroup {
        guard let cgroup = try Cgroup.open(record.cgroup, on: host) else {
            throw CgroupFailure(
                record.cgroup.driver == .disabled
                    ? "container \"\(id)\" has no cgroup of its own"
                    : "the cgroup of container \"\(id)\" is gone")
        }
        return cgroup
    }
}

internal import Cgroups
package import OCI

extension Runtime {
    /// OCI `state`.
    package func state(_ id: String) throws(Failure) -> State {
        let container = try find(id)
        let cgroups = try openCgroups()
        let status = container.statusOfProcess()
        // One that has stopped needs no cgroup to say so.
        let cgroup =
            status == .stopped
            ? (try? container.cgroup(on: cgroups)) ?? nil : try container.cgroup(on: cgroups)
        var state = container.state(try status.refined(by: cgroup))
        state.oomKills = container.oomKills(in: cgroup)
        return state
    }

    /// The state of every container, sorted by id.
    ///
    /// Damaged ones are warned of.
    package func list() throws(Failure) -> [State] {
        guard let store = try storeForList() else { return [] }
        let ids = try store.ids()
        let cgroups = try openCgroups()
        var states: [State] = []
        for id in ids {
            do throws(Failure) {
                let container = try find(id)
                states.append(container.state(try container.status(cgroups)))
            } catch {
                // Removed since the directory was read: no container of the list any more.
                if store.exists(id) { settings.warn(error.message) }
            }
        }
        return states
    }

    /// Finds the cgroup2 mount.
    ///
    /// That there is none is no error here.
    func openCgroups() throws(Failure) -> CgroupHost {
        do throws(CgroupFailure) {
            return try CgroupHost()
        } catch {
            throw Failure(error)
        }
    }
}

extension Container {
    /// memory.events of its cgroup, as long as that is there; nil for none.
    fileprivate func oomKills(in cgroup: borrowing Cgroup?) -> Int64? {
        switch cgroup {
        case .some(let cgroup):
            guard let events = try? cgroup.memoryEvents(), events.oomKill > 0 else { return nil }
            return Int64(clamping: events.oomKill)
        case .none: return nil
        }
    }

    /// What `state` prints, and what hooks are told.
    ///
    /// - Parameter pid: of a process that the record does not name yet.
    func state(_ status: Status, pid: Int32? = nil) -> State {
        var state = State()
        state.ociVersion = record.ociVersion
        state.id = record.id
        state.status = status
        state.pid = status == .stopped ? 0 : pid ?? record.process.pid
        state.bundle = record.bundle
        state.rootfs = record.rootfs
        state.created = record.created
        state.annotations = record.annotations
        state.owner = record.owner
        return state
    }
}

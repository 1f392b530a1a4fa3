internal import Cgroups
package import OCI

extension Runtime {
    /// OCI `state`.
    package func state(_ id: String) throws(Failure) -> State {
        let container = try find(id)
        let cgroups = try openCgroups()
        var state = container.state(try container.status(cgroups))
        state.oomKills = container.oomKills(cgroups)
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
    fileprivate func oomKills(_ cgroups: borrowing CgroupHost) -> Int64? {
        guard let cgroup = (try? Cgroup.open(record.cgroup, on: cgroups)) ?? nil,
            let events = try? cgroup.memoryEvents(), events.oomKill > 0
        else { return nil }
        return Int64(clamping: events.oomKill)
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

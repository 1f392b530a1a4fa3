internal import Cgroups
internal import OCI

extension Runtime {
    /// OCI `delete`: removes what `create` made.
    ///
    /// - Parameter force: also ends a container that is not stopped, repairs what a killed `create`
    ///   left and what a damaged record says too little about; one that does not exist is no error.
    package func delete(_ id: String, force: Bool) throws(Failure) {
        try ContainerID.validate(id)
        guard let store = try Store.open(root, creates: false) else {
            guard force else { throw Failure.unknown(id) }
            return
        }
        guard store.exists(id) else {
            guard force else { throw Failure.unknown(id) }
            IDLock.removeAbandoned(id, in: store)
            return
        }
        // What is meant is the container that is there now.
        let meant = try store.generation(of: id)
        let lock = try IDLock.take(id, in: store)
        guard let directory = try store.directory(of: id) else {
            // Somebody else deleted it while this one waited.
            lock.remove()
            guard force else { throw Failure.unknown(id) }
            return
        }
        let record: Record
        do throws(Failure) {
            record = try directory.readRecord()
        } catch {
            guard force else { throw error }
            record = directory.rebuildRecord()
        }
        guard meant == nil || record.generation.isEmpty || meant == record.generation else {
            // It was deleted, and another of its id made, while this one waited.
            guard force else { throw Failure.unknown(id) }
            return
        }
        let container = Container(store: store, directory: directory, record: record)
        let cgroups = try openCgroups()
        if !force {
            let status = try container.status(cgroups)
            try container.require(.delete, in: status)
        }
        try remove(container, on: cgroups)
        lock.remove()
    }

    /// Ends and removes a container whose lock is held.
    ///
    /// The state goes last: as long as anything is
    /// left, it can be found.
    func remove(
        _ container: borrowing Container, on cgroups: borrowing CgroupHost
    ) throws(Failure) {
        // What traces a process must see its end, or it never ends.
        if let tracer = container.directory.pageServer { try Cleanup.end(tracer) }
        try Cleanup.destroy(container.record, on: cgroups)
        // OCI: a poststop hook that fails is a warning, and the rest goes on.
        let hooks = Hook.list(
            container.record.poststop, "poststop", inherited: settings.environment)
        for hook in hooks {
            do throws(Failure) {
                try hook.run(container.state(.stopped))
            } catch {
                settings.warn(error.message)
            }
        }
        try container.store.remove(container.directory)
    }
}

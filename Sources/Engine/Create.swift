internal import Cgroups
internal import Linux
internal import OCI
internal import Plan

extension Runtime {
    /// OCI `create`: everything up to the container's program, which waits for `start`.
    package func create(_ request: CreateRequest) throws(Failure) {
        _ = try make(request)
    }

    /// Makes a container, or leaves nothing of it.
    ///
    /// - Parameter restoring: where its processes come from, when they do not begin.
    func make(
        _ request: CreateRequest, restoring: RestoreRequest? = nil
    ) throws(Failure) -> NewContainer {
        try ContainerID.validate(request.id)
        try HostProbe.requireCalls()
        let store = try makeStore()
        guard !store.exists(request.id) else { throw Failure.duplicate(request.id) }
        let preparation = try prepare(request)
        for warning in preparation.spec.warnings + preparation.plan.warnings {
            settings.warn(warning.description)
        }
        trace(preparation.plan)

        let record = try intent(request, preparation)
        let lock = try IDLock.take(request.id, in: store)
        let directory: ContainerDirectory
        do throws(Failure) {
            directory = try store.makeDirectory(of: request.id)
        } catch {
            lock.remove()
            throw error
        }
        var container = Container(store: store, directory: directory, record: record)
        do throws(Failure) {
            try container.directory.writeIntent(container.record)
            try container.directory.writeConfig(preparation.config)
            if settings.notifySocket != nil { try container.directory.makeNotifyDirectory() }
            let process: ProcessHandle
            let master: FileDescriptor?
            if var restoring {
                restoring.create = request
                var revival = Revival(self, restoring)
                process = try revival.bear(&container, preparation)
                master = revival.takeMaster()
            } else {
                var birth = Birth(self, request, preparation.plan)
                process = try birth.bear(&container, preparation)
                master = birth.takeMaster()
            }
            return NewContainer(
                locked: LockedContainer(lock: lock, container: container), process: process,
                master: master)
        } catch {
            var failure = error
            undo(container, preparation.cgroups, &failure)
            if let pidFile = request.pidFile { PidFile.remove(pidFile) }
            lock.remove()
            throw failure
        }
    }

    /// The record of what is about to be made.
    private func intent(
        _ request: CreateRequest, _ preparation: borrowing Preparation
    ) throws(Failure) -> Record {
        var record = Record(id: request.id)
        do throws(Errno) {
            var number: UInt64 = 0
            for byte in try randomBytes(8) { number = number << 8 | UInt64(byte) }
            record.generation = String(number, radix: 16)
        } catch {
            throw Failure("make a generation number", error)
        }
        record.cgroup = preparation.place
        record.cgroup.stamp = request.id + " " + record.generation
        if let resctrl = preparation.plan.resctrl {
            record.resctrl = try Resctrl.required().place(of: resctrl, id: request.id)
        }
        if preparation.plan.bindsRootOnHost {
            record.coveredMount = try MountIdentity(at: preparation.rootfs)
        }
        record.sharesPIDNamespace = preparation.spec.sharesPIDNamespace
        record.ociVersion = preparation.spec.ociVersion
        record.bundle = preparation.bundle.path
        record.rootfs = preparation.rootfs
        record.created = Timestamp.now().rfc3339Nano
        let uid = CurrentProcess.uid
        record.owner = Users.name(uid: uid) ?? "\(uid)"
        record.annotations = preparation.spec.annotations
        record.poststart = preparation.spec.hooks?.poststart ?? []
        record.poststop = preparation.spec.hooks?.poststop ?? []
        let names = StepNames(afterGateOf: preparation.plan)
        record.firstStep = Int32(names.first)
        record.stepNames = names.words
        return record
    }

    /// Takes back what a failed `create` made, by the code that also deletes.
    ///
    /// What goes wrong with that is told beside the failure itself; `delete --force` can then be
    /// tried again.
    private func undo(
        _ container: borrowing Container, _ cgroups: borrowing CgroupHost,
        _ failure: inout Failure
    ) {
        do throws(Failure) {
            try remove(container, on: cgroups)
        } catch {
            failure.aftermath.append(error.message)
        }
    }
}

/// What `create` made and still holds.
struct NewContainer: ~Copyable {
    var locked: LockedContainer
    let process: ProcessHandle
    /// The terminal's other side, where no console socket got it.
    var master: FileDescriptor?
    /// Where it says that it is ready, once it is started.
    var notify: NotifySocket?
}

extension Spec {
    /// Whether the pid namespace is not made for the container.
    fileprivate var sharesPIDNamespace: Bool {
        for namespace in linux?.namespaces ?? [] where namespace.type == .pid {
            return namespace.path?.isEmpty == false
        }
        return true
    }
}

extension Failure {
    static func duplicate(_ id: String) -> Failure {
        Failure("container with given ID already exists: \"\(id)\"")
    }
}

internal import Cgroups
internal import Linux
internal import OCI

extension Runtime {
    /// Whether `checkpoint` and `restore` find the program that they need.
    package var hasCriu: Bool { CriuProgram.find(settings) != nil }

    /// `checkpoint`: saves the processes of a container to files, by the criu program.
    ///
    /// Afterwards the container is deleted, unless it was told to go on.
    package func checkpoint(_ request: CheckpointRequest) throws(Failure) {
        let locked = try findLocked(request.id)
        let cgroups = try openCgroups()
        let status = try locked.container.status(cgroups)
        try locked.container.require(.checkpoint, in: status)
        try dump(locked, request, cgroups)
        guard !request.leaveRunning && !request.isPreDump else { return }
        if request.criu.lazyPages {
            return try delete(request.id, generation: locked.container.record.generation)
        }
        try remove(locked.container, on: cgroups)
        locked.lock.remove()
    }

    private func dump(
        _ locked: borrowing LockedContainer, _ request: CheckpointRequest,
        _ cgroups: borrowing CgroupHost
    ) throws(Failure) {
        let config = try locked.container.directory.loadConfig()
        let spec: Spec
        do throws(ConfigError) {
            spec = try Spec.decode(config)
        } catch {
            throw Failure(error, in: Bundle.configName)
        }
        let directories = try CriuDirectories(
            imagePath: request.criu.imagePath, workPath: request.criu.workPath, creates: true)
        try directories.admitMappedRoot(spec)
        var options = request.options(annotations: spec.annotations)
        options.set(.process, Int64(locked.container.record.process.pid))
        options.set(.root, locked.container.record.rootfs)
        if let path = locked.container.freezerPath(on: cgroups) { options.set(.frozenCgroup, path) }
        if ProgramLaunch.find("iptables-restore", in: settings.searchPath) == nil {
            // CRIU's default runs that program; for the other way it needs none.
            options.set(.networkLock, Self.nftables)
        }
        if let parent = request.parentPath {
            try Self.checkParent(parent, of: directories)
            options.set(.parentImage, parent)
        }
        if !request.isPreDump {
            try locked.container.nameOutsideResources(spec, in: directories.image, &options)
        }
        if let mount = cgroups.loneMount {
            options.set(.cgroupYard, try locked.container.directory.makeYard(linkedTo: mount))
        }
        defer { locked.container.directory.removeMountPoints() }
        let program = try CriuProgram(directories, settings: settings)
        try program.perform(request.isPreDump ? .preDump : .dump, options) {
            (notification) throws(Failure) in
            guard notification.name == "status-ready" else { return }
            if request.criu.lazyPages {
                // It serves pages from now on, until all were asked for: that may be never.
                let server = try attempt("identify criu") { () throws(Errno) in
                    try ProcessIdentity(of: notification.criu)
                }
                try locked.container.directory.note(pageServer: server)
                locked.lock.open()
            }
            guard let number = request.statusHandle else { return }
            try attempt("write to --status-fd") { () throws(Errno) in
                try BorrowedHandle(number).writeAll([0])
            }
        }
    }

    /// CRIU_NETWORK_LOCK_METHOD of rpc.proto.
    private static let nftables: Int64 = 2

    /// CRIU reads a link in the image to find it, wherever the image is moved with it.
    private static func checkParent(
        _ path: String, of directories: borrowing CriuDirectories
    ) throws(Failure) {
        guard !path.hasPrefix("/") else {
            throw Failure("must be relative to the image: \"\(path)\"").at("--parent-path")
        }
        do throws(Errno) {
            _ = try directories.image.open(path, [.path, .directory])
        } catch {
            throw Failure("open the earlier image", error, path: directories.imagePath + "/" + path)
                .at("--parent-path")
        }
    }
}

extension CheckpointRequest {
    fileprivate func options(annotations: [String: String]) -> CriuOptions {
        var options = criu.options(annotations: annotations)
        options.set(.leaveRunning, leaveRunning || isPreDump)
        options.set(.skipsTCPInFlight, skipsTCPInFlight)
        options.set(.linkRemap, linkRemap)
        options.set(.tracksMemory, isPreDump || parentPath != nil)
        if let pageServer {
            options.setPageServer(address: pageServer.address, port: Int64(pageServer.port))
        }
        return options
    }
}

extension Container {
    /// The directory by which CRIU stops all processes at once; nil without a cgroup.
    fileprivate func freezerPath(on cgroups: borrowing CgroupHost) -> String? {
        guard record.cgroup.driver != .disabled, let mount = cgroups.facts.mountPoint else {
            return nil
        }
        return mount + record.cgroup.path
    }

    /// Tells CRIU what is not the container's own, and leaves the names of its stdio with the image.
    fileprivate func nameOutsideResources(
        _ spec: Spec, in image: borrowing FileDescriptor, _ options: inout CriuOptions
    ) throws(Failure) {
        let pid = record.process.pid
        do throws(Errno) {
            let root = try FileDescriptor.open("/proc/\(pid)/root", [.path, .directory])
            var known: Set<String> = []
            for mount in OutsideMount.list(spec, bundle: record.bundle) {
                guard let point = try mount.mountPoint(in: root), known.insert(point).inserted
                else { continue }
                options.set(.external, "mnt[\(point)]:\(mount.key)")
            }
            var names: [String] = []
            for number in 0..<3 {
                let name = try OutsideStdio.name(number, of: pid)
                if OutsideStdio.isLeftOut(name) { options.set(.external, name) }
                names.append(name)
            }
            let file = try image.open(
                OutsideStdio.fileName, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
            try file.writeAll(OutsideStdio.encode(names))
        } catch {
            throw Failure("look up what the container shares with the host", error)
        }
        for namespace in try OutsideNamespace.list(spec) {
            guard case .key(let key) = namespace.handling else { continue }
            let status = try attempt("open the namespace", path: namespace.path) {
                () throws(Errno) in
                try BorrowedHandle.workingDirectory.status("/proc/\(pid)/ns/\(namespace.type)")
            }
            options.set(.external, "\(namespace.type)[\(status.inode)]:\(key)")
        }
    }
}

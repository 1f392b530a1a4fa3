internal import Cgroups
internal import Linux
internal import OCI
internal import Plan

extension Runtime {
    /// `restore`: makes a container whose processes come from a checkpoint, by the criu program.
    ///
    /// It runs at once: there is no `start`.
    ///
    /// - Returns: the process's exit code, 128 + the signal that ended it, or 0 when detached.
    package func restore(_ request: RestoreRequest) throws(Failure) -> Int32 {
        guard !request.detach else {
            let container = try make(request.create, restoring: request)
            try runPoststart(container.locked.container)
            return 0
        }
        var request = request
        request.create.isForeground = true
        let foreground = try takeForeground(noSubreaper: request.noSubreaper)
        let container = try make(request.create, restoring: request)
        try runPoststart(container.locked.container)
        return try wait(for: container, in: foreground, keep: false)
    }
}

/// The return of a container's processes from a checkpoint: what `Birth` is for `create`.
struct Revival: ~Copyable {
    let runtime: Runtime
    let request: RestoreRequest
    private var cgroup: Cgroup?
    private var master: FileDescriptor?
    private var process: ProcessHandle?

    init(_ runtime: Runtime, _ request: RestoreRequest) {
        self.runtime = runtime
        self.request = request
    }

    /// The terminal's other side, where the foreground keeps it.
    mutating func takeMaster() -> FileDescriptor? {
        master.take()
    }

    /// Restores the processes into a new cgroup, the container committed before they go on.
    mutating func bear(
        _ container: inout Container, _ preparation: borrowing Preparation
    ) throws(Failure) -> ProcessHandle {
        let criu = request.criu
        let directories = try CriuDirectories(
            imagePath: criu.imagePath, workPath: criu.workPath, creates: false)
        var options = try options(preparation)
        let inheritance = try Inheritance(preparation.spec, directories.image, &options)
        var program = try CriuProgram(directories, settings: runtime.settings)
        program.handles = inheritance.handles
        program.usesOwnStdio = criu.shellJob

        cgroup = try cgroupFailing { () throws(CgroupFailure) in
            try Cgroup.create(
                container.record.cgroup, preparation.plan.cgroup,
                description: "apus container \(container.id)", on: preparation.cgroups)
        }
        if let handle = cgroup?.handle {
            options.setCgroupRoot(container.record.cgroup.path)
            // Nobody else would put the processes there.
            if criu.cgroupMode == .ignore { program.cgroup = BorrowedHandle(handle) }
        }
        try MountPoints.make(preparation.spec, in: preparation.rootfs)
        let root = try container.directory.makeRoot()
        options.set(.root, root)
        program.binds = [(preparation.rootfs, root)]
        if let mount = preparation.cgroups.loneMount {
            let yard = try container.directory.makeYard()
            options.set(.cgroupYard, yard.directory)
            program.binds.append((mount, yard.cgroups))
        }
        // criu mounts cgroup2 anew, which takes the host's options from it.
        let settings = CgroupMountSettings.current()
        do throws(Failure) {
            try program.perform(.restore, options) { (notification) throws(Failure) in
                try attend(notification, &container, preparation.plan)
            }
        } catch {
            try? settings?.restore()
            throw error
        }
        try cgroupFailing { () throws(CgroupFailure) in try settings?.restore() }
        container.directory.removeMountPoints()
        guard let process = process.take() else {
            throw Failure("criu did not say which process it restored")
        }
        return process
    }

    private func options(_ preparation: borrowing Preparation) throws(Failure) -> CriuOptions {
        var options = request.criu.options(annotations: preparation.spec.annotations)
        options.set(.restoresSibling)
        if let profile = request.lsmProfile { options.set(.lsmProfile, profile) }
        if let context = request.lsmMountContext { options.set(.lsmMountContext, context) }
        var known: Set<String> = []
        for mount in OutsideMount.list(preparation.spec, bundle: preparation.bundle.path)
        where known.insert(mount.key).inserted {
            options.set(.external, "mnt[\(mount.key)]:\(mount.source)")
        }
        return options
    }

    /// Does what is due at a step of the restore.
    private mutating func attend(
        _ notification: consuming CriuNotification, _ container: inout Container, _ plan: Plan
    ) throws(Failure) {
        switch notification.name {
        case "setup-namespaces":
            let state = container.state(.creating, pid: notification.pid)
            for hook in plan.hooks.createRuntime { try Hook(hook).run(state) }
        case "orphan-pts-master":
            try keepConsole(notification.handle.take())
        case "post-restore":
            guard let pid = notification.pid else { return }
            try commit(pid, &container)
        default: break
        }
    }

    private mutating func keepConsole(_ handle: consuming FileDescriptor?) throws(Failure) {
        guard let handle else { throw Failure("criu sent no terminal").at("process.terminal") }
        guard let socket = request.create.consoleSocket else {
            master = consume handle
            return
        }
        try HandleSocket.send(
            handle, payload: Array("/dev/ptmx".utf8), to: socket, origin: "--console-socket")
    }

    /// All processes are there and stopped: from here on the container exists.
    private mutating func commit(_ pid: Int32, _ container: inout Container) throws(Failure) {
        try cgroupFailing { () throws(CgroupFailure) in try cgroup?.settle() }
        do throws(Errno) {
            process = try ProcessHandle(pid: pid)
            container.record.process = try ProcessIdentity(of: pid)
        } catch {
            throw Failure("identify process \(pid)", error)
        }
        try container.directory.commit(container.record)
        if let pidFile = request.create.pidFile { try PidFile.write(pid, to: pidFile) }
    }
}

/// The handles that take the place of what the image has no copy of: stdio, and namespaces by path.
private struct Inheritance: ~Copyable {
    private var network: FileDescriptor?
    private var pid: FileDescriptor?
    private(set) var handles: [BorrowedHandle] = []

    init(
        _ spec: Spec, _ image: borrowing FileDescriptor, _ options: inout CriuOptions
    ) throws(Failure) {
        try inheritStdio(spec, image, &options)
        for namespace in try OutsideNamespace.list(spec) {
            guard case .key(let key) = namespace.handling else {
                options.join(namespace.type, path: namespace.path)
                continue
            }
            let handle = try attempt("open the namespace", path: namespace.path) {
                () throws(Errno) in try FileDescriptor.open(namespace.path, .readOnly)
            }
            add(handle.borrowed, key, &options)
            if namespace.type == "net" { network = consume handle } else { pid = consume handle }
        }
    }

    private mutating func inheritStdio(
        _ spec: Spec, _ image: borrowing FileDescriptor, _ options: inout CriuOptions
    ) throws(Failure) {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try image.readFile(OutsideStdio.fileName, limit: 65536)
        } catch .enoent {
            return
        } catch {
            throw Failure("read the image", error, path: OutsideStdio.fileName)
        }
        let names = try OutsideStdio.decode(bytes).prefix(3)
        for (number, name) in names.enumerated()
        where OutsideStdio.isReplaceable(name) && names.firstIndex(of: name) == number {
            let handle = BorrowedHandle(Int32(number))
            if OutsideStdio.isLeftOut(name), let uid = spec.linux?.uidMappings.hostRoot,
                let gid = spec.linux?.gidMappings.hostRoot
            {
                // CRIU opens it anew as the root of the user namespace; `create`, too, gives it away.
                try attempt("give stdio to the container's root", path: handle.procPath) {
                    () throws(Errno) in try handle.setOwner(uid: uid, gid: gid)
                }
            }
            add(handle, name, &options)
        }
    }

    private mutating func add(
        _ handle: BorrowedHandle, _ key: String, _ options: inout CriuOptions
    ) {
        options.inherit(key, number: CriuProgram.firstHandle + handles.count)
        handles.append(handle)
    }
}

internal import Linux
internal import Plan

/// The handles that a plan asks for, opened in the order of their slots.
///
/// A class, because an array cannot own handles: they are closed with it.
final class Slots {
    private var numbers: [Int32] = []

    var handles: [BorrowedHandle] {
        var handles: [BorrowedHandle] = []
        for number in numbers { handles.append(BorrowedHandle(number)) }
        return handles
    }

    /// - Parameter container: the pidfd of the container's init, for `exec`.
    init(
        _ requests: [HandleRequest], container: BorrowedHandle? = nil
    ) throws(Failure) {
        for request in requests {
            let handle = try Slots.open(request, container)
            numbers.append(handle.release())
        }
    }

    deinit {
        for number in numbers { _ = FileDescriptor(owning: number) }
    }

    private static func open(
        _ request: HandleRequest, _ container: BorrowedHandle?
    ) throws(Failure) -> FileDescriptor {
        switch request.kind {
        case .namespace(let path, _):
            return try openNamespace(path, request.origin)
        case .process:
            guard let container else { throw Failure("no container to join").at(request.origin) }
            return try opening(request, "the container's init") { () throws(Errno) in
                try container.duplicate()
            }
        case .tree(let path, let isRecursive, let followsLink):
            return try opening(request, path) { () throws(Errno) in
                try openSource(path, followsLink: followsLink)
                    .cloneTree("", isRecursive: isRecursive)
            }
        case .mappedTree(let tree):
            return try openMapped(tree, request)
        }
    }

    private static func opening(
        _ request: HandleRequest, _ path: String, _ body: () throws(Errno) -> FileDescriptor
    ) throws(Failure) -> FileDescriptor {
        do throws(Errno) {
            return try body()
        } catch {
            throw Failure("open", error, path: path).at(request.origin)
        }
    }

    /// The init stage says the type when it joins, so that a wrong one is refused there.
    private static func openNamespace(
        _ path: String, _ origin: String
    ) throws(Failure) -> FileDescriptor {
        do throws(Errno) {
            let handle = try FileDescriptor.open(path, [.readOnly, .nonBlocking])
            guard try handle.fileSystem() == .namespaces else { throw .einval }
            return handle
        } catch {
            var failure = Failure("open the namespace", error, path: path).at(origin + ".path")
            if error == .einval { failure.hint = "it is no namespace" }
            throw failure
        }
    }

    private static func openSource(
        _ path: String, followsLink: Bool
    ) throws(Errno) -> FileDescriptor {
        try FileDescriptor.open(path, followsLink ? .path : [.path, .noFollow])
    }

    /// A detached tree whose ids are mapped.
    private static func openMapped(
        _ tree: MappedTree, _ request: HandleRequest
    ) throws(Failure) -> FileDescriptor {
        let mount = try opening(request, tree.path) { () throws(Errno) in
            try openSource(tree.path, followsLink: true)
                .cloneTree("", isRecursive: tree.isRecursive)
        }
        try map(mount, as: tree, request.origin)
        return mount
    }

    /// Maps the ids of a detached tree, mount_setattr(2).
    static func map(
        _ mount: borrowing FileDescriptor, as tree: MappedTree, _ origin: String
    ) throws(Failure) {
        let namespace: FileDescriptor
        if let path = tree.namespace {
            namespace = try openNamespace(path, origin)
        } else {
            namespace = try userNamespace(tree, origin)
        }
        do throws(Errno) {
            try mount.setMountAttributes(
                set: .idMapped, isRecursive: tree.mapsRecursively,
                userNamespace: namespace.borrowed)
        } catch {
            var failure = Failure("map the ids of a mount", error, path: tree.path)
            failure.hint = "the file system must support it, on Linux 5.12 or newer"
            throw failure.at(origin)
        }
    }

    /// A user namespace with these maps: that of an init stage which waits for them, and for nothing else.
    private static func userNamespace(
        _ tree: MappedTree, _ origin: String
    ) throws(Failure) -> FileDescriptor {
        var plan = Plan()
        plan.steps = [Step(origin, .await(.mapIDs))]
        var launch = Launch(plan: try plan.encoded(seccomp: []))
        launch.newNamespaces = .user
        let process = try launch.start()
        do throws(Failure) {
            let path = "/proc/\(process.pid)"
            let directory = try attempt("open a process", path: path) { () throws(Errno) in
                try FileDescriptor.open(path, [.path, .directory])
            }
            try IDMaps.write(uids: tree.uids, gids: tree.gids, of: directory)
            let namespace = try attempt("open a user namespace", path: path + "/ns/user") {
                () throws(Errno) in try directory.open("ns/user", .readOnly)
            }
            process.destroy()
            return namespace
        } catch {
            process.destroy()
            throw error.at(origin)
        }
    }
}

extension Launch {
    /// Starts the init stage with these handles, which live until it has its copies.
    func start(_ slots: Slots) throws(Failure) -> InitProcess {
        var launch = self
        launch.slots = slots.handles
        return try withExtendedLifetime(slots) { () throws(Failure) in try launch.start() }
    }
}

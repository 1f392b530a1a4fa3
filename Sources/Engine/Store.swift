internal import Linux

/// The root: one directory a container, reached through a handle that is opened once.
///
///     ROOT/ID/record    what is remembered (Record), replaced atomically
///     ROOT/ID/cgroup    a symbolic link whose text names the cgroup: survives a damaged record
///     ROOT/ID/init      a symbolic link whose text names the init process, likewise
///     ROOT/ID/config    config.json as `create` read it
///     ROOT/ID/gate      FIFO: a created init waits at its read end; renamed by `start`
///     ROOT/ID/report    FIFO: where init tells `start` why it could not execute the program
///     ROOT/@locks/ID    the lock
struct Store: ~Copyable {
    let root: FileDescriptor
    let path: String

    /// Opens the root; nil where it is missing and `creates` is false.
    ///
    /// The directory is 0700: a container's configuration and its gate are nobody else's matter.
    static func open(_ path: String, creates: Bool) throws(Failure) -> Store? {
        let flags: OpenFlags = [.path, .directory]
        do {
            return Store(root: try FileDescriptor.open(path, flags), path: path)
        } catch Errno.ENOENT where !creates {
            return nil
        } catch Errno.ENOENT {
            try makeParents(of: path)
            return try attempt("open the root", path: path) { () throws(Errno) in
                Store(root: try FileDescriptor.open(path, flags), path: path)
            }
        } catch {
            throw Failure("open the root", error, path: path)
        }
    }

    /// The ids of all containers, sorted.
    func ids() throws(Failure) -> [String] {
        let names = try attempt("list the root", path: path) { () throws(Errno) in
            try root.entries()
        }
        var ids: [String] = []
        for name in names where ContainerID.isValid(name) { ids.append(name) }
        return ids.sorted()
    }

    /// The directory of a container; nil where there is none.
    func directory(of id: String) throws(Failure) -> ContainerDirectory? {
        do {
            let handle = try root.openAt(id, [.readOnly, .directory, .noFollow])
            return ContainerDirectory(id: id, path: path + "/" + id, handle: handle)
        } catch Errno.ENOENT {
            return nil
        } catch {
            throw Failure("open container \"\(id)\"", error, path: path + "/" + id)
        }
    }

    /// Makes the directory of a new container.
    func makeDirectory(of id: String) throws(Failure) -> ContainerDirectory {
        do {
            try root.makeDirectoryAt(id, mode: 0o700)
        } catch Errno.EEXIST {
            throw Failure("container with given ID already exists: \"\(id)\"")
        } catch {
            throw Failure("make the state directory", error, path: path + "/" + id)
        }
        guard let made = try directory(of: id) else { throw Failure.unknown(id) }
        return made
    }

    /// Removes what is left of the directory, the record last. Missing files are no error.
    func remove(_ directory: consuming ContainerDirectory) throws(Failure) {
        let id = directory.id
        do {
            var names = try directory.handle.entries()
            names.removeAll { $0 == ContainerDirectory.recordName }
            names.append(ContainerDirectory.recordName)
            for name in names {
                do { try directory.handle.unlinkAt(name) } catch Errno.ENOENT {}
            }
            do { try root.removeDirectoryAt(id) } catch Errno.ENOENT {}
        } catch {
            throw Failure("remove the state directory", error, path: path + "/" + id)
        }
    }

    /// mkdir -p with mode 0700 for the directories that are missing.
    private static func makeParents(of path: String) throws(Failure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            do {
                try FileDescriptor.makeDirectory(made, mode: 0o700)
            } catch Errno.EEXIST {
            } catch {
                throw Failure("make the root", error, path: made)
            }
        }
    }
}

internal import Linux

/// The root: one directory a container, reached through a handle that is opened once.
///
///     ROOT/ID/record    what is remembered (Record), replaced atomically
///     ROOT/ID/cgroup    a symbolic link whose text names the cgroup: survives a damaged record
///     ROOT/ID/init      a symbolic link whose text names the init process, likewise
///     ROOT/ID/config    config.json as `create` read it
///     ROOT/ID/gate      FIFO: a created init waits at its read end; renamed by `start`
///     ROOT/ID/report    FIFO: where init tells `start` why it could not execute the program
///     ROOT/ID/notify    the container's /run/notify, see NotifySocket
///     ROOT/ID/root      an empty directory, during a restore
///     ROOT/@locks/ID    the lock
struct Store: ~Copyable {
    let root: FileDescriptor
    let path: String

    /// Opens the root; nil where it is missing and `creates` is false.
    ///
    /// A new one is 0700: a container's configuration and its gate are nobody else's matter. An ordinary
    /// user's is sticky, too, so that what tidies $XDG_RUNTIME_DIR leaves it (XDG Base Directory).
    static func open(_ path: String, creates: Bool) throws(Failure) -> Store? {
        do throws(Errno) {
            let host = BorrowedHandle.workingDirectory
            do throws(Errno) {
                return try Store(root: host.open(path, .directory), of: path)
            } catch .enoent {
                guard creates else { return nil }
                let sticky: UInt32 = CurrentProcess.effectiveUID == 0 ? 0 : 0o1000
                try host.makeDirectories(path, mode: 0o700 | sticky)
                return try Store(root: host.open(path, .directory), of: path)
            }
        } catch {
            throw Failure("open the root directory of containers", error, path: path)
        }
    }

    /// What an ordinary user is told of containers must not be another's words: the directory may be
    /// in /tmp, where anyone could have made it.
    private init(root: consuming FileDescriptor, of path: String) throws(Errno) {
        let user = CurrentProcess.effectiveUID
        if user != 0 {
            guard try root.status().uid == user else { throw .eperm }
        }
        self.root = root
        self.path = path
    }

    /// The ids of all containers, sorted.
    func ids() throws(Failure) -> [String] {
        var ids: [String] = []
        do throws(Errno) {
            for entry in try root.entries() where ContainerID.isValid(entry.name) {
                ids.append(entry.name)
            }
        } catch {
            throw Failure("list the containers", error, path: path)
        }
        return ids.sorted()
    }

    /// The directory of a container; nil where there is none.
    func directory(of id: String) throws(Failure) -> ContainerDirectory? {
        do throws(Errno) {
            let handle = try root.open(id, [.directory, .noFollow])
            return ContainerDirectory(id: id, path: path + "/" + id, handle: handle)
        } catch .enoent {
            return nil
        } catch {
            throw Failure("open container \"\(id)\"", error, path: path + "/" + id)
        }
    }

    /// Whether the container has a directory: cheap, and without a lock a mere hint.
    func exists(_ id: String) -> Bool { root.canAccess(id) }

    /// The generation of the container that has the id now; nil where that cannot be told.
    func generation(of id: String) throws(Failure) -> String? {
        guard let directory = try directory(of: id) else { return nil }
        return (try? directory.readRecord())?.generation
    }

    /// Makes the directory of a new container.
    func makeDirectory(of id: String) throws(Failure) -> ContainerDirectory {
        do throws(Errno) {
            try root.makeDirectory(id, mode: 0o700)
        } catch .eexist {
            throw Failure("container with given ID already exists: \"\(id)\"")
        } catch {
            throw Failure("make the state directory", error, path: path + "/" + id)
        }
        do throws(Failure) {
            if let made = try directory(of: id) { return made }
        } catch {
            // A directory that nobody can reach would keep the id for ever.
            try? root.removeDirectory(id)
            throw error
        }
        throw Failure.unknown(id)
    }

    /// Removes what is left of the directory, the record last.
    ///
    /// Missing files are no error.
    func remove(_ directory: borrowing ContainerDirectory) throws(Failure) {
        do throws(Errno) {
            for entry in try directory.handle.entries()
            where entry.name != ContainerDirectory.recordName {
                try directory.handle.removeTree(entry.name)
            }
            try directory.handle.removeTree(ContainerDirectory.recordName)
            do throws(Errno) { try root.removeDirectory(directory.id) } catch .enoent {}
        } catch {
            throw Failure("remove the state directory", error, path: directory.path)
        }
    }
}

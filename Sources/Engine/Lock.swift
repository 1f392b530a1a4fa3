internal import Linux

/// The lock of a container's id: held by every verb that changes the container.
///
/// A file in a directory of its own, so that removing the container's directory never removes
/// the lock that protects the removal. It ends with its holder, however that ends (an open file
/// description lock, fcntl(2)).
struct IDLock: ~Copyable {
    private let file: FileDescriptor
    private let directory: FileDescriptor
    private let id: String

    /// The directory of the locks below the root; '@' is no letter of an id.
    static let directoryName = "@locks"
    /// How long another verb may take before this one gives up, milliseconds.
    static let patience = 10_000

    private init(file: consuming FileDescriptor, directory: consuming FileDescriptor, id: String) {
        self.file = file
        self.directory = directory
        self.id = id
    }

    /// Takes the lock of `id`; waits at most `patience` milliseconds for another holder.
    static func take(
        _ id: String, in store: borrowing Store, patience: Int = IDLock.patience
    ) throws(Failure) -> IDLock {
        var waited = 0
        while true {
            do throws(Errno) {
                let directory = try openDirectory(in: store)
                let file = try directory.open(id, [.readWrite, .create, .noFollow], mode: 0o600)
                // The last holder may have removed the file between the two calls.
                let isTaken = try file.tryLock()
                let isGone = try file.status().links == 0
                if isTaken && !isGone { return IDLock(file: file, directory: directory, id: id) }
            } catch .enoent where waited < patience {
                // The last lock's holder removed the directory between the two calls.
            } catch {
                // What the failed call may have made goes; a lock that is held stays.
                removeAbandoned(id, in: store)
                throw Failure("lock container \"\(id)\"", error, path: store.path)
            }
            guard waited < patience else {
                throw Failure("container \"\(id)\" is busy: another operation on it has not ended")
            }
            MonotonicClock.sleep(nanoseconds: 2_000_000)
            waited += 2
        }
    }

    /// Lets others in before this value ends.
    func open() {
        // Where that fails the lock is held until then.
        try? file.unlock()
    }

    /// Removes the lock's file, for the holder that removed the container.
    consuming func remove() {
        // A file that stays is an empty one that the next container of this id uses.
        try? directory.unlink(id)
        // Fails as long as others are in it.
        try? directory.removeDirectory("../" + Self.directoryName)
    }

    /// Removes the lock's file of a `create` that failed or was killed before it made anything
    /// else.
    static func removeAbandoned(_ id: String, in store: borrowing Store) {
        do throws(Errno) {
            let directory = try store.root.open(directoryName, [.path, .directory, .noFollow])
            let file = try directory.open(id, [.readWrite, .noFollow])
            guard try file.tryLock() else { return }
            IDLock(file: file, directory: directory, id: id).remove()
        } catch {
            // There is none; or the directory alone, which goes with the last lock.
            try? store.root.removeDirectory(directoryName)
        }
    }

    /// Whether somebody holds the lock of `id`.
    static func isHeld(_ id: String, in store: borrowing Store) -> Bool {
        do throws(Errno) {
            let directory = try store.root.open(directoryName, [.path, .directory, .noFollow])
            let file = try directory.open(id, [.readWrite, .noFollow])
            return try !file.tryLock()
        } catch {
            return false
        }
    }

    private static func openDirectory(in store: borrowing Store) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try store.root.open(directoryName, [.path, .directory, .noFollow])
        } catch .enoent {
            do throws(Errno) {
                try store.root.makeDirectory(directoryName, mode: 0o700)
            } catch .eexist {
            }
            return try store.root.open(directoryName, [.path, .directory, .noFollow])
        }
    }
}

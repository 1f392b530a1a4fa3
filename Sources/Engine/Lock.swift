internal import Linux

/// The lock of a container's id: held by every verb that changes the container.
///
/// A file in a directory of its own, so that removing the container's directory never removes
/// the lock that protects the removal. It ends with its holder, however that ends (an open file
/// description lock, fcntl(2)).
struct Lock: ~Copyable {
    private let file: FileDescriptor
    private let directory: FileDescriptor
    private let id: String

    /// The directory of the locks below the root; '@' is no letter of an id.
    static let directoryName = "@locks"
    /// How long another verb may take before this one gives up, milliseconds.
    static let patience = 10_000
    private static let interval = 5

    /// Takes the lock of `id`; waits at most `patience` milliseconds for another holder.
    init(of id: String, in store: borrowing Store, patience: Int = Lock.patience) throws(Failure) {
        let operation = "lock container \"\(id)\""
        do {
            directory = try Self.openDirectory(in: store)
            var waited = 0
            while true {
                let candidate = try directory.openAt(
                    id, [.readWrite, .create, .noFollow], mode: 0o600)
                if try candidate.tryLock() {
                    // The last holder may have removed the file between the two calls.
                    if try candidate.status().linkCount > 0 {
                        file = candidate
                        self.id = id
                        return
                    }
                    continue
                }
                guard waited < patience else { throw Errno.EWOULDBLOCK }
                Clock.sleep(milliseconds: Self.interval)
                waited += Self.interval
            }
        } catch Errno.EWOULDBLOCK {
            throw Failure("container \"\(id)\" is busy: another operation on it has not ended")
        } catch {
            throw Failure(operation, error, path: store.path)
        }
    }

    /// Removes the lock's file, for the holder that removed the container.
    consuming func remove() {
        try? directory.unlinkAt(id)
    }

    /// Whether somebody holds the lock of `id`.
    static func isHeld(_ id: String, in store: borrowing Store) -> Bool {
        do {
            let directory = try store.root.openAt(directoryName, [.path, .directory, .noFollow])
            let file = try directory.openAt(id, [.readWrite, .noFollow])
            return try !file.tryLock()
        } catch {
            return false
        }
    }

    private static func openDirectory(
        in store: borrowing Store
    ) throws(Errno) -> FileDescriptor {
        do {
            return try store.root.openAt(directoryName, [.path, .directory, .noFollow])
        } catch Errno.ENOENT {
            do { try store.root.makeDirectoryAt(directoryName, mode: 0o700) } catch Errno.EEXIST {}
            return try store.root.openAt(directoryName, [.path, .directory, .noFollow])
        }
    }
}

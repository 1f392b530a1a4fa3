internal import Cgroups
internal import Linux

/// The container runtime: the settings of one call, and its verbs.
///
/// The verbs are methods, each in the file of its name: create, start, run, exec, state, list,
/// kill, delete, pause, resume, processes, update, explain. All throw `Failure`.
package struct Runtime {
    package let settings: Settings
    /// The directory that holds the containers' state, see `Store`.
    package let root: String
    /// Whether `root` was chosen by the user: a missing one is then an error of `list`.
    private let isRootGiven: Bool

    static let systemRoot = "/run/apus"

    /// Chooses the root directory; nothing is opened or made yet.
    package init(_ settings: Settings) throws(Failure) {
        self.settings = settings
        isRootGiven = settings.root != nil
        let inUserNamespace = !isRootGiven && (try? isInUserNamespace()) == true
        root = try Self.chooseRoot(
            settings, effectiveUser: CurrentProcess.effectiveUID, inUserNamespace: inUserNamespace)
    }

    /// The given root, or the one of the system, or the user's own.
    ///
    /// Root of a user namespace has the user's own: podman calls its runtime so, with no $USER.
    /// Where $USER is root, the namespace is a whole machine's and has a /run of its own. A user
    /// without a directory of the session (a login by su, a machine without systemd) has one in /tmp.
    static func chooseRoot(
        _ settings: Settings, effectiveUser: UInt32, inUserNamespace: Bool = false
    ) throws(Failure) -> String {
        if let root = settings.root {
            guard !root.utf8.allSatisfy({ $0 == UInt8(ascii: "/") }) else {
                throw Failure("--root \"\(root)\" cannot hold the state of containers")
            }
            return root.hasPrefix("/") ? root : settings.workingDirectory + "/" + root
        }
        let isRootless =
            settings.isRootless
            ?? (effectiveUser != 0 || inUserNamespace && settings.userName != "root")
        if isRootless, let directory = settings.runtimeDirectory, !directory.isEmpty {
            return directory + "/apus"
        }
        return effectiveUser == 0 ? systemRoot : "/tmp/apus-\(effectiveUser)"
    }

    /// Opens the root for a verb that makes a container.
    func makeStore() throws(Failure) -> Store {
        guard let store = try Store.open(root, creates: true) else {
            throw Failure("open the root directory of containers", .enoent, path: root)
        }
        return store
    }

    /// Opens the root for `list`: nil where no container was ever made.
    func storeForList() throws(Failure) -> Store? {
        if let store = try Store.open(root, creates: false) { return store }
        guard !isRootGiven else {
            throw Failure("open the root directory of containers", .enoent, path: root)
        }
        return nil
    }

    /// Finds a container for a verb that does not change it.
    func find(_ id: String) throws(Failure) -> Container {
        try ContainerID.validate(id)
        guard let store = try Store.open(root, creates: false),
            let directory = try store.directory(of: id)
        else { throw Failure.unknown(id) }
        let record: Record
        do throws(Failure) {
            record = try directory.readRecord()
        } catch {
            // It is being made or removed at this moment: not yet, or no longer, a container.
            guard store.exists(id), !IDLock.isHeld(id, in: store) else {
                throw Failure.unknown(id)
            }
            throw error
        }
        return Container(store: store, directory: directory, record: record)
    }

    /// Finds a container for a verb that changes it, and keeps others from doing the same.
    func findLocked(_ id: String) throws(Failure) -> LockedContainer {
        try ContainerID.validate(id)
        guard let store = try Store.open(root, creates: false), store.exists(id) else {
            throw Failure.unknown(id)
        }
        let lock = try IDLock.take(id, in: store)
        // Only what is read after the lock was taken is this container: another one of the same
        // id may have come and gone meanwhile.
        guard let directory = try store.directory(of: id) else {
            lock.remove()
            throw Failure.unknown(id)
        }
        let record = try directory.readRecord()
        let container = Container(store: store, directory: directory, record: record)
        return LockedContainer(lock: lock, container: container)
    }
}

/// A container as it was found.
struct Container: ~Copyable {
    let store: Store
    let directory: ContainerDirectory
    var record: Record

    var id: String { record.id }

    /// Refuses what the status forbids.
    func require(_ transition: Transition, in status: Status) throws(Failure) {
        guard let text = refusal(of: transition, in: status) else { return }
        throw Failure(text).at("container \"\(id)\"")
    }
}

/// A container and its lock.
struct LockedContainer: ~Copyable {
    let lock: IDLock
    var container: Container

    /// Lets other verbs at the container.
    consuming func release() {}
}

internal import Linux

/// Makes a cgroup and what is missing above it, by handles, and enables every controller on the
/// way: a limit needs its controller enabled in every cgroup above.
struct CgroupMaker: ~Copyable {
    let directory: FileDescriptor
    /// Whether the last directory was made, not found.
    let isNew: Bool
    /// Controllers that will be missing, with the reason; an error only if a limit needs one.
    let blocked: [BlockedController]

    init(_ place: CgroupPlace, on host: borrowing CgroupHost) throws(CgroupFailure) {
        let parts = try CgroupPlace.components(of: place.path)
        var attempt = 0
        while true {
            do throws(StepFailure) {
                self = try CgroupMaker(parts, on: host)
                return
            } catch {
                // A container that is being deleted may take its empty parent along.
                attempt += 1
                if error.errno == .enoent, attempt < 10 { continue }
                let path = CgroupPlace.join(error.parts)
                throw CgroupFailure(
                    error.operation, origin: "linux.cgroupsPath", error.errno, path: path,
                    hint: Self.hint(error.errno, at: path, host.facts))
            }
        }
    }

    private init(
        directory: consuming FileDescriptor, isNew: Bool, blocked: [BlockedController]
    ) {
        self.directory = directory
        self.isNew = isNew
        self.blocked = blocked
    }

    private struct StepFailure: Error {
        let operation: String
        let errno: Errno
        let parts: [String]
    }

    private init(_ parts: [String], on host: borrowing CgroupHost) throws(StepFailure) {
        var current: FileDescriptor
        do throws(Errno) {
            guard let root = try host.open(".") else { throw .enoent }
            current = root
        } catch {
            throw StepFailure(operation: "open the cgroup2 mount", errno: error, parts: [])
        }
        var blocked: [BlockedController] = []
        var made = 0
        for (index, name) in parts.enumerated() {
            let here = Array(parts.prefix(index))
            Self.enableControllers(in: current, at: here, blocked: &blocked)
            do throws(Errno) {
                let isNew = try Self.make(name, in: current)
                made = isNew ? made + 1 : 0
                current = try current.open(name, [.directory], resolve: beneath)
                if isNew, index < parts.count - 1 { try Stamp.markParent(current) }
            } catch {
                if made > 0 { Self.undo(current, parts: here, made: made) }
                throw StepFailure(
                    operation: "make the cgroup", errno: error, parts: Array(here + [name]))
            }
        }
        self.init(directory: current, isNew: made > 0, blocked: blocked)
    }

    /// - Returns: whether it was not there before.
    private static func make(
        _ name: String, in directory: borrowing FileDescriptor
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            try directory.makeDirectory(name, mode: 0o755)
            return true
        } catch .eexist {
            return false
        } catch {
            // Without the right to make one there may still be one to use.
            guard (try? directory.status(name, following: false)) != nil else { throw error }
            return false
        }
    }

    /// Removes the directories just made; `directory` is the last of them.
    private static func undo(
        _ directory: borrowing FileDescriptor, parts: [String], made: Int
    ) {
        guard var above = try? directory.open("..", [.directory]) else { return }
        for name in parts.suffix(made).reversed() {
            guard (try? above.removeDirectory(name)) != nil,
                let next = try? above.open("..", [.directory])
            else { return }
            above = next
        }
    }

    /// Enables for the children of a cgroup whatever it has itself.
    private static func enableControllers(
        in directory: borrowing FileDescriptor, at parts: [String],
        blocked: inout [BlockedController]
    ) {
        guard let available = try? directory.readCgroup("cgroup.controllers"),
            let enabled = try? directory.readCgroup("cgroup.subtree_control")
        else { return }
        let present = controllers(in: enabled)
        var missing: [String] = []
        for name in controllers(in: available) where !present.contains(name) {
            missing.append(name)
        }
        guard !missing.isEmpty else { return }
        var all = ""
        for name in missing { all += (all.isEmpty ? "+" : " +") + name }
        let path = CgroupPlace.join(parts)
        do throws(Errno) {
            return try directory.writeCgroup("cgroup.subtree_control", all)
        } catch .ebusy {
            // It has processes. One by one some controllers could be enabled, but those would make
            // it threaded, and what is below it unfit for a container.
            for name in missing {
                blocked.append(BlockedController(name: name, reason: reason(name, .ebusy, path)))
            }
            return
        } catch {
            // One write is all or nothing: each has its own.
        }
        for name in missing {
            do throws(Errno) {
                try directory.writeCgroup("cgroup.subtree_control", "+" + name)
            } catch {
                blocked.append(BlockedController(name: name, reason: reason(name, error, path)))
            }
        }
    }

    private static func reason(_ controller: String, _ error: Errno, _ path: String) -> String {
        let beginning = "the controller \(controller) cannot be enabled in \(path): \(error.name)"
        switch error {
        case .ebusy:
            return beginning + ", it has processes of its own; move them into a cgroup below it"
        case .eopnotsupp: return beginning + ", it is threaded"
        case .eacces, .eperm: return beginning + ", it is not delegated to this user"
        default: return beginning
        }
    }

    private static func hint(_ error: Errno, at path: String, _ facts: CgroupFacts) -> String {
        switch error {
        case .eacces, .eperm:
            guard facts.isRootless else { return "" }
            return "run in a cgroup of your own: systemd-run --user --scope -p Delegate=yes COMMAND"
        case .erofs: return "\(facts.mountPoint ?? "cgroup2") is mounted read-only"
        case .eagain: return "cgroup.max.descendants or cgroup.max.depth of a cgroup above \(path)"
        default: return ""
        }
    }
}

internal import Linux

/// A walk over a cgroup and all that are below it, with one open handle however deep they lie.
///
/// A container can nest cgroups deeper than a process may open files or a path may be long.
/// Nothing is renamed in cgroup2, so ".." leads back where the walk came from.
struct CgroupWalk: ~Copyable {
    private(set) var directory: FileDescriptor
    /// For each level the children that are still to be visited, and the name it was entered by.
    private var levels: [(name: String, pending: [String])]

    init(_ top: borrowing FileDescriptor) throws(Errno) {
        let start = try top.open(".", [.directory], resolve: beneath)
        levels = [(name: "", pending: try Self.children(of: start))]
        directory = start
    }

    /// Goes down to the next cgroup not yet visited, or up once.
    ///
    /// - Returns: `.entered` with `directory` there, `.left(name)` with `directory` its parent,
    ///   `.finished` with `directory` the top.
    mutating func next() throws(Errno) -> Step {
        while let name = levels[levels.count - 1].pending.popLast() {
            do throws(Errno) {
                directory = try directory.open(name, [.directory], resolve: beneath)
                levels.append((name: name, pending: try Self.children(of: directory)))
                return .entered
            } catch .enoent {
                // It was removed meanwhile, which is as good as visited.
                continue
            }
        }
        guard levels.count > 1 else { return .finished }
        directory = try directory.open("..", [.directory])
        return .left(levels.removeLast().name)
    }

    enum Step: Equatable {
        case entered
        case left(String)
        case finished
    }

    private static func children(of directory: borrowing FileDescriptor) throws(Errno) -> [String] {
        var names: [String] = []
        for entry in try directory.entries() where entry.type == .directory {
            names.append(entry.name)
        }
        return names
    }
}

internal import CLinux

/// What is executed.
package enum Executable {
    /// A program by path.
    case path(String)
    /// An open file, usually a sealed memory file (execveat(2) with AT_EMPTY_PATH).
    case image(BorrowedHandle)
}

/// A program to start in a process of its own: the init stage, a hook, a helper.
///
/// One clone3(2) (Linux 5.3) that shares memory with its parent until the program is executed, as
/// vfork(2) does: an error of the child, up to that of exec, is an error of `start`. The child begins with every signal at
/// its default and no signal blocked.
package struct ProgramLaunch {
    package var executable: Executable
    package var arguments: [String]
    /// "NAME=VALUE"; nothing else is in the program's environment.
    package var environment: [String] = []
    /// Handle i becomes number `firstHandle + i` of the program.
    package var handles: [BorrowedHandle]
    /// Numbers below are the program's as they are (if not close-on-exec); all others but `handles` are closed.
    package var firstHandle: UInt32 = 0
    package var newNamespaces: NamespaceTypes = []
    /// A cgroup2 directory to start in (CLONE_INTO_CGROUP, Linux 5.7).
    package var cgroup: BorrowedHandle?
    /// Whether the program leads a process group of its own.
    package var leadsGroup = false
    /// The signal that comes when the thread that started it ends; 0 none.
    package var deathSignal: Int32 = 0

    /// Where the program starts, if it is there; empty: where the caller is.
    package var directory = ""

    /// Trees that the program finds at `target` too, in the new mount namespace that it must have.
    package var binds: [(source: String, target: String)] = []

    /// The first executable file of that name in a PATH, "a:b:c"; empty parts of it name nothing.
    package static func find(_ name: String, in searchPath: String) -> String? {
        for directory in searchPath.split(separator: ":") {
            let path = directory + "/" + name
            if BorrowedHandle.workingDirectory.canAccess(path, mode: 1) { return path }
        }
        return nil
    }

    /// A program with stdin, stdout and stderr, and no other handle.
    package init(
        _ executable: Executable, arguments: [String], environment: [String] = [],
        handles: [BorrowedHandle] = [.standardInput, .standardOutput, .standardError]
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.handles = handles
    }

    /// Starts the program, and returns once it has been executed.
    ///
    /// Throws what clone3(2) or a step of the child failed with: ENOENT of exec, EAGAIN of a full pid
    /// controller, EPERM of a namespace.
    package func start() throws(Errno) -> ProcessHandle {
        var numbers: [Int32] = []
        for handle in handles { numbers.append(handle.raw) }
        var path = ""
        var image: Int32 = -1
        switch executable {
        case .path(let name): path = name
        case .image(let handle): image = handle.raw
        }
        var paths: [String] = []
        for bind in binds { paths += [bind.source, bind.target] }
        let trees = CStrings(paths)
        let places = CStrings([path, directory])
        let arguments = CStrings(arguments)
        let environment = CStrings(environment)
        var pid: Int32 = 0
        var pidfd: Int32 = -1
        let result = unsafe numbers.withUnsafeBufferPointer { numbers in
            unsafe places.withPointers { places in
                unsafe arguments.withPointers { arguments in
                    unsafe environment.withPointers { environment in
                        unsafe trees.withPointers { trees in
                            var launch = unsafe apus_launch(
                                namespaces: newNamespaces.rawValue, cgroup: cgroup?.raw ?? -1,
                                image: image, path: places?[0], arguments: arguments,
                                environment: environment, handles: numbers.baseAddress,
                                count: UInt32(numbers.count), base: firstHandle,
                                new_group: leadsGroup ? 1 : 0, death_signal: UInt32(deathSignal),
                                blocked: 0, directory: places?[1], binds: trees,
                                pid: 0, pidfd: -1)
                            let result = unsafe apus_launch(&launch)
                            unsafe pid = launch.pid
                            unsafe pidfd = launch.pidfd
                            return result
                        }
                    }
                }
            }
        }
        _ = try check(result)
        return ProcessHandle(pid: pid, owning: FileDescriptor(owning: pidfd))
    }
}

/// Strings in the form that execve(2) takes: NUL-terminated, with a list of pointers that ends in NULL.
private struct CStrings {
    private var bytes: [CChar] = []
    private var starts: [Int] = []

    init(_ strings: [String]) {
        for string in strings {
            starts.append(bytes.count)
            for byte in string.utf8 { bytes.append(CChar(bitPattern: byte)) }
            bytes.append(0)
        }
        // Never empty: an empty array has no address.
        bytes.append(0)
    }

    @unsafe func withPointers<Result>(
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
    ) -> Result {
        var bytes = bytes
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var pointers = unsafe [UnsafeMutablePointer<CChar>?]()
            for start in starts {
                unsafe pointers.append(buffer.baseAddress.map { unsafe $0 + start })
            }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
        }
    }
}

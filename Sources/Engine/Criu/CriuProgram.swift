internal import Linux
internal import OCI

/// A step that CRIU has reached, and for which it waits.
struct CriuNotification: ~Copyable {
    /// "setup-namespaces", "post-restore", ...
    let name: String
    /// The first process, where there is one by now.
    let pid: Int32?
    /// CRIU itself.
    let criu: Int32
    /// The terminal's other side, with "orphan-pts-master".
    var handle: FileDescriptor?
}

/// The criu program, started to serve one request over a socket (`criu swrk FD`).
///
///     runtime                                criu
///        | -- request: task, options ----------> |
///        | <-- notify: setup-namespaces, ... --- |   as often as steps are reached
///        | -- answer: go on, or give up -------> |
///        | <-- response: success, errno -------- |
struct CriuProgram: ~Copyable {
    /// The file of the program.
    let path: String
    let searchPath: String
    /// Where images are, and where the log is.
    let directories: CriuDirectories
    /// Handles for the program, from number `firstHandle` on.
    var handles: [BorrowedHandle] = []
    /// Its stdio is the runtime's: a process of the image may have the caller's terminal (--shell-job).
    var usesOwnStdio = false
    /// A cgroup2 directory to start it in.
    var cgroup: BorrowedHandle?
    /// Trees that the program finds at `target`, in a mount namespace of its own.
    var binds: [(source: String, target: String)] = []

    /// The number of the first of `handles`; the socket comes before it.
    static let firstHandle = 4
    private static let socketNumber = 3
    /// Larger than any response.
    private static let responseLimit = 65536
    private static let logLimit = 64 << 20

    init(_ directories: consuming CriuDirectories, settings: Settings) throws(Failure) {
        guard let path = Self.find(settings) else {
            var failure = Failure("the criu program is not installed")
            failure.hint = "it is looked for in \(settings.searchPath)"
            throw failure
        }
        self.path = path
        searchPath = settings.searchPath
        self.directories = directories
    }

    /// The file of the program; nil where it is not installed.
    static func find(_ settings: Settings) -> String? {
        ProgramLaunch.find("criu", in: settings.searchPath)
    }

    /// Has a task done.
    ///
    /// - Parameter attend: called at each step; what it throws makes CRIU give up, and is thrown.
    func perform(
        _ task: CriuTask, _ options: CriuOptions,
        attend: (consuming CriuNotification) throws(Failure) -> Void
    ) throws(Failure) {
        var options = options
        options.set(.logFile, task.name + ".log")
        options.set(.logLevel, 4)
        options.set(.notifies)
        options.set(.orphanTerminal)
        let output = try attempt("make a file for the output of criu") { () throws(Errno) in
            try FileDescriptor.memoryFile(name: "criu-output", isExecutable: false)
        }
        do throws(Errno) {
            // A log of an earlier task tells nothing about this one.
            do throws(Errno) { try directories.work.unlink(task.name + ".log") } catch .enoent {}
        } catch {
            throw Failure("remove an old log", error, path: directories.workPath)
        }
        let connection = try attempt("start criu", path: path) { () throws(Errno) in
            try start(output: output.borrowed)
        }
        defer { connection.end() }
        // CRIU finds the handles as /proc/PID/fd/N of the runtime, and mounts things in the work
        // directory: it must be one of CRIU's own mount namespace.
        let seen = try attempt("open the directories as criu sees them") { () throws(Errno) in
            try directories.seen(by: connection.process.pid)
        }
        options.set(.imageDirectory, Int64(seen.image.raw))
        options.set(.workDirectory, Int64(seen.work.raw))
        try send(CriuRequest.start(task, options), to: connection.socket)
        let response = try converse(task, connection, attend)
        guard let response, response.isSuccess else { throw failure(task, response, output) }
    }

    private func start(output: BorrowedHandle) throws(Errno) -> CriuConnection {
        let pair = try SocketPair(.sequencedPacket)
        // A second number: the pair's own, and the program's end, are closed with the pair.
        let socket = try pair.first.duplicate()
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        var stdio = [null.borrowed, output, output]
        if usesOwnStdio { stdio = [.standardInput, .standardOutput, .standardError] }
        var launch = ProgramLaunch(
            .path(path), arguments: ["criu", "swrk", "\(Self.socketNumber)"],
            environment: ["PATH=\(searchPath)"], handles: stdio + [pair.second.borrowed] + handles)
        launch.cgroup = cgroup
        if !binds.isEmpty {
            launch.newNamespaces = .mount
            launch.binds = binds
        }
        return CriuConnection(socket: socket, process: try launch.start())
    }

    /// Answers notifications until the response to the task; nil where CRIU ended without one.
    private func converse(
        _ task: CriuTask, _ connection: borrowing CriuConnection,
        _ attend: (consuming CriuNotification) throws(Failure) -> Void
    ) throws(Failure) -> CriuResponse? {
        while true {
            var message: ReceivedMessage
            do throws(Errno) {
                message = try connection.socket.receive(limit: Self.responseLimit)
            } catch .econnreset {
                return nil
            } catch {
                throw Failure("listen to criu", error)
            }
            guard !message.bytes.isEmpty else { return nil }
            let response: CriuResponse
            do throws(MalformedMessage) {
                response = try CriuResponse(message.bytes)
            } catch {
                throw Failure("criu sent what is no response")
            }
            guard response.task == .notify else { return response }
            do throws(Failure) {
                try attend(
                    CriuNotification(
                        name: response.notification, pid: response.pid,
                        criu: connection.process.pid,
                        handle: message.handle.take()))
            } catch {
                try? send(CriuRequest.answer(success: false), to: connection.socket)
                // It takes back what it did before it says that it failed.
                _ = try? connection.socket.receive(limit: Self.responseLimit)
                throw error
            }
            try send(CriuRequest.answer(success: true), to: connection.socket)
        }
    }

    private func send(
        _ request: [UInt8], to socket: borrowing FileDescriptor
    ) throws(Failure) {
        do throws(Errno) {
            guard try socket.send(request) == request.count else { throw .emsgsize }
        } catch .epipe {
            // It has ended; the reason is in its log.
        } catch {
            throw Failure("ask criu", error)
        }
    }

    /// Why the task failed: the first error of the log, which is kept.
    private func failure(
        _ task: CriuTask, _ response: CriuResponse?, _ output: borrowing FileDescriptor
    ) -> Failure {
        let name = task.name + ".log"
        let log = (try? directories.work.readFile(name, limit: Self.logLimit)) ?? []
        try? output.seek(to: 0)
        let written = (try? output.readAll(limit: Self.logLimit)) ?? []
        var reason = CriuLog.firstError(in: String(decoding: log, as: UTF8.self)) ?? ""
        if reason.isEmpty, let message = response?.message { reason = message }
        if reason.isEmpty {
            let text = String(decoding: written, as: UTF8.self)
            reason = CriuLog.firstError(in: text) ?? text
        }
        if reason.isEmpty {
            reason = response == nil ? "it ended without an answer" : "no reason given"
        }
        var failure = Failure("criu \(task.name) failed: \(reason)")
        if !log.isEmpty { failure.hint = "the whole log is \(directories.workPath)/\(name)" }
        return failure
    }
}

/// The program as it runs, and the socket to it.
private struct CriuConnection: ~Copyable {
    let socket: FileDescriptor
    let process: ProcessHandle

    /// The end of the connection is that of the program: after a pre-dump it waits for more requests.
    func end() {
        try? socket.shutdownSending()
        _ = try? process.wait()
    }
}

/// The directories of a checkpoint, opened.
struct CriuDirectories: ~Copyable {
    let image: FileDescriptor
    let imagePath: String
    /// The log and statistics go here.
    let work: FileDescriptor
    let workPath: String

    /// - Parameters:
    ///   - imagePath: absolute.
    ///   - workPath: absolute; nil is the image's directory.
    ///   - creates: whether missing ones are made.
    init(imagePath: String, workPath: String?, creates: Bool) throws(Failure) {
        let image = try Self.open(imagePath, "--image-path", creates: creates)
        // The log of a failed restore is wanted as much as that of a dump.
        let work = try Self.open(
            workPath ?? imagePath, "--work-path", creates: creates || workPath != nil)
        self.image = image
        self.imagePath = imagePath
        self.work = work
        self.workPath = workPath ?? imagePath
    }

    private init(
        image: consuming FileDescriptor, imagePath: String, work: consuming FileDescriptor,
        workPath: String
    ) {
        self.image = image
        self.imagePath = imagePath
        self.work = work
        self.workPath = workPath
    }

    /// Lets the root of a user namespace search the image, and nobody else.
    ///
    /// A restore goes on reading it after it has entered the namespace.
    func admitMappedRoot(_ spec: Spec) throws(Failure) {
        guard let group = spec.linux?.gidMappings.hostRoot else { return }
        do throws(Errno) {
            guard try image.status().mode & 0o077 == 0 else { return }
            try image.setOwner(uid: .max, gid: group)
            try image.setMode(0o710)
        } catch {
            throw Failure("let the container's root search the image", error, path: imagePath)
        }
    }

    /// The same directories in the mount namespace of a process.
    func seen(by pid: Int32) throws(Errno) -> CriuDirectories {
        let root = try FileDescriptor.open("/proc/\(pid)/root", [.path, .directory])
        return CriuDirectories(
            image: try root.open(imagePath, .directory, resolve: .inRoot), imagePath: imagePath,
            work: try root.open(workPath, .directory, resolve: .inRoot), workPath: workPath)
    }

    private static func open(
        _ path: String, _ origin: String, creates: Bool
    ) throws(Failure) -> FileDescriptor {
        do throws(Errno) {
            // What is saved is the memory of processes: for root's eyes.
            if creates {
                try BorrowedHandle.workingDirectory.makeDirectories(path, mode: 0o700)
            }
            return try FileDescriptor.open(path, .directory)
        } catch {
            throw Failure("open the directory", error, path: path).at(origin)
        }
    }
}

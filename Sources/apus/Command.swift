internal import Cgroups
internal import Engine
internal import Linux
internal import Options

/// One call of the program: its command line, and where its messages go.
struct Command {
    let arguments: Arguments
    let environment: Environment
    let log: Log

    /// Does what the words ask for; the exit code.
    static func main(words: [String], environment: Environment) -> Int32 {
        var arguments = Arguments()
        do throws(UsageError) {
            try Parser.parse(words, into: &arguments)
        } catch {
            // An engine finds the reason in its log, a person below the help.
            Output.tryWrite("Incorrect usage.\n\n" + help(of: arguments.verb))
            Log(options: arguments).error(error.message)
            return error.exitCode
        }
        let log = Log(options: arguments)
        do throws(Failure) {
            try checkLogFormat(arguments)
            try log.open()
            let command = Command(arguments: arguments, environment: environment, log: log)
            return try command.run()
        } catch {
            log.error(error.message)
            return error.exitCode
        }
    }

    private static func checkLogFormat(_ arguments: Arguments) throws(Failure) {
        switch arguments.value("log-format") {
        case nil, "text", "json": return
        case .some(let other): throw Failure("invalid value \"\(other)\" for --log-format")
        }
    }

    private static func help(of verb: Verb.Name?) -> String {
        guard let verb else { return Help.program() }
        return Help.verb(verb)
    }

    private func run() throws(Failure) -> Int32 {
        guard let verb = arguments.verb else {
            try Output.write(arguments.has("version") ? version : Help.program())
            return ExitCode.success
        }
        if arguments.wantsHelp {
            try Output.write(Help.verb(verb))
            return ExitCode.success
        }
        return try perform(verb)
    }

    private func perform(_ verb: Verb.Name) throws(Failure) -> Int32 {
        switch verb {
        case .create: try create()
        case .run: return try runContainer()
        case .start: try start()
        case .exec: return try exec()
        case .state: try state()
        case .kill: try kill()
        case .delete: try delete()
        case .list: try list()
        case .ps: try ps()
        case .pause: try pause()
        case .resume: try resume()
        case .update: try update()
        case .events: try events()
        case .stats: try stats()
        case .checkpoint: try checkpoint()
        case .restore: return try restore()
        case .shell: return try shell()
        case .explain: try explain()
        case .spec: try spec()
        case .features: try features()
        case .help: try help()
        }
        return ExitCode.success
    }

    /// What `--version` prints; engines parse these lines.
    private var version: String {
        """
        \(Program.name) version \(Program.version)
        commit: \(Program.commit)
        spec: \(Program.specVersion)

        """
    }
}

// MARK: - What the verbs share

extension Command {
    /// The first operand; the parser has seen to it that it is there.
    var id: String { arguments.operands.first ?? "" }

    /// The runtime with the settings of the command line.
    func runtime() throws(Failure) -> Runtime {
        var settings = Settings()
        settings.root = arguments.value("root")
        settings.runtimeDirectory = runtimeDirectory
        settings.userName = environment["USER"]
        settings.environment = environment.all
        settings.workingDirectory = try workingDirectory()
        settings.listenFDs = listenFDs
        settings.searchPath = searchPath
        if let path = environment["NOTIFY_SOCKET"], path != "" { settings.notifySocket = path }
        settings.cgroupDriver = try cgroupDriver()
        settings.isRootless = try isRootless()
        let log = log
        settings.warn = { log.warning($0) }
        if log.showsSteps { settings.trace = { log.step($0) } }
        return try Runtime(settings)
    }

    /// An ordinary user's directory of the session; su leaves its variable unset.
    private var runtimeDirectory: String? {
        if let path = environment["XDG_RUNTIME_DIR"], path != "" { return path }
        let user = CurrentProcess.effectiveUID
        guard user != 0 else { return nil }
        let path = "/run/user/\(user)"
        return BorrowedHandle.workingDirectory.canAccess(path, mode: 2) ? path : nil
    }

    /// Where programs of the host are looked for: PATH, or the usual one.
    private var searchPath: String {
        if let path = environment["PATH"], path != "" { return path }
        return Settings().searchPath
    }

    /// The path of a program of the host.
    func find(_ program: String) -> String? { ProgramLaunch.find(program, in: searchPath) }

    func workingDirectory() throws(Failure) -> String {
        do throws(Errno) {
            do throws(Errno) {
                return try CurrentProcess.workingDirectory()
            } catch .enoent {
                // It was removed. Most verbs do without it, and procfs still has a name for it.
                return try BorrowedHandle.workingDirectory.readLink("/proc/self/cwd")
            }
        } catch {
            throw Failure("find the working directory", error)
        }
    }

    /// A path of the command line as an absolute one.
    func absolute(_ path: String) throws(Failure) -> String {
        if path.utf8.starts(with: "/".utf8) { return path }
        let directory = try workingDirectory()
        return directory == "/" ? "/" + path : directory + "/" + path
    }

    /// sd_listen_fds(3): how many sockets the caller passes on; they begin at handle 3.
    private var listenFDs: Int {
        // LISTEN_PID is the engine's, which executed the runtime in another process.
        guard let text = environment["LISTEN_FDS"], let count = Int(text), count > 0, count < 1024
        else { return 0 }
        return count
    }

    private func cgroupDriver() throws(Failure) -> CgroupDriver {
        if arguments.has("systemd-cgroup") { return .systemd }
        switch arguments.value("cgroup-manager") {
        case nil: return hasSystemdForLimits ? .systemd : .cgroupfs
        case "cgroupfs": return .cgroupfs
        case "systemd": return .systemd
        case "disabled": return .disabled
        case .some(let other):
            throw Failure("invalid value \"\(other)\" for --cgroup-manager")
        }
    }

    /// Whether limits of an ordinary user's shell are for the user's systemd to make: in the cgroup of
    /// a login nobody but root may make one.
    private var hasSystemdForLimits: Bool {
        guard arguments.verb == .shell, CurrentProcess.effectiveUID != 0,
            ["memory", "cpus", "pids"].contains(where: { arguments.has($0) }),
            let directory = runtimeDirectory
        else { return false }
        return BorrowedHandle.workingDirectory.canAccess(directory + "/bus", mode: 2)
    }

    private func isRootless() throws(Failure) -> Bool? {
        // `spec --rootless` is another option of the same name.
        guard arguments.verb != .spec else { return nil }
        switch arguments.value("rootless") {
        case nil, "auto": return nil
        case "true": return true
        case "false": return false
        case .some(let other): throw Failure("invalid value \"\(other)\" for --rootless")
        }
    }

    /// The number of an option such as --preserve-fds.
    func count(_ name: String) throws(Failure) -> Int {
        guard let text = arguments.value(name) else { return 0 }
        guard let number = Quantity.identifier(text), let count = Int(exactly: number),
            count <= 65536
        else { throw Failure("invalid value \"\(text)\" for --\(name)") }
        return count
    }
}

internal import Engine
internal import Linux
internal import OCI
internal import Options

extension Command {
    /// `apus exec`: the exit code of the process; 0 when it was left running.
    ///
    /// Whatever keeps the process from being started is exit code 255: engines tell by it an
    /// error of the runtime from one of the process.
    func exec() throws(Failure) -> Int32 {
        do throws(Failure) {
            return try runtime().exec(execution())
        } catch {
            var failure = error
            // Of a process that ran, and was killed for want of memory, it is the process's own.
            if failure.exitCode == 1 { failure.exitCode = ExitCode.execFailure }
            if failure.origin == "" { failure.origin = "exec failed" }
            throw failure
        }
    }

    private func execution() throws(Failure) -> ExecRequest {
        var request = ExecRequest(id: id)
        request.detach = arguments.has("detach")
        request.pidFile = arguments.value("pid-file")
        request.consoleSocket = arguments.value("console-socket")
        request.pidfdSocket = arguments.value("pidfd-socket")
        request.preserveFDs = try count("preserve-fds")
        request.ignorePaused = arguments.has("ignore-paused")
        let cgroups = arguments.values("cgroup")
        guard cgroups.count <= 1 else {
            throw Failure("--cgroup: cgroup v2 has one hierarchy, so that there is one path")
        }
        request.cgroup = cgroups.first
        if let path = arguments.value("process") {
            request.process = try process(at: path)
        } else {
            request.changes = try changes()
        }
        return request
    }

    private func process(at path: String) throws(Failure) -> Spec.Process {
        let bytes = try readInput(path)
        do throws(ConfigError) {
            return try Spec.Process.decode(bytes)
        } catch {
            throw Failure("\(path): \(error.description)")
        }
    }

    private func changes() throws(Failure) -> ProcessChanges {
        var changes = ProcessChanges()
        changes.arguments = Array(arguments.operands.dropFirst())
        guard !changes.arguments.isEmpty else {
            throw Failure("no command: name one behind the container's ID, or give --process")
        }
        changes.cwd = arguments.value("cwd")
        changes.environment = arguments.values("env")
        changes.hasTerminal = arguments.has("tty")
        changes.noNewPrivileges = arguments.has("no-new-privs")
        changes.capabilities = arguments.values("cap")
        changes.selinuxLabel = arguments.value("process-label")
        changes.apparmorProfile = arguments.value("apparmor")
        if let user = arguments.value("user"), user != "" {
            let parts = user.split(separator: ":", omittingEmptySubsequences: false)
            changes.uid = Quantity.identifier(parts[0])
            if parts.count == 2 { changes.gid = Quantity.identifier(parts[1]) }
            guard parts.count <= 2, changes.uid != nil, parts.count == 1 || changes.gid != nil
            else { throw Failure("invalid value \"\(user)\" for --user: expected UID or UID:GID") }
        }
        for text in arguments.values("additional-gids") {
            guard let group = Quantity.identifier(text) else {
                throw Failure("invalid value \"\(text)\" for --additional-gids: expected a number")
            }
            changes.additionalGids.append(group)
        }
        return changes
    }

    /// The contents of a file of the command line; "-" is standard input.
    func readInput(_ path: String) throws(Failure) -> [UInt8] {
        let limit = 16 << 20
        do throws(Errno) {
            if path == "-" { return try BorrowedHandle.standardInput.readAll(limit: limit) }
            return try BorrowedHandle.workingDirectory.readFile(path, limit: limit)
        } catch {
            throw Failure("read \(path)", error, path: path)
        }
    }
}

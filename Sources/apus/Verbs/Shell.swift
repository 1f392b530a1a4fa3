internal import Engine
internal import Linux
internal import OCI
internal import Options
internal import Seccomp

extension Command {
    /// `apus shell`: the exit code of the command inside.
    func shell() throws(Failure) -> Int32 {
        let request = try shellRequest()
        guard !arguments.has("dry-run") else {
            try print(runtime().explain(request.create))
            return ExitCode.success
        }
        return try runtime().run(request)
    }

    /// The command line as a request: a configuration that was never a file.
    func shellRequest() throws(Failure) -> RunRequest {
        var request: ShellRequest
        do throws(UsageError) {
            request = try ShellRequest(arguments)
        } catch {
            throw Failure(error.message)
        }
        for index in request.binds.indices {
            request.binds[index].source = try absolute(request.binds[index].source)
        }
        request.environment = copied(request.environment)
        let root = try RootDirectory.open(request.directory)
        let host = try shellHost(request, root)
        var create = CreateRequest(
            id: request.name ?? "shell-\(CurrentProcess.pid)", bundle: root.path)
        var spec = ShellSpec.make(request, host)
        spec.linux?.seccomp = Seccomp.defaultProfile(
            capabilities: spec.process?.capabilities?.bounding ?? [])
        create.spec = spec
        create.ephemeral = request.isEphemeral
        return RunRequest(create: create)
    }

    /// `--env NAME` stands for the caller's value, and for nothing where there is none.
    private func copied(_ entries: [String]) -> [String] {
        var result: [String] = []
        for entry in entries {
            if entry.utf8.contains(UInt8(ascii: "=")) {
                result.append(entry)
            } else if let value = environment[entry] {
                result.append(entry + "=" + value)
            }
        }
        return result
    }

    private func shellHost(
        _ request: ShellRequest, _ root: borrowing RootDirectory
    ) throws(Failure) -> ShellHost {
        var host = ShellHost()
        host.root = root.path
        host.hostname = root.hostname
        host.user = try root.user(request.user ?? "0")
        if request.command.isEmpty { host.shell = try root.shell(of: host.user) }
        // With only one end on a terminal the other is a pipe or a file, and wants plain bytes.
        host.hasTerminal =
            BorrowedHandle.standardInput.isTerminal && BorrowedHandle.standardOutput.isTerminal
        host.term = environment["TERM"]
        host.sharesResolver = request.network == .host && root.hasResolver
        if CurrentProcess.effectiveUID != 0 {
            let ownership = ownership()
            try Self.check(host.user, in: ownership)
            host.ownership = ownership
        }
        return host
    }

    /// Who an ordinary user may be inside: the caller as root, and others where /etc/subuid and
    /// the programs that obey it are there.
    private func ownership() -> ShellHost.Ownership {
        let uid = CurrentProcess.effectiveUID
        var ownership = ShellHost.Ownership(
            uid: uid, gid: CurrentProcess.effectiveGID, uids: [], gids: [])
        guard find("newuidmap") != nil, find("newgidmap") != nil else { return ownership }
        let uids = Self.ranges("/etc/subuid", uid)
        let gids = Self.ranges("/etc/subgid", uid)
        guard !uids.isEmpty, !gids.isEmpty else { return ownership }
        ownership.uids = uids
        ownership.gids = gids
        return ownership
    }

    private static func ranges(_ path: String, _ uid: UInt32) -> [IDRange] {
        var ranges: [IDRange] = []
        for range in Users.subordinateRanges(path, uid: uid) {
            ranges.append(IDRange(first: range.first, count: range.count))
        }
        return ranges
    }

    private static func check(
        _ user: UserDatabase.User, in ownership: ShellHost.Ownership
    ) throws(Failure) {
        let hasUser = ShellSpec.isMapped(user.uid, own: ownership.uid, ranges: ownership.uids)
        let hasGroup = ShellSpec.isMapped(user.gid, own: ownership.gid, ranges: ownership.gids)
        guard !hasUser || !hasGroup else { return }
        var failure = Failure("user \(user.uid):\(user.gid) does not exist inside")
        failure.hint = "an ordinary user needs ranges in /etc/subuid and /etc/subgid, and newuidmap"
        throw failure
    }
}

/// A directory that holds a root file system; every path is resolved inside it.
private struct RootDirectory: ~Copyable {
    /// Absolute, and without symbolic links.
    let path: String
    private let handle: FileDescriptor

    private init(path: String, handle: consuming FileDescriptor) {
        self.path = path
        self.handle = handle
    }

    static func open(_ path: String) throws(Failure) -> RootDirectory {
        do throws(Errno) {
            let handle = try FileDescriptor.open(path, [.path, .directory])
            let real = try BorrowedHandle.workingDirectory.readLink(handle.procPath)
            return RootDirectory(path: real, handle: handle)
        } catch {
            var failure = Failure("open the directory", error, path: path)
            failure.hint = "shell needs a directory with a root file system, see rootfs-examples"
            throw failure
        }
    }

    /// A name from the directory's, or, where that is "rootfs", its parent's.
    var hostname: String {
        var parts = path.split(separator: "/")
        if parts.count > 1, parts.last == "rootfs" { parts.removeLast() }
        var bytes: [UInt8] = []
        for byte in (parts.last ?? "").utf8 where bytes.count < 63 {
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            bytes.append(isLetter || isDigit ? byte : UInt8(ascii: "-"))
        }
        while bytes.first == UInt8(ascii: "-") { bytes.removeFirst() }
        while bytes.last == UInt8(ascii: "-") { bytes.removeLast() }
        return bytes.isEmpty ? Program.name : String(decoding: bytes, as: UTF8.self)
    }

    /// The user by the /etc/passwd and /etc/group inside.
    func user(_ text: String) throws(Failure) -> UserDatabase.User {
        let database = UserDatabase(passwd: contents("/etc/passwd"), group: contents("/etc/group"))
        guard let user = database.find(text) else {
            throw Failure("--user \(text): not known in /etc/passwd and /etc/group of \(path)")
        }
        return user
    }

    /// The user's shell where it can be executed, or the usual ones.
    func shell(of user: UserDatabase.User) throws(Failure) -> String {
        let isShell =
            user.shell.utf8.starts(with: "/".utf8) && !user.shell.hasSuffix("/nologin")
            && !user.shell.hasSuffix("/false")
        if isShell, isExecutable(user.shell) { return user.shell }
        for path in ["/bin/bash", "/bin/sh"] where isExecutable(path) { return path }
        var failure = Failure("\(path) has no shell: neither /bin/bash nor /bin/sh is a program")
        failure.hint = "name a command, or see rootfs-examples for directories with a shell"
        throw failure
    }

    var hasResolver: Bool {
        isRegular("/etc/resolv.conf") { _ in true }
            && FileDescriptor.isRegular(atHostPath: "/etc/resolv.conf")
    }

    private func isExecutable(_ path: String) -> Bool {
        isRegular(path) { $0.mode & 0o111 != 0 }
    }

    private func isRegular(_ path: String, and condition: (FileStatus) -> Bool) -> Bool {
        do throws(Errno) {
            let file = try handle.open(path, [.path], resolve: [.inRoot, .noMagicLinks])
            let status = try file.status()
            return status.type == .regular && condition(status)
        } catch {
            return false
        }
    }

    /// A regular file of at most a megabyte; nothing where there is none.
    private func contents(_ path: String) -> [UInt8] {
        do throws(Errno) {
            let file = try handle.open(
                path, [.readOnly, .nonBlocking], resolve: [.inRoot, .noMagicLinks])
            guard try file.status().type == .regular else { return [] }
            return try file.readAll(limit: 1 << 20)
        } catch {
            return []
        }
    }
}

extension FileDescriptor {
    fileprivate static func isRegular(atHostPath path: String) -> Bool {
        do throws(Errno) {
            return try BorrowedHandle.workingDirectory.status(path).type == .regular
        } catch {
            return false
        }
    }
}

internal import Linux
internal import OCI
internal import Plan

/// A hook that the runtime runs in its own namespaces.
struct Hook {
    /// "hooks.poststart[0]"
    let origin: String
    let path: String
    /// argv, the program's name first.
    let arguments: [String]
    /// The whole environment.
    let environment: [String]
    /// Seconds; nil waits for ever.
    let timeout: Int?

    init(_ hook: RuntimeHook) {
        origin = hook.origin
        path = hook.path
        arguments = hook.arguments
        environment = hook.environment
        timeout = hook.timeout
    }

    init(_ hook: Spec.Hook, origin: String) {
        self.origin = origin
        path = hook.path
        arguments = hook.args.isEmpty ? [hook.path] : hook.args
        environment = hook.env
        timeout = hook.timeout.map { Int(clamping: $0) }
    }

    static func list(_ hooks: [Spec.Hook], _ name: String) -> [Hook] {
        var list: [Hook] = []
        for (index, hook) in hooks.enumerated() {
            list.append(Hook(hook, origin: "hooks.\(name)[\(index)]"))
        }
        return list
    }

    /// How much of a hook's output is kept for the message, bytes.
    private static let outputLimit = 1024

    /// Runs the hook to its end: the state as compact JSON on its stdin, the environment exactly as
    /// given, and no handle but its stdio.
    ///
    /// OCI config.md "POSIX-platform Hooks": anything but exit code 0 is a failure, and so is the end
    /// of its time; then its whole process group is killed.
    func run(_ state: State) throws(Failure) {
        let began = MonotonicClock.now()
        var output: [UInt8] = []
        let status: ExitStatus?
        do throws(Errno) {
            status = try execute(state, began: began, output: &output)
        } catch {
            throw Failure("hook \(path)", error, path: path).at(origin)
        }
        let milliseconds = (MonotonicClock.now() - began) / 1_000_000
        let end: String
        switch status {
        case .exited(0): return
        case .exited(let code): end = "exit status \(code)"
        case .signaled(let signal): end = "killed by signal \(signal)"
        case nil: end = "killed at the end of its \(timeout ?? 0) s"
        }
        var text = "hook \(path): \(end) after \(milliseconds) ms"
        if !output.isEmpty { text += ": \"\(String(decoding: output, as: UTF8.self))\"" }
        throw Failure(text).at(origin)
    }

    /// nil: the time was over.
    private func execute(
        _ state: State, began: Int64, output: inout [UInt8]
    ) throws(Errno) -> ExitStatus? {
        let input = try FileDescriptor.sealed(name: "state", state.json())
        let reading: FileDescriptor
        let process: ProcessHandle
        do throws(Errno) {
            let pipe = try Pipe()
            var launch = ProgramLaunch(
                .path(path), arguments: arguments, environment: environment,
                handles: [input.borrowed, pipe.writing.borrowed, pipe.writing.borrowed])
            launch.leadsGroup = true
            launch.deathSignal = Signal.kill
            process = try launch.start()
            reading = try pipe.reading.duplicate()
        }
        let deadline = timeout.map { began + Int64($0) * 1_000_000_000 }
        try reading.setNonBlocking(true)
        var polled = PollSet()
        let end = polled.add(process.handle, .readable)
        let pipe = polled.add(reading, .readable)
        while true {
            let count = try polled.wait(until: deadline)
            if !polled[pipe].isEmpty, !Self.read(reading, into: &output) {
                polled.set(pipe, reading, nil)
            }
            if polled[end].contains(.readable) {
                // What it wrote last; a daemon that it left behind is not waited for.
                _ = Self.read(reading, into: &output)
                return try process.wait()
            }
            if count == 0 {
                try? kill(pid: -process.pid, signal: Signal.kill)
                _ = try process.wait()
                return nil
            }
        }
    }

    /// Reads what is there; false at the end.
    private static func read(
        _ source: borrowing FileDescriptor, into output: inout [UInt8]
    ) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            do throws(Errno) {
                let count = try source.read(into: &buffer)
                if count == 0 { return false }
                output.append(contentsOf: buffer[..<min(count, outputLimit - output.count)])
            } catch {
                return error == .eagain
            }
        }
    }
}

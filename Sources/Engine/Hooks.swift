internal import Linux
internal import OCI
internal import Plan

/// A hook that the runtime runs in its own namespaces.
struct Hook {
    /// Its place in the configuration, "hooks.poststart[0]".
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

    /// - Parameter inherited: the runtime's environment, for a hook that is given none.
    init(_ hook: Spec.Hook, origin: String, inherited: [String]) {
        self.origin = origin
        path = hook.path
        arguments = hook.args.isEmpty ? [hook.path] : hook.args
        environment = hook.env ?? inherited
        timeout = hook.timeout.map { Int(clamping: $0) }
    }

    static func list(_ hooks: [Spec.Hook], _ name: String, inherited: [String]) -> [Hook] {
        var list: [Hook] = []
        for (index, hook) in hooks.enumerated() {
            list.append(Hook(hook, origin: "hooks.\(name)[\(index)]", inherited: inherited))
        }
        return list
    }

    /// Runs the hook to its end in the bundle, with the state as compact JSON on its stdin.
    ///
    /// OCI config.md "POSIX-platform Hooks": anything but exit code 0 is a failure, and so is the end
    /// of its time; then its whole process group is killed.
    func run(_ state: State) throws(Failure) {
        let what = "error running " + Failure.words(ofHook: origin)
        let began = MonotonicClock.now()
        let program: CompletedProgram
        do throws(Errno) {
            program = try CompletedProgram.run(
                path, arguments, environment: environment, input: state.json(),
                directory: state.bundle,
                deadline: timeout.map { began + Int64($0) * 1_000_000_000 })
        } catch {
            throw Failure("\(what): start it", error, path: path).at(origin)
        }
        if program.status == .exited(0) { return }
        let end =
            program.status.map { Failure.words($0) }
            ?? "killed at the end of its \(timeout ?? 0) s"
        let milliseconds = (MonotonicClock.now() - began) / 1_000_000
        var text = "\(what): \(path): \(end) after \(milliseconds) ms"
        if !program.output.isEmpty {
            text += ": \"\(String(decoding: program.output, as: UTF8.self))\""
        }
        throw Failure(text).at(origin)
    }
}

internal import Linux
internal import Plan

// What the init stage reports, in words: it sends only the number of a step and an errno.

extension Failure {
    /// A step of the plan failed.
    ///
    /// `text` is the path or program concerned.
    init(_ step: Step, _ errno: Errno, _ text: String) {
        self.init("")
        self.errno = errno
        path = text
        origin = step.origin
        switch step.operation {
        case .executable(let name, _):
            self = Failure(ofProgram: name, errno)
        case .execute(let execution):
            self.init(execOf: execution.arguments.first ?? "", errno, origin: step.origin)
        case .workingDirectory(let directory):
            operation = "chdir to cwd (\"\(directory.path)\")"
        case .selinuxLabel, .apparmorProfile:
            // podman looks for the file in backquotes to tell a refusal of the security module.
            operation = "\(step.operation.summary): write `/proc/thread-self/attr/exec`"
        case .mount(let mount) where ["proc", "sysfs"].contains(mount.type):
            operation = step.operation.summary
            if errno == .enotdir || errno == .eloop {
                hint = "\(mount.type) must be mounted on ordinary directory, not through a link"
            }
        case .scheduler(let scheduler):
            operation = step.operation.summary
            if errno == .eperm, scheduler.isDeadline {
                hint =
                    "SCHED_DEADLINE needs all processors: "
                    + "the process scheduler can't be used together with AllowedCPUs"
            }
        default:
            operation = step.operation.summary
        }
    }

    /// The program cannot be executed.
    ///
    /// The words are those that engines look for: they make exit code
    /// 127 of a missing program and 126 of one that cannot be executed.
    private init(ofProgram name: String, _ errno: Errno) {
        let hasPath = name.utf8.contains(UInt8(ascii: "/"))
        switch errno {
        case .enoent where !hasPath:
            self.init("exec: \"\(name)\": executable file not found in $PATH")
        case .enoent:
            self.init("exec: \"\(name)\": stat \(name): no such file or directory")
        default:
            self.init("exec: \"\(name)\": \(errno.message)")
        }
        origin = "process.args"
    }

    /// The program was found, and the kernel does not execute it: with ENOENT its interpreter is missing.
    init(execOf program: String, _ errno: Errno, origin: String) {
        self.init("exec \(program): \(errno.message)")
        self.origin = origin
    }

    /// A hook that the init stage ran failed; `origin` names it, "hooks.startContainer[0]".
    init(hookOf origin: String, _ end: InitMessage.HookEnd, _ output: String) {
        self.init("error running " + Self.words(ofHook: origin) + ": ")
        self.origin = origin
        switch end {
        case .failed(.etimedout): operation += "killed at the end of its time"
        case .failed(let errno):
            operation += "start it"
            self.errno = errno
        case .ended(let status): operation += Self.words(status)
        }
        if !output.isEmpty { operation += ": \"\(output)\"" }
    }

    /// "createRuntime hook #1" for "hooks.createRuntime[1]", the words that tools know from runc.
    static func words(ofHook origin: String) -> String {
        let parts = origin.utf8.split { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") }
        guard parts.count == 3 else { return "hook \(origin)" }
        return "\(String(decoding: Array(parts[1]), as: UTF8.self)) hook #"
            + String(decoding: Array(parts[2].dropLast()), as: UTF8.self)
    }

    /// How a hook ended.
    static func words(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): return "exit status \(code)"
        case .signaled(let signal):
            let isFilter = signal == Signal.badSystemCall
            return "killed by signal \(signal)" + (isFilter ? " (bad system call)" : "")
        }
    }
}

/// What a plan's steps are called when they fail.
struct StepNames: Equatable {
    /// The index of the first.
    var first = 0
    /// Two for each step: its origin and its operation in words.
    var words: [String] = []

    /// The steps after the gate: those that `start`, which has no plan, may have to name.
    init(afterGateOf plan: Plan) {
        guard let gate = plan.steps.firstIndex(where: { $0.operation == .gate }) else { return }
        first = gate + 1
        for step in plan.steps[first...] { words += [step.origin, step.operation.summary] }
    }

    init(first: Int, words: [String]) {
        self.first = first
        self.words = words
    }

    /// The failure that a message of the init stage tells of.
    func failure(_ message: InitMessage) -> Failure? {
        switch message {
        case .request, .process, .warning: return nil
        case .failure(let index, let errno, let text) where name(index).origin == "process.args":
            return Failure(execOf: text, errno, origin: "process.args")
        case .failure(let index, let errno, let text):
            var failure = Failure(name(index).operation, errno, path: text)
            failure.origin = name(index).origin
            return failure
        case .hookFailure(let index, let end, let output):
            return Failure(hookOf: name(index).origin, end, output)
        }
    }

    private func name(_ index: Int) -> (origin: String, operation: String) {
        let place = (index - first) * 2
        guard place >= 0, place + 1 < words.count else { return ("", "step \(index)") }
        return (words[place], words[place + 1])
    }
}

extension InitProcess {
    /// Waits until the init stage comes to its next checkpoint.
    ///
    /// - Returns: nil where there is none any more: it waits at the gate, runs the container's program,
    ///   or has ended.
    /// - Throws: `Failure` of the step that failed.
    mutating func arrive(
        _ plan: Plan, warn: (String) -> Void
    ) throws(Failure) -> InitEvent? {
        while true {
            let event: InitEvent
            do throws(Errno) {
                event = try receive()
            } catch {
                throw Failure("talk with the init stage", error)
            }
            switch event.message {
            case nil: return nil
            case .request: return event
            case .process(let pid): try turn(to: pid)
            case .warning(let index, let errno, let text):
                warn(Failure(plan.step(index), errno, text).message)
            case .failure(let index, let errno, let text):
                throw Failure(plan.step(index), errno, text)
            case .hookFailure(let index, let end, let output):
                throw Failure(hookOf: plan.step(index).origin, end, output)
            }
        }
    }

    private mutating func turn(to pid: Int32) throws(Failure) {
        do throws(Errno) {
            try follow(pid)
        } catch {
            throw Failure("follow the init stage to process \(pid)", error)
        }
    }
}

extension Plan {
    func step(_ index: Int) -> Step {
        steps.indices.contains(index) ? steps[index] : Step("step \(index)", .gate)
    }
}

import Cgroups
import Linux
import OCI
import Testing

@testable import Engine
@testable import Plan

@Suite("Failure")
struct FailureTests {
    @Test("names the place, the operation, the errno and the path")
    func coordinate() {
        let failure = Failure("bind /nope -> /y", .enoent, path: "/nope").at("mounts[3]")
        #expect(failure.message == "mounts[3]: bind /nope -> /y: ENOENT (/nope): missing")
    }

    @Test("of anything but a program has no word that engines take for a missing program")
    func missing() {
        for pattern in ["no such file", "not found", "open executable"] {
            #expect(!Failure("write memory.max", .enoent, path: "/x").message.contains(pattern))
        }
    }

    @Test("keeps the first place it was given")
    func place() {
        #expect(Failure("x").at("a").at("b").message == "a: x")
    }

    @Test("ends with the hint and what went wrong after it")
    func hint() {
        var failure = Failure("x")
        failure.hint = "do y"
        failure.aftermath = ["z"]
        #expect(failure.message == "x; do y; then z")
    }

    @Test("is one line of limited length")
    func oneLine() {
        #expect(Failure("a\nb\u{1b}[0m\n").message == "a b [0m")
        #expect(Failure(String(repeating: "x", count: 100_000)).message.utf8.count == 8000)
    }

    @Test("of a program has the words that engines make exit codes of")
    func program() {
        func message(_ name: String, _ errno: Errno) -> String {
            let operation = Operation.executable(name: name, searchPath: "/bin")
            return Failure(Step("process.args[0]", operation), errno, name).message
        }
        #expect(
            message("x", .enoent).hasSuffix("exec: \"x\": executable file not found in $PATH"))
        #expect(
            message("/x", .enoent).hasSuffix("exec: \"/x\": stat /x: no such file or directory"))
        #expect(message("/x", .eacces).hasSuffix("exec: \"/x\": permission denied"))
        #expect(message("/x", .eisdir).hasSuffix("exec: \"/x\": is a directory"))
    }

    @Test("of a scheduling policy names the cpuset where the kernel only refuses")
    func scheduler() {
        func message(_ policy: Int, _ errno: Errno) -> String {
            let operation = Operation.scheduler(Scheduler(policy: policy))
            return Failure(Step("process.scheduler", operation), errno, "").message
        }
        let hint = "process scheduler can't be used together with AllowedCPUs"
        #expect(message(6, .eperm).contains(hint))
        #expect(!message(6, .einval).contains(hint))
        #expect(!message(1, .eperm).contains(hint))
    }

    @Test("of a missing container is what engines take for success of delete")
    func unknown() {
        #expect(Failure.unknown("x").message.contains("does not exist"))
    }

    @Test("of a configuration keeps its place")
    func configuration() {
        let error = ConfigError(path: "root.path", message: "required, but missing")
        #expect(Failure(error, in: "config.json").message == "root.path: required, but missing")
        let whole = ConfigError(path: "", message: "line 1, column 2: expected a value")
        #expect(
            Failure(whole, in: "c.json").message
                == "c.json: line 1, column 2: expected a value")
    }
}

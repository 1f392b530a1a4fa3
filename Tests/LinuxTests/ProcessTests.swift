import Testing

@testable import Linux

@Suite("Processes")
struct ProcessTests {
    /// Runs a shell script; what it wrote to stdout, and its end.
    private func run(
        _ script: String, environment: [String] = [],
        _ change: (inout ProgramLaunch) -> Void = { _ in }
    ) throws -> (output: String, status: Linux.ExitStatus) {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let file = try FileDescriptor.memoryFile(name: "output", isExecutable: false)
        var launch = ProgramLaunch(
            .path("/bin/sh"), arguments: ["sh", "-c", script], environment: environment,
            handles: [null.borrowed, file.borrowed, BorrowedHandle.standardError])
        change(&launch)
        let status = try launch.start().wait()
        try file.seek(to: 0)
        return (text(try file.readAll(limit: 1 << 16)), status)
    }

    @Test("A program ends with its code, or by a signal")
    func exitStatus() throws {
        #expect(try run("exit 7").status == .exited(7))
        #expect(try run("kill -9 $$").status == .signaled(9))
        #expect(try run("kill -9 $$").status.shellCode == 137)
    }

    @Test("The environment is what was given, and nothing else")
    func environment() throws {
        let result = try run("/usr/bin/env | sort", environment: ["A=1", "B=two words"])
        let lines = result.output.split(separator: "\n").filter {
            !$0.hasPrefix("PWD=") && !$0.hasPrefix("_=") && !$0.hasPrefix("SHLVL=")
        }
        #expect(lines == ["A=1", "B=two words"])
    }

    @Test("No handle but those given is open in the program")
    func handles() throws {
        let leak = try FileDescriptor.open("/dev/null", .readOnly)
        try leak.setCloseOnExec(false)
        // The shell's own handle of the listing is the fourth.
        #expect(try run("cd /proc/self/fd && echo *").output == "0 1 2 3\n")
    }

    @Test("Handles are placed from a number on, those below stay")
    func placement() throws {
        let file = try FileDescriptor.sealed(name: "slot", [UInt8]("slot".utf8))
        let result = try run("cat <&6; test ! -e /proc/$$/fd/7") {
            $0.firstHandle = 5
            $0.handles = [$0.handles[1], file.borrowed]
            $0.arguments[2] = "exec >&5; " + $0.arguments[2]
        }
        #expect(result.output == "slot")
        #expect(result.status == .exited(0))
    }

    @Test("Handles whose numbers are each other's targets are not mixed up")
    func crossedHandles() throws {
        let one = try FileDescriptor.sealed(name: "one", [UInt8]("1".utf8))
        let two = try FileDescriptor.sealed(name: "two", [UInt8]("2".utf8))
        let first = min(one.raw, two.raw)
        // A handle lands on the number of the next one's source.
        let result = try run("") {
            $0.firstHandle = UInt32(first)
            $0.handles = [two.borrowed, one.borrowed, $0.handles[1]]
            // By their paths: a shell may know numbers of one digit only.
            let fd = "/proc/self/fd/"
            $0.arguments[2] = "cat \(fd)\(first) \(fd)\(first + 1) >\(fd)\(first + 2)"
        }
        #expect(result.output == "21")
    }

    @Test("What exec fails with is what start fails with, and no child is left")
    func execFailure() throws {
        let launch = ProgramLaunch(.path("/nonexistent"), arguments: ["x"])
        #expect(errno { () throws(Errno) in _ = try launch.start() } == .enoent)
        let directory = ProgramLaunch(.path("/tmp"), arguments: ["x"])
        #expect(errno { () throws(Errno) in _ = try directory.start() } == .eacces)
    }

    @Test("A cgroup that is none is an error of the clone")
    func cloneFailure() throws {
        let root = try FileDescriptor.open("/", .directory)
        var launch = ProgramLaunch(.path("/bin/true"), arguments: ["true"])
        launch.cgroup = root.borrowed
        #expect(errno { () throws(Errno) in _ = try launch.start() } == .ebadf)
    }

    @Test("The program begins with no signal blocked or ignored")
    func signals() throws {
        try ignoreSignal(Signal.pipe)
        let before = try SignalSet.all.block()
        defer { _ = try? before.block() }
        let status = try run("grep -E 'Sig(Blk|Ign)' /proc/self/status").output
        #expect(status == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
    }

    @Test("An image in memory is executed, with no file behind it")
    func image() throws {
        let bytes = try BorrowedHandle.workingDirectory.readFile("/bin/true", limit: 1 << 22)
        let image = try FileDescriptor.sealed(name: "image", bytes, isExecutable: true)
        let launch = ProgramLaunch(.image(image.borrowed), arguments: ["true"])
        #expect(try launch.start().wait() == .exited(0))
    }

    @Test("A group of its own, and death with the starter's wish")
    func group() throws {
        var launch = ProgramLaunch(.path("/bin/sleep"), arguments: ["sleep", "60"])
        launch.leadsGroup = true
        let process = try launch.start()
        let status = try ProcessStatus(pid: process.pid)
        #expect(status.processGroup == process.pid)
        #expect(status.parent == CurrentProcess.pid)
        #expect(try !process.hasEnded())
        #expect(try !process.waitForEnd(until: MonotonicClock.now() + 1_000_000))
        #expect(
            errno { () throws(Errno) in
                _ = try process.wait(until: MonotonicClock.now() + 1_000_000)
            }
                == .etimedout)
        #expect(errno { () throws(Errno) in try process.send(signal: 0) } == .esrch)
    }

    @Test("A stopped child reports it")
    func stopped() throws {
        let process = try ProgramLaunch(.path("/bin/sleep"), arguments: ["sleep", "60"]).start()
        try process.send(signal: Signal.stop)
        #expect(
            try process.nextEvent(options: .stopped)
                == .stopped(pid: process.pid, signal: Signal.stop))
        #expect(try ProcessStatus(pid: process.pid).state == UInt8(ascii: "T"))
        try process.send(signal: Signal.kill)
        #expect(try process.wait() == .signaled(Signal.kill))
    }

    @Test("A zombie has ended; its identity is still there")
    func zombie() throws {
        let process = try ProgramLaunch(.path("/bin/true"), arguments: ["true"]).start()
        #expect(try process.waitForEnd())
        #expect(try ProcessStatus(pid: process.pid).hasEnded)
        _ = try process.wait()
        #expect(errno { () throws(Errno) in _ = try ProcessStatus(pid: process.pid) } == .esrch)
    }

    @Test(
        "A new user namespace keeps its capabilities over exec",
        .enabled(if: CurrentProcess.uid == 0))
    func userNamespace() throws {
        let result = try run("grep CapEff /proc/self/status; readlink /proc/self/ns/user") {
            $0.newNamespaces = [.user, .uts]
        }
        let own = try BorrowedHandle.workingDirectory.readLink("/proc/self/ns/user")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("CapEff:\t000001ff") == true)
        #expect(lines.last.map(String.init) != own)
    }

    @Test("This process: ids, capabilities, limits, groups")
    func ownState() throws {
        #expect(try ProcessStatus(pid: CurrentProcess.pid).parent == CurrentProcess.parent)
        let sets = try CapabilitySets()
        #expect(sets.effective & ~sets.permitted == 0)
        let bounding = try CurrentProcess.boundingSet()
        #expect(bounding >> UInt64(CurrentProcess.lastCapability + 1) == 0)
        let files = try ResourceLimit(resource: 7)
        #expect(files.soft > 0 && files.soft <= files.hard)
        _ = try CurrentProcess.groups()
        #expect(try !idMap("uid_map").isEmpty)
    }

    @Test("The kernel's version and the boot")
    func machine() throws {
        let kernel = try #require(try Machine().kernel)
        #expect(kernel >= KernelRelease(major: 5, minor: 7))
        #expect(try Machine.bootID().utf8.count == 36)
        #expect(KernelRelease(release: "6.1.0-21-amd64") == KernelRelease(major: 6, minor: 1))
        #expect(KernelRelease(release: "6.12-rc1") == KernelRelease(major: 6, minor: 12))
        #expect(KernelRelease(release: "six") == nil)
    }

    @Test("Seccomp's actions and flags are known or not")
    func seccomp() {
        #expect(SeccompProbe.isAvailable(action: 0x7fff_0000))
        #expect(!SeccompProbe.isAvailable(action: 0x1234_0000))
        #expect(SeccompProbe.isAvailable(flag: 2))
        #expect(!SeccompProbe.isAvailable(flag: 1 << 30))
    }
}

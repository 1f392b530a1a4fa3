import Glibc
import Linux
import Testing

@testable import Engine

// One after the other: each reaps every child of the process.
@Suite("The foreground", .serialized)
struct ForegroundTests {
    /// A pty.
    private struct Pty: ~Copyable {
        let master: FileDescriptor
        let slave: FileDescriptor

        init() throws {
            let unlock: UInt = 0x4004_5431  // TIOCSPTLCK
            let openPeer: UInt = 0x5441  // TIOCGPTPEER
            let ptmx = try FileDescriptor.open("/dev/ptmx", .readWrite)
            var isLocked: CInt = 0
            try #require(unsafe ioctl(ptmx.raw, unlock, &isLocked) == 0)
            let number = ioctl(ptmx.raw, openPeer, O_RDWR | O_NOCTTY | O_CLOEXEC)
            try #require(number >= 0)
            master = ptmx
            slave = FileDescriptor(owning: number)
        }
    }

    /// Runs a script on a pty as a container would, and returns what came out on the user's side.
    private func pump(
        _ script: String, input: [UInt8]? = []
    ) throws -> (output: String, status: Linux.ExitStatus) {
        let user = try Pipe()
        let screen = try FileDescriptor.memoryFile(name: "screen", isExecutable: false)
        if let input { try user.writing.writeAll(input) }
        let foreground = try Foreground(
            input: user.reading.borrowed, output: screen.borrowed)
        let process: ProcessHandle
        let master: FileDescriptor
        do {
            let pty = try Pty()
            master = try pty.master.duplicate()
            process = try ProgramLaunch(
                .path("/bin/sh"), arguments: ["sh", "-c", script],
                handles: [pty.slave.borrowed, pty.slave.borrowed, pty.slave.borrowed]
            ).start()
        }
        let status = try foreground.wait(for: process, master: master)
        try screen.seek(to: 0)
        return (String(decoding: try screen.readAll(limit: 1 << 24), as: UTF8.self), status)
    }

    @Test("Output arrives, also what was written just before the end", .timeLimit(.minutes(1)))
    func output() throws {
        let result = try pump("echo first; exit 5")
        #expect(result.output == "first\r\n")
        #expect(result.status == .exited(5))
    }

    @Test("Much output arrives as a whole", .timeLimit(.minutes(1)))
    func muchOutput() throws {
        let result = try pump("seq 1 100000")
        #expect(result.output.utf8.count == 588_895 + 100_000)
        #expect(result.output.hasSuffix("\r\n100000\r\n"))
    }

    @Test("Input arrives, and its end does not end the container", .timeLimit(.minutes(1)))
    func input() throws {
        let result = try pump(
            "read line; stty -echo; echo got $line", input: [UInt8]("word\n".utf8))
        #expect(result.output.hasSuffix("got word\r\n"))
    }

    @Test("A terminal that nobody has open for a while is found again", .timeLimit(.minutes(1)))
    func reopened() throws {
        let result = try pump(
            "tty=$(tty); exec <&- >&- 2>&-; sleep 0.3; echo again >$tty", input: nil)
        #expect(result.output == "again\r\n")
    }

    @Test("A process that keeps the terminal does not keep the user", .timeLimit(.minutes(1)))
    func survivor() throws {
        let result = try pump("sleep 5 & echo done")
        #expect(result.output == "done\r\n")
    }

    @Test("Without a terminal only the end is waited for", .timeLimit(.minutes(1)))
    func withoutTerminal() throws {
        let foreground = try Foreground()
        let process = try ProgramLaunch(
            .path("/bin/sh"), arguments: ["sh", "-c", "kill -TERM $$"]
        ).start()
        let status = try foreground.wait(for: process)
        #expect(status.shellCode == 143)
    }

    @Test("The user's terminal is raw while it is used, and as before afterwards")
    func rawTerminal() throws {
        let pty = try Pty()
        func flags() throws -> tcflag_t {
            var settings = termios()
            try #require(unsafe tcgetattr(pty.slave.raw, &settings) == 0)
            return settings.c_lflag
        }
        let before = try flags()
        do {
            guard let raw = RawTerminal(pty.slave.borrowed) else {
                Issue.record("no terminal")
                return
            }
            #expect(try flags() & tcflag_t(ICANON | ECHO | ISIG) == 0)
            raw.leave()
            #expect(try flags() == before)
            raw.enter()
        }
        #expect(try flags() == before)
        if RawTerminal(BorrowedHandle(-1)) != nil { Issue.record("no handle is a terminal") }
    }

    @Test("A transfer keeps what the target does not take, and drops what it refuses")
    func transfer() throws {
        let source = try Pipe()
        let target = try Pipe(isNonBlocking: true)
        try source.writing.writeAll([UInt8](repeating: 1, count: 100))
        var transfer = Transfer()
        #expect(transfer.wantsRead)
        let came = transfer.fill(from: source.reading)
        #expect(came && !transfer.wantsRead && !transfer.isEmpty)
        transfer.drain(to: target.writing)
        #expect(transfer.isEmpty)
        let full = [UInt8](repeating: 0, count: 1 << 16)
        _ = try target.writing.write(full)
        try source.writing.writeAll([UInt8](repeating: 2, count: 100))
        _ = transfer.fill(from: source.reading)
        transfer.drain(to: target.writing)
        #expect(!transfer.isEmpty)
        let closed = try FileDescriptor.open("/dev/null", .readOnly)
        transfer.drain(to: closed)
        #expect(transfer.isEmpty)
    }
}

import CInit
import Linux
import Plan
import Testing

@testable import Engine

@Suite("Messages of the init stage")
struct RendezvousTests {
    /// A packet as the init stage sends it.
    private func packet(
        _ kind: apus_kind, step: Int32 = 0, value: Int32 = 0, text: String = ""
    ) -> [UInt8] {
        let head = apus_message(
            kind: kind.rawValue, step: step, value: value, size: UInt32(text.utf8.count))
        return unsafe withUnsafeBytes(of: head) { unsafe [UInt8]($0) } + [UInt8](text.utf8)
    }

    /// The init stage's place, taken by a shell that does nothing with its end of the socket.
    private struct Stage: ~Copyable {
        var process: InitProcess
        let peer: FileDescriptor

        init(_ script: String, keepsSocket: Bool = true) throws {
            let pair = try SocketPair(.sequencedPacket)
            let null = try FileDescriptor.open("/dev/null", .readWrite)
            var launch = ProgramLaunch(
                .path("/bin/sh"), arguments: ["sh", "-c", script],
                handles: [null.borrowed, null.borrowed, null.borrowed])
            if keepsSocket { launch.handles.append(pair.second.borrowed) }
            let own = try pair.first.duplicate()
            let other = try pair.second.duplicate()
            process = InitProcess(process: try launch.start(), sync: own)
            peer = other
        }

        consuming func destroy() { process.destroy() }
    }

    @Test("Every kind of message is read")
    func kinds() {
        func read(_ bytes: [UInt8]) -> InitMessage? { InitMessage.read(bytes[...])?.message }
        #expect(read(packet(APUS_REQUEST, value: 5)) == .request(.ready, step: 0))
        #expect(
            read(packet(APUS_FAILURE, step: 3, value: 2, text: "/nope"))
                == .failure(step: 3, .enoent, text: "/nope"))
        #expect(
            read(packet(APUS_WARNING, step: 4, value: 1)) == .warning(step: 4, .eperm, text: ""))
        #expect(read(packet(APUS_PROCESS, value: 77)) == .process(pid: 77))
        #expect(
            read(packet(APUS_HOOK, step: 1, value: 0x100, text: "out"))
                == .hookFailure(step: 1, .ended(.exited(1)), text: "out"))
        #expect(
            read(packet(APUS_HOOK, value: 9))
                == .hookFailure(step: 0, .ended(.signaled(9)), text: ""))
        #expect(
            read(packet(APUS_HOOK, value: -110))
                == .hookFailure(step: 0, .failed(.etimedout), text: ""))
    }

    @Test("What makes no sense is no message")
    func damaged() {
        let good = packet(APUS_FAILURE, step: 3, value: 2, text: "/nope")
        for size in 0..<good.count {
            #expect(InitMessage.read(good[..<size]) == nil)
        }
        #expect(InitMessage.read(packet(APUS_REQUEST, value: 99)[...]) == nil)
        #expect(InitMessage.read(packet(APUS_PROCESS, value: -1)[...]) == nil)
        #expect(InitMessage.read(packet(APUS_PROCEED, value: 1)[...]) == nil)
        var huge = good
        huge[14] = 0x7f
        #expect(InitMessage.read(huge[...]) == nil)
        huge[15] = 0xff
        #expect(InitMessage.read(huge[...]) == nil)
    }

    @Test("A report is several messages, the last of which may be cut off")
    func report() {
        let first = packet(APUS_WARNING, step: 1, value: 1, text: "a")
        let second = packet(APUS_FAILURE, step: 2, value: 13, text: "bc")
        let expected: [InitMessage] = [
            .warning(step: 1, Errno(1), text: "a"), .failure(step: 2, .eacces, text: "bc"),
        ]
        #expect(InitMessage.readAll(first + second) == expected)
        #expect(InitMessage.readAll(first + second + first.dropLast()) == expected)
        #expect(InitMessage.readAll([]).isEmpty)
    }

    @Test("A request brings its handle, and is answered")
    func request() throws {
        let stage = try Stage("sleep 60")
        let null = try FileDescriptor.open("/dev/null", .readOnly)
        _ = try stage.peer.send(packet(APUS_REQUEST, value: 3), handles: [null.borrowed])
        let event = try stage.process.receive()
        #expect(event.message == .request(.console, step: 0))
        let handle = try event.takeHandle()
        let type = try handle.status().specialDevice
        #expect(type == DeviceNumber(major: 1, minor: 3))
        try stage.process.proceed(from: .console)
        let answer = try stage.peer.receive(limit: 64).bytes
        #expect(answer == packet(APUS_PROCEED, step: -1, value: 3))
        stage.destroy()
    }

    @Test("A handle that did not come is an error")
    func missingHandle() throws {
        let stage = try Stage("sleep 60")
        _ = try stage.peer.send(packet(APUS_REQUEST, value: 3))
        let event = try stage.process.receive()
        do throws(Errno) {
            _ = try event.takeHandle()
            Issue.record("there was no handle")
        } catch {
            #expect(error == .eproto)
        }
        stage.destroy()
    }

    @Test("Death ends the wait, although somebody holds the socket")
    func death() throws {
        let stage = try Stage("exit 3")
        let message = try stage.process.receive().message
        #expect(message == nil)
        let status = try stage.process.process.wait()
        #expect(status == .exited(3))
    }

    @Test("What was said before death is heard first")
    func lastWords() throws {
        let stage = try Stage("exit 3")
        _ = try stage.peer.send(packet(APUS_FAILURE, step: 3, value: 2, text: "/nope"))
        _ = try stage.process.process.waitForEnd()
        let first = try stage.process.receive().message
        let second = try stage.process.receive().message
        #expect(first == .failure(step: 3, .enoent, text: "/nope"))
        #expect(second == nil)
        stage.destroy()
    }

    @Test("A message that makes no sense is an error, not an end")
    func nonsense() throws {
        let stage = try Stage("sleep 60")
        _ = try stage.peer.send([1, 2, 3])
        #expect(errno { () throws(Errno) in _ = try stage.process.receive() } == .eproto)
        _ = try stage.peer.send([UInt8](repeating: 0, count: 5000))
        #expect(errno { () throws(Errno) in _ = try stage.process.receive() } == .eproto)
        stage.destroy()
    }

    @Test("The intermediate process is reaped, and its brother is followed")
    func follow() throws {
        var stage = try Stage("exit 0")
        let next = try ProgramLaunch(
            .path("/bin/sleep"), arguments: ["sleep", "60"]
        ).start()
        let first = stage.process.pid
        try stage.process.follow(next.pid)
        #expect(stage.process.pid == next.pid)
        #expect(errno { () throws(Errno) in _ = try ProcessStatus(pid: first) } == .esrch)
        stage.destroy()
        #expect(errno { () throws(Errno) in _ = try ProcessStatus(pid: next.pid) } == .esrch)
    }
}

/// The errno that `body` throws; nil where it succeeds.
private func errno(of body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try body()
        return nil
    } catch {
        return error
    }
}

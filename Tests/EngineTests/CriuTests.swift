import JSON
import OCI
import Testing

@testable import Engine

@Suite("The messages of CRIU")
struct CriuMessageTests {
    /// protobuf.dev, "Encoding": the examples of the format's own description.
    @Test("Integers, texts and messages are laid out as the format says")
    func examples() {
        var number = ProtobufWriter()
        number.add(1, integer: 150)
        #expect(number.bytes == [0x08, 0x96, 0x01])
        var text = ProtobufWriter()
        text.add(2, text: "testing")
        #expect(text.bytes == [0x12, 0x07] + Array("testing".utf8))
        var outer = ProtobufWriter()
        outer.add(3, message: number)
        #expect(outer.bytes == [0x1a, 0x03, 0x08, 0x96, 0x01])
        var negative = ProtobufWriter()
        negative.add(1, integer: -2)
        #expect(negative.bytes == [0x08, 0xfe] + [UInt8](repeating: 0xff, count: 8) + [0x01])
        var large = ProtobufWriter()
        large.add(68, integer: 0)
        #expect(large.bytes == [0xa0, 0x04, 0x00])
    }

    @Test(
        "What was written is read",
        arguments: [0, 1, 127, 128, 0xffff_ffff, Int64.max, Int64.min, -1])
    func returns(_ value: Int64) throws {
        var inner = ProtobufWriter()
        inner.add(7, text: "é")
        var writer = ProtobufWriter()
        writer.add(1, integer: value)
        writer.add(37, message: inner)
        let message = try ProtobufMessage(writer.bytes)
        #expect(message.integer(1) == value)
        #expect(try message.message(37)?.text(7) == "é")
        #expect(message.integer(2) == nil && message.text(1) == nil)
    }

    @Test("The last value of a field counts; others of fixed width are passed over")
    func unknownFields() throws {
        let bytes: [UInt8] = [
            0x08, 1, 0x08, 2, 0x15, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x20, 9,
        ]
        let message = try ProtobufMessage(bytes)
        #expect(message.integer(1) == 2)
        #expect(message.integer(4) == 9)
    }

    @Test(
        "Bytes that are no message are an error",
        arguments: [
            [0x08], [0x08, 0x80], [0x12, 5, 1], [0x00, 1], [0x0b], [0x15, 1, 2],
            [0x08] + [UInt8](repeating: 0xff, count: 10) + [1],
            [0x12] + [UInt8](repeating: 0xff, count: 9) + [1],
        ] as [[UInt8]])
    func malformed(_ bytes: [UInt8]) {
        #expect(throws: MalformedMessage.self) { try ProtobufMessage(bytes) }
    }

    @Test("A request has its task and its options")
    func request() throws {
        var options = CriuOptions()
        options.set(.imageDirectory, 5)
        options.set(.leaveRunning)
        options.set(.shellJob, false)
        options.set(.external, "mnt[/a]:/a")
        options.inherit("pipe:[7]", number: 4)
        let request = try ProtobufMessage(CriuRequest.start(.dump, options))
        #expect(request.integer(1) == 1)
        let decoded = try #require(try request.message(2))
        #expect(decoded.integer(1) == 5)
        #expect(decoded.integer(3) == 1)
        #expect(decoded.integer(7) == nil)
        #expect(decoded.text(37) == "mnt[/a]:/a")
        let handle = try #require(try decoded.message(27))
        #expect(handle.text(1) == "pipe:[7]")
        #expect(handle.integer(2) == 4)
    }

    @Test("Responses: a notification, a success, a failure")
    func responses() throws {
        var notify = ProtobufWriter()
        notify.add(1, text: "post-restore")
        notify.add(2, integer: 77)
        var writer = ProtobufWriter()
        writer.add(1, integer: 6)
        writer.add(2, integer: 1)
        writer.add(5, message: notify)
        let notification = try CriuResponse(writer.bytes)
        #expect(notification.task == .notify)
        #expect(notification.notification == "post-restore")
        #expect(notification.pid == 77)
        var failed = ProtobufWriter()
        failed.add(1, integer: 1)
        failed.add(2, integer: 0)
        failed.add(7, integer: 52)
        failed.add(9, text: "no")
        let failure = try CriuResponse(failed.bytes)
        #expect(!failure.isSuccess)
        #expect(failure.errno == 52)
        #expect(failure.message == "no")
        #expect(throws: MalformedMessage.self) { try CriuResponse([0x08, 1]) }
    }
}

@Suite("The log of CRIU")
struct CriuLogTests {
    @Test("The first error is quoted without time and place")
    func first() {
        let log = """
            (00.000001) Version: 4.1
            (00.081690) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: EPERM
            Error (criu/util.c:641): execvp("iptables-save", ...) failed: No such file or directory
            (00.735221) Error (criu/util.c:1722): iptables-save -V failed
            (00.2) pie: Error was here
            (00.3)      12: Error (criu/sk-inet.c:190): inet: Connected TCP socket, consider using it
            (00.4) Error (criu/cr-dump.c:2098): Dumping FAILED.

            """
        #expect(
            CriuLog.firstError(in: log) == "inet: Connected TCP socket, consider using it")
    }

    @Test("A log without an error quotes none", arguments: ["", "\n", "(00.1) fine\n", "Error"])
    func none(_ log: String) {
        #expect(CriuLog.firstError(in: log) == nil)
    }
}

@Suite("What a checkpoint shares with the host")
struct OutsideResourceTests {
    @Test("Binds, masks and namespaces of a configuration")
    func configuration() throws {
        let text = """
            {"ociVersion": "1.0.2", "root": {"path": "r"},
             "mounts": [
               {"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/a//b/", "type": "bind", "source": "/host"},
               {"destination": "/c", "type": "none", "source": "./rel/.", "options": ["rbind", "ro"]}],
             "linux": {"maskedPaths": ["/proc/kcore"],
               "namespaces": [{"type": "pid"}, {"type": "network", "path": "/net"},
                              {"type": "ipc", "path": "/ipc"}]}}
            """
        let spec = try Spec.decode(Array(text.utf8))
        let expected = [
            OutsideMount(destination: "/a/b", key: "/a/b", source: "/host"),
            OutsideMount(destination: "/c", key: "/c", source: "/bundle/rel"),
            OutsideMount(destination: "/proc/kcore", key: "/dev/null", source: "/dev/null"),
        ]
        #expect(OutsideMount.list(spec, bundle: "/bundle") == expected)
        let namespaces = [
            OutsideNamespace(type: "net", path: "/net", handling: .key("extRootNetNS")),
            OutsideNamespace(type: "ipc", path: "/ipc", handling: .joined),
        ]
        #expect(try OutsideNamespace.list(spec) == namespaces)
    }

    @Test("Names of stdio: pipes and files of the host are replaced, the rest is in the image")
    func names() throws {
        let names = ["/dev/null", "pipe:[12]", "file[1a:2b]"]
        #expect(names.map(OutsideStdio.isReplaceable) == [false, true, true])
        #expect(try OutsideStdio.decode(OutsideStdio.encode(names)) == names)
        #expect(throws: Failure.self) { try OutsideStdio.decode(Array("{}".utf8)) }
        #expect(OutsideStdio.mountID(in: "pos:\t0\nflags:\t01\nmnt_id:\t43\nino:\t9") == 43)
        #expect(OutsideStdio.mountID(in: "pos:\t0") == nil)
    }
}

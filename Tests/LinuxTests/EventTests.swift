import Testing

@testable import Linux

@Suite("Waiting and talking")
struct EventTests {
    @Test("A handle travels with a message, and is a new one")
    func handles() throws {
        let pair = try SocketPair(.sequencedPacket)
        let pipe = try Pipe()
        #expect(try pair.first.send([1, 2, 3], handles: [pipe.writing.borrowed]) == 3)
        let received = try pair.second.receive(limit: 16)
        #expect(received.bytes == [1, 2, 3])
        guard let writing = received.takeHandle() else {
            Issue.record("no handle came")
            return
        }
        #expect(writing.raw != pipe.writing.raw)
        #expect(try writing.closeOnExec())
        try writing.writeAll("through")
        #expect(try pipe.reading.readAtMost(16) == [UInt8]("through".utf8))
    }

    @Test("A packet longer than the room for it is told of")
    func truncated() throws {
        let pair = try SocketPair(.sequencedPacket)
        _ = try pair.first.send([UInt8](repeating: 1, count: 32))
        let isTruncated = try pair.second.receive(limit: 16).isTruncated
        #expect(isTruncated)
    }

    @Test("Handles that nobody takes are closed")
    func surplus() throws {
        let pair = try SocketPair(.sequencedPacket)
        let reading: FileDescriptor
        do {
            let pipe = try Pipe()
            reading = try pipe.reading.duplicate()
            let handle = pipe.writing.borrowed
            _ = try pair.first.send([1], handles: [handle, handle])
        }
        do { _ = try pair.second.receive(limit: 16) }
        // Nobody can write any more.
        let end = try reading.poll(.readable, until: MonotonicClock.now())
        #expect(end == .hangup)
    }

    @Test("The end of a connection is an empty message")
    func end() throws {
        let pair = try SocketPair(.sequencedPacket)
        try pair.first.shutdownSending()
        let bytes = try pair.second.receive(limit: 16).bytes
        #expect(bytes.isEmpty)
    }

    @Test("A Unix socket is found by its path; its peer is known")
    func unixSocket() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        let server = try FileDescriptor.listen(path)
        let client = try FileDescriptor.connect(path)
        let connection = try server.accept()
        #expect(try client.peerCredentials().pid == CurrentProcess.pid)
        try client.writeAll("hello")
        #expect(try connection.readAtMost(16) == [UInt8]("hello".utf8))
        let long = path + String(repeating: "x", count: 200)
        #expect(errno { () throws(Errno) in _ = try FileDescriptor.connect(long) } == .enametoolong)
    }

    @Test("A wait ends at its deadline, or with an event")
    func poll() throws {
        let pipe = try Pipe()
        let began = MonotonicClock.now()
        #expect(try pipe.reading.poll(.readable, until: began + 20_000_000).isEmpty)
        #expect(MonotonicClock.now() - began >= 20_000_000)
        try pipe.writing.writeAll("x")
        #expect(try pipe.reading.poll(.readable) == .readable)
    }

    @Test("A set reports each handle under its own index")
    func pollSet() throws {
        let first = try Pipe()
        let second = try Pipe()
        var set = PollSet()
        let one = set.add(first.reading, .readable)
        let two = set.add(second.reading, .readable)
        try second.writing.writeAll("x")
        #expect(try set.wait() == 1)
        #expect(set[one].isEmpty)
        #expect(set[two] == .readable)
        set.set(two, second.reading, nil)
        #expect(try set.wait(until: MonotonicClock.now()) == 0)
    }

    @Test("Changes of a watched file are reported")
    func watch() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.replaceFile("file", [], mode: 0o600)
        let watcher = try Watcher()
        let file = try watcher.add(directory.path + "/file", .modified)
        let all = try watcher.add(directory.path, [.created, .deleted])
        #expect(try watcher.events().isEmpty)
        try directory.handle.open("file", .writeOnly).writeAll("x")
        try directory.handle.makeFIFO("new", mode: 0o600)
        let events = try watcher.events()
        #expect(events.map(\.watch) == [file, all])
        #expect(events.map(\.events) == [.modified, .created])
    }

    @Test("Random bytes differ")
    func random() throws {
        #expect(try randomBytes(16) != randomBytes(16))
    }
}

extension Handle where Self: ~Copyable {
    /// One read.
    fileprivate func readAtMost(_ limit: Int) throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        return [UInt8](buffer[..<(try read(into: &buffer))])
    }
}

import Testing

@testable import Linux

@Suite("Files")
struct FileTests {
    @Test("A file is replaced as a whole, and leaves nothing beside it")
    func replace() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.replaceFile("record", [1, 2, 3], mode: 0o600)
        try directory.handle.replaceFile("record", [4], mode: 0o600)
        #expect(try directory.handle.readFile("record") == [4])
        #expect(try directory.handle.entries().map(\.name) == ["record"])
        #expect(try directory.handle.status("record").mode == 0o600)
    }

    @Test("A file longer than the limit is refused")
    func limit() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.replaceFile("file", [UInt8](repeating: 7, count: 100), mode: 0o600)
        #expect(try directory.handle.readFile("file", limit: 100).count == 100)
        #expect(
            errno { () throws(Errno) in _ = try directory.handle.readFile("file", limit: 99) }
                == .efbig)
    }

    @Test("A path stays in the root that it is resolved in")
    func resolve() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.symlink("/etc", at: "link")
        #expect(
            errno { () throws(Errno) in
                _ = try directory.handle.open("link/passwd", .readOnly, resolve: .inRoot)
            }
                == .enoent)
        #expect(
            errno { () throws(Errno) in
                _ = try directory.handle.open("../x", .readOnly, resolve: .beneath)
            }
                == .exdev)
        #expect(
            errno { () throws(Errno) in
                _ = try directory.handle.open("link", .path, resolve: .noSymlinks)
            }
                == .eloop)
    }

    @Test("Directories are made with what is missing above them")
    func makeDirectories() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.makeDirectories("a/b/c", mode: 0o755)
        try directory.handle.makeDirectories("a/b/c", mode: 0o755)
        #expect(try directory.handle.status("a/b/c").type == .directory)
        try directory.handle.replaceFile("file", [], mode: 0o600)
        #expect(
            errno { () throws(Errno) in try directory.handle.makeDirectories("file/x", mode: 0o755)
            } == .enotdir)
        #expect(
            errno { () throws(Errno) in try directory.handle.makeDirectories("file", mode: 0o755) }
                == .enotdir)
    }

    @Test("A tree is removed without following its links")
    func removeTree() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.makeDirectories("keep", mode: 0o755)
        try directory.handle.makeDirectories("tree/a/b", mode: 0o755)
        try directory.handle.symlink("../../keep", at: "tree/a/link")
        try directory.handle.makeFIFO("tree/fifo", mode: 0o600)
        try directory.handle.removeTree("tree")
        try directory.handle.removeTree("tree")
        #expect(try directory.handle.entries().map(\.name) == ["keep"])
    }

    @Test("A listing has names and types, also one longer than a buffer")
    func listing() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.makeFIFO("fifo", mode: 0o600)
        #expect(try directory.handle.entries().first?.type == .fifo)
        let long = String(repeating: "x", count: 200)
        for number in 0..<300 {
            _ = try directory.handle.open("\(long)\(number)", [.writeOnly, .create], mode: 0o600)
        }
        #expect(try directory.handle.entries().count == 301)
        #expect(try directory.handle.entries().count == 301)
    }

    @Test("A lock keeps another handle away until its owner is closed")
    func lock() throws {
        let directory = try TemporaryDirectory()
        let other = try directory.handle.open("lock", [.readWrite, .create], mode: 0o600)
        do {
            let owner = try directory.handle.open("lock", [.readWrite], mode: 0o600)
            try owner.lock()
            #expect(try !other.tryLock())
            #expect(try !other.tryLock(.shared))
        }
        #expect(try other.tryLock())
    }

    @Test("A sealed file cannot be changed, nor its seals")
    func sealed() throws {
        let file = try FileDescriptor.sealed(name: "test", [1, 2, 3])
        #expect(try file.readAll(limit: 10) == [1, 2, 3])
        #expect(errno { () throws(Errno) in _ = try file.write([9]) } == .eperm)
        #expect(errno { () throws(Errno) in try file.truncate(to: 0) } == .eperm)
        #expect(errno { () throws(Errno) in try file.seal(.write) } == .eperm)
        #expect(try file.seals().isSuperset(of: .all))
    }

    @Test("A rename that must not replace does not")
    func rename() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.replaceFile("a", [1], mode: 0o600)
        try directory.handle.replaceFile("b", [2], mode: 0o600)
        #expect(
            errno { () throws(Errno) in try directory.handle.rename("a", to: "b", replacing: false)
            } == .eexist)
        try directory.handle.rename("a", to: "b")
        #expect(try directory.handle.readFile("b") == [1])
    }

    @Test("Links are read, files told apart, file systems known")
    func status() throws {
        let directory = try TemporaryDirectory()
        try directory.handle.symlink("target", at: "link")
        #expect(try directory.handle.readLink("link") == "target")
        #expect(try directory.handle.status("link", following: false).type == .symlink)
        let proc = try FileDescriptor.open("/proc", [.path, .directory])
        #expect(try proc.fileSystem() == .proc)
        let null = try BorrowedHandle.workingDirectory.status("/dev/null")
        #expect(null.specialDevice == DeviceNumber(major: 1, minor: 3))
        #expect(try !null.isSameFile(as: proc.status()))
        #expect(try proc.status().isMountRoot)
    }

    @Test("An unnamed file gets a name")
    func temporary() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.handle.open(".", [.temporary, .writeOnly], mode: 0o600)
        try file.writeAll("text")
        try directory.handle.link(file, as: "named")
        #expect(try directory.handle.readText("named") == "text")
    }
}

import Testing

@testable import Linux

@Suite("Texts of the kernel and of people")
struct ParsingTests {
    @Test(
        "Moments as Go prints them",
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (951_868_799, 999_999_999, "2000-02-29T23:59:59.999999999Z"),
            (1_763_747_809, 12_300_000, "2025-11-21T17:56:49.0123Z"),
            (4_107_542_400, 500_000_000, "2100-03-01T00:00:00.5Z"),
            (-1, 1, "1969-12-31T23:59:59.000000001Z"),
            (-2_208_988_800, 0, "1900-01-01T00:00:00Z"),
        ] as [(Int64, Int64, String)])
    func timestamps(seconds: Int64, nanoseconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds, nanoseconds: nanoseconds).rfc3339Nano == text)
    }

    @Test("A process whose name looks like more fields")
    func processStatus() throws {
        let line = "42 (a) Z 1 (x) ) S 7 42 43 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000"
        let status = try #require(ProcessStatus(parsing: [UInt8](line.utf8)))
        #expect(status.state == UInt8(ascii: "S"))
        #expect(status.parent == 7)
        #expect(status.processGroup == 42)
        #expect(status.session == 43)
        #expect(status.startTime == 987654)
        #expect(ProcessStatus(parsing: [UInt8]("42 (a) S 7".utf8)) == nil)
        #expect(ProcessStatus(parsing: []) == nil)
    }

    @Test(
        "Signals by name and number",
        arguments: [
            ("9", 9), ("KILL", 9), ("SIGKILL", 9), ("sigterm", 15), ("SYS", 31), ("RTMIN", 34),
            ("RTMIN+3", 37), ("SIGRTMAX-1", 63), ("64", 64), ("0", 0), ("IOT", 6), ("USR1", 10),
            ("TERM ", nil), ("65", nil), ("-1", nil), ("", nil), ("SIG", nil), ("RTMAX+1", nil),
            ("RTMIN+x", nil), ("9x", nil), ("99999999999999999999", nil),
        ] as [(String, Int32?)])
    func signals(text: String, number: Int32?) {
        #expect(Signal.parse(text) == number)
    }

    @Test("Numbers that do not fit are none")
    func numbers() {
        #expect(number("9223372036854775807".utf8) == .max)
        #expect(number("9223372036854775808".utf8) == nil)
        #expect(number("-12".utf8) == -12)
        #expect(number("--12".utf8) == nil)
        #expect(number("-".utf8) == nil)
        #expect(number("1 ".utf8) == nil)
    }

    @Test("Subordinate ids belong to a name or a number; damaged lines are left out")
    func subordinateRanges() {
        let file = [UInt8](
            "ann:100000:65536\n1000:1:2\nbob:5:6\nann:x:1\nann:1\nann:4294967296:1\n".utf8)
        #expect(
            Users.subordinateRanges(file, owner: "ann", uid: 1000)
                == [
                    SubordinateRange(first: 100000, count: 65536),
                    SubordinateRange(first: 1, count: 2),
                ])
        #expect(Users.subordinateRanges(file, owner: nil, uid: 7).isEmpty)
    }

    @Test("A user's name")
    func users() {
        let file = [UInt8]("root:x:0:0::/root:/bin/sh\n:x:5:5::/:\nann:x:1000:1000::/:/bin/sh".utf8)
        #expect(Users.name(uid: 1000, passwd: file) == "ann")
        #expect(Users.name(uid: 5, passwd: file) == nil)
        #expect(Users.name(uid: 6, passwd: file) == nil)
    }

    @Test("Sets of signals")
    func signalSets() throws {
        var set = SignalSet()
        set.insert(1)
        set.insert(64)
        #expect(set.mask == 0x8000_0000_0000_0001)
        #expect(set.contains(64) && !set.contains(2))
        set.remove(64)
        #expect(set.mask == 1)
    }

    @Test("Mounts of mountinfo, with tags and without, their escapes undone")
    func mountTable() {
        let text = """
            24 30 0:22 / /sys/fs/cgroup ro,nosuid shared:9 master:1 - tmpfs tmpfs ro,mode=755
            36 24 0:30 /docker/a\\040b /mnt/c\\134d rw - cgroup2 cgroup rw
            garbage
            1 2 3
            37 24 0:31 / /x rw - ext4
            """
        #expect(
            MountTable.parse(text) == [
                MountEntry(
                    id: 24, root: "/", mountPoint: "/sys/fs/cgroup", type: "tmpfs",
                    options: ["ro", "mode=755"]),
                MountEntry(
                    id: 36, root: "/docker/a b", mountPoint: "/mnt/c\\d", type: "cgroup2",
                    options: ["rw"]),
            ])
    }

    @Test("The runtime's own mounts can be read")
    func ownMounts() throws {
        #expect(try MountTable.read().contains { $0.mountPoint == "/proc" && $0.type == "proc" })
    }
}

import Cgroups
import OCI
import Testing

@testable import Engine

@Suite("Record")
struct RecordTests {
    private var record: Record {
        var record = Record(id: "web-1")
        record.generation = "81f3"
        record.process = ProcessIdentity(pid: 42, startTime: 9_000_000_000, bootID: "b00t")
        record.cgroup = CgroupPlace(
            driver: .systemd, path: "/a.slice/x|y.scope", unit: "x.scope", isUserUnit: true,
            stamp: "web-1 81f3")
        record.sharesPIDNamespace = true
        record.ociVersion = "1.3.0"
        record.bundle = "/b"
        record.rootfs = "/b/rootfs"
        record.created = "2026-11-21T17:56:49.1Z"
        record.owner = "root"
        record.annotations = ["a": "1\n2", "ä": "\"quoted\""]
        var hook = Spec.Hook()
        hook.path = "/bin/true"
        hook.timeout = 3
        record.poststop = [hook]
        record.firstStep = 7
        record.stepNames = ["process.args", "run x"]
        return record
    }

    @Test("is read as it was written")
    func roundTrip() throws {
        #expect(try Record(decoding: record.encoded()) == record)
    }

    @Test("is refused when it is cut anywhere")
    func cut() {
        let bytes = record.encoded()
        for length in 0..<bytes.count {
            #expect(throws: DamagedRecord.self) {
                try Record(decoding: Array(bytes[..<length]))
            }
        }
    }

    @Test("is refused when a byte of it changed")
    func changed() {
        let bytes = record.encoded()
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x01
            #expect(throws: DamagedRecord.self) { try Record(decoding: damaged) }
        }
    }

    @Test("is refused with something behind it")
    func trailing() {
        #expect(throws: DamagedRecord.self) { try Record(decoding: record.encoded() + [0x20]) }
    }

    @Test("of another version says so")
    func version() {
        let reason = DamagedRecord(reason: "version 2; this runtime writes 1")
        #expect(throws: reason) { try Record(decoding: Array("apus-record 2 0 00000000\n".utf8)) }
    }

    @Test("has the checksum of everybody's CRC-32")
    func crc() {
        #expect(checksum(of: Array("123456789".utf8)) == 0xcbf4_3926)
        #expect(hexadecimal(0xab) == "000000ab")
    }

    @Test("leaves its cgroup and process in a line of text each")
    func journal() {
        #expect(CgroupPlace(journalText: record.cgroup.journalText) == record.cgroup)
        #expect(ProcessIdentity(journalText: record.process.journalText) == record.process)
        for text in ["", "||", "nobody|||/x", "cgroupfs"] {
            #expect(CgroupPlace(journalText: text) == nil)
        }
        for text in ["", "1:2", "x:2:b", "1:-2:b", "1:2:b:c"] {
            #expect(ProcessIdentity(journalText: text) == nil)
        }
    }
}

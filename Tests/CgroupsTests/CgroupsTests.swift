import Linux
import Testing

@testable import Cgroups

@Suite struct Places {
    private let facts: CgroupFacts = {
        var facts = CgroupFacts()
        facts.mountPoint = "/sys/fs/cgroup"
        facts.ownPath = "/user.slice/mine"
        return facts
    }()

    private func path(_ cgroupsPath: String) throws -> String {
        try CgroupPlace.decide(
            cgroupsPath: cgroupsPath, id: "x1", driver: .cgroupfs, facts: facts, needsCgroup: true
        ).path
    }

    @Test func `An absolute path counts from the mount's root`() throws {
        #expect(try path("/a/b") == "/a/b")
        #expect(try path("//a/./b/") == "/a/b")
    }

    @Test func `A relative path counts from the parent of the runtime's own cgroup`() throws {
        #expect(try path("a/b") == "/user.slice/a/b")
    }

    @Test func `Without a path the name tells the container's`() throws {
        #expect(try path("") == "/user.slice/apus-x1")
    }

    @Test(arguments: ["/..", "a/../b", "/a/..", "/", "//", "/.", "/a\0b", "/a\nb"])
    func `A path that leads elsewhere is refused`(cgroupsPath: String) {
        #expect(throws: CgroupFailure.self) { try path(cgroupsPath) }
    }

    @Test func `A name of 256 bytes is refused`() throws {
        #expect(try path("/" + String(repeating: "a", count: 255)).utf8.count == 256)
        #expect(throws: CgroupFailure.self) { try path("/" + String(repeating: "a", count: 256)) }
    }

    @Test func `Without cgroup2 only limits are an error`() throws {
        let none = CgroupFacts()
        let place = try CgroupPlace.decide(
            cgroupsPath: "", id: "x", driver: .cgroupfs, facts: none, needsCgroup: false)
        #expect(place.driver == .disabled)
        #expect(throws: CgroupFailure.self) {
            try CgroupPlace.decide(
                cgroupsPath: "", id: "x", driver: .cgroupfs, facts: none, needsCgroup: true)
        }
        #expect(throws: CgroupFailure.self) {
            try CgroupPlace.decide(
                cgroupsPath: "", id: "x", driver: .systemd, facts: none, needsCgroup: false)
        }
    }

    @Test func `The disabled driver has no place`() throws {
        let place = try CgroupPlace.decide(
            cgroupsPath: "/a", id: "x", driver: .disabled, facts: facts, needsCgroup: true)
        #expect(place == CgroupPlace())
    }
}

@Suite struct `systemd's names` {
    static let names = [
        ("machine.slice:libpod:abc", "/machine.slice/libpod-abc.scope", "libpod-abc.scope"),
        ("system.slice:docker:abc", "/system.slice/docker-abc.scope", "docker-abc.scope"),
        ("", "/system.slice/apus-id.scope", "apus-id.scope"),
        (":runc:x", "/system.slice/runc-x.scope", "runc-x.scope"),
        ("::x", "/system.slice/x.scope", "x.scope"),
        ("a-b-c.slice:p:x", "/a.slice/a-b.slice/a-b-c.slice/p-x.scope", "p-x.scope"),
        ("-.slice:p:x", "/p-x.scope", "p-x.scope"),
        ("system.slice:p:my-own.slice", "/my.slice/my-own.slice", "my-own.slice"),
        ("system.slice:p:", "/system.slice/p-id.scope", "p-id.scope"),
    ]

    @Test(arguments: names) func `give the unit and its path`(
        cgroupsPath: String, path: String, unit: String
    ) throws {
        let name = try SystemdName(cgroupsPath, id: "id", isRootless: false)
        #expect(name.unit == unit)
        #expect(try name.path(below: "") == path)
    }

    @Test func `A user's units lie below the user's systemd`() throws {
        let name = try SystemdName("", id: "id", isRootless: true)
        #expect(name.slice == "user.slice")
        #expect(
            try name.path(below: "/user@1.service") == "/user@1.service/user.slice/apus-id.scope")
        #expect(try name.path(below: "/") == "/user.slice/apus-id.scope")
    }

    @Test(arguments: [
        "/a/b", "a", "a:b", "a.slice:b:c:d", "nope:p:x", "-a.slice:p:x", "a-.slice:p:x",
        "a--b.slice:p:x", ".slice:p:x", "../x.slice:p:x", "a/b.slice:p:x", "s.slice:a/b:x",
    ]) func `are refused`(cgroupsPath: String) {
        #expect(throws: CgroupFailure.self) {
            try SystemdName(cgroupsPath, id: "id", isRootless: false).path(below: "")
        }
    }

    @Test func `A character that no unit has is escaped`() throws {
        let name = try SystemdName("", id: "a+b", isRootless: false)
        #expect(name.unit == #"apus-a\x2bb.scope"#)
    }

    @Test func `The slice is the directory above the unit`() {
        func slice(_ path: String) -> String { CgroupPlace(driver: .systemd, path: path).slice }
        #expect(slice("/a.slice/a-b.slice/x.scope") == "a-b.slice")
        #expect(slice("/x.scope") == "-.slice")
    }
}

@Suite struct `What /proc says` {
    @Test func `The line of cgroup v2`() {
        #expect(unifiedPath(in: "4:memory:/x\n0::/a/b\n") == "/a/b")
        #expect(unifiedPath(in: "0::/\n") == "/")
        #expect(unifiedPath(in: "0::/a (deleted)") == "/a")
        #expect(unifiedPath(in: "4:memory:/x\n") == nil)
    }

    @Test func `A path that leads out of the namespace is none`() {
        #expect(relativePath("/../..") == nil)
        #expect(relativePath("/a/../b") == nil)
        #expect(relativePath("/") == ".")
        #expect(relativePath("/a/b/") == "a/b")
    }

    @Test func `Mounts of cgroup2`() {
        let mounts = MountTable.parse(
            """
            35 24 0:30 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate
            36 24 0:30 /docker/a /mnt/c rw - cgroup2 cgroup rw
            37 24 0:31 / /x rw - cgroup cgroup rw,memory
            """)
        #expect(mounts.lastCgroup2(at: "/sys/fs/cgroup/unified") == mounts[0])
        #expect(mounts.lastCgroup2() == mounts[1])
        #expect(mounts.lastCgroup2(at: "/x") == nil)
    }

    @Test func `The caller's uid outside of its user namespace`() {
        let map = "         0       1000          1\n         1     100000      65536\n"
        #expect(BusAddress.outerID(of: 0, map: map) == 1000)
        #expect(BusAddress.outerID(of: 5, map: map) == 100_004)
        #expect(BusAddress.outerID(of: 70_000, map: map) == nil)
        #expect(BusAddress.outerID(of: 7, map: "0 0 4294967295") == 7)
    }
}

import Testing

@testable import Cgroups
@testable import DBus
@testable import Plan

@Suite struct `systemd's properties` {
    private func settings(_ file: String, _ value: String) throws -> [UnitSetting] {
        try SystemdProperties.settings(for: [CgroupWrite("origin", file, value)])
    }

    @Test func `Numbers, and max`() throws {
        #expect(try settings("memory.max", "4096") == [UnitSetting("MemoryMax", .uint64(4096))])
        #expect(try settings("memory.max", "max") == [UnitSetting("MemoryMax", .uint64(.max))])
        #expect(try settings("pids.max", "50") == [UnitSetting("TasksMax", .uint64(50))])
        #expect(try settings("pids.max", "0") == [UnitSetting("TasksMax", .uint64(1))])
        #expect(try settings("memory.swap.max", "0") == [UnitSetting("MemorySwapMax", .uint64(0))])
        #expect(try settings("cpu.weight", "79") == [UnitSetting("CPUWeight", .uint64(79))])
    }

    @Test func `A quota is time a second, rounded up to whole percents`() throws {
        func perSecond(_ value: String) throws -> DBusValue? {
            try settings("cpu.max", value).last?.value
        }
        #expect(try perSecond("50000 100000") == .uint64(500_000))
        #expect(try perSecond("33333 100000") == .uint64(340_000))
        #expect(try perSecond("200000 100000") == .uint64(2_000_000))
        #expect(try perSecond("max 100000") == .uint64(.max))
        #expect(try settings("cpu.max", "50000 20000").first?.value == .uint64(20_000))
        // Without a period the present one stays.
        #expect(try settings("cpu.max", "50000").map(\.name) == ["CPUQuotaPerSecUSec"])
    }

    @Test func `CPU lists are bit masks`() throws {
        #expect(
            try settings("cpuset.cpus", "0,2-3,9") == [
                UnitSetting("AllowedCPUs", .bytes([0x0D, 2]))
            ])
        #expect(try settings("cpuset.mems", "0").first?.name == "AllowedMemoryNodes")
        #expect(throws: CgroupFailure.self) { try settings("cpuset.cpus", "3-1") }
    }

    @Test func `Weights of devices have no property`() throws {
        #expect(try settings("io.weight", "default 200") == [UnitSetting("IOWeight", .uint64(200))])
        #expect(try settings("io.weight", "8:0 200").isEmpty)
        var write = CgroupWrite("origin", "io.bfq.weight", "500")
        write.fallback = CgroupFallback(file: "io.weight", value: "4950")
        #expect(
            try SystemdProperties.settings(for: [write]) == [UnitSetting("IOWeight", .uint64(4950))]
        )
    }

    @Test func `The later of two writes wins, and other files have no property`() throws {
        let settings = try SystemdProperties.settings(for: [
            CgroupWrite("a", "memory.max", "1"), CgroupWrite("b", "memory.max", "2"),
            CgroupWrite("c", "hugetlb.2MB.max", "2"), CgroupWrite("d", "memory.max", "nonsense"),
        ])
        #expect(settings == [UnitSetting("MemoryMax", .uint64(2))])
    }

    @Test func `Annotations are read as GVariant text, seconds as microseconds`() throws {
        let settings = try SystemdProperties.settings(for: [
            UnitProperty(name: "TimeoutStopUSec", value: "uint64 10000000"),
            UnitProperty(name: "KillSignal", value: "37"),
            UnitProperty(name: "TimeoutStartSec", value: "1.5"),
            UnitProperty(name: "CollectMode", value: "'inactive-or-failed'"),
        ])
        #expect(
            settings == [
                UnitSetting("TimeoutStopUSec", .uint64(10_000_000)),
                UnitSetting("KillSignal", .int32(37)),
                UnitSetting("TimeoutStartUSec", .uint64(1_500_000)),
                UnitSetting("CollectMode", .string("inactive-or-failed")),
            ])
    }

    @Test(arguments: [
        ("Bad", "x"), ("A-B", "1"), ("", "1"), ("RuntimeMaxSec", "-1"), ("XSec", "'a'"),
    ])
    func `Other annotations are refused`(name: String, value: String) {
        #expect(throws: CgroupFailure.self) {
            try SystemdProperties.settings(for: [UnitProperty(name: name, value: value)])
        }
    }

    @Test func `A new scope holds its first process and is delegated`() throws {
        var plan = CgroupPlan()
        plan.writes = [CgroupWrite("linux.resources.pids.limit", "pids.max", "5")]
        plan.unitProperties = [UnitProperty(name: "DefaultDependencies", value: "true")]
        let place = CgroupPlace(driver: .systemd, path: "/m.slice/x.scope", unit: "x.scope")
        let settings = try Cgroup.unitSettings(place, plan, description: "d", firstProcess: 42)
        func value(_ name: String) -> DBusValue? { settings.first { $0.name == name }?.value }
        #expect(value("PIDs") == .array(of: "u", [.uint32(42)]))
        #expect(value("Slice") == .string("m.slice"))
        #expect(value("Delegate") == .boolean(true))
        #expect(value("TasksMax") == .uint64(5))
        // What an annotation says comes last.
        #expect(value("DefaultDependencies") == .boolean(true))
        let slice = try Cgroup.unitSettings(place, plan, description: "d", firstProcess: nil)
        #expect(!slice.contains { $0.name == "PIDs" || $0.name == "Delegate" })
    }
}

@Suite struct `CPU lists` {
    @Test func `are bit masks`() {
        #expect(CPUList.mask("") == [])
        #expect(CPUList.mask("0") == [1])
        #expect(CPUList.mask("8\n") == [0, 1])
        #expect(CPUList.mask("0-7,7") == [0xFF])
    }

    @Test(arguments: ["-", "1-", "-1", "a", "1-2-3", "0-99999999", "1 2"])
    func `are refused`(list: String) {
        #expect(CPUList.mask(list) == nil)
    }
}

@Suite struct `Old values` {
    @Test func `A plain file is written back as it was`() {
        #expect(OldValue.restoring("memory.max", text: "max\n", after: "5") == "max")
        #expect(OldValue.restoring("cpu.max", text: "max 100000", after: "1 2") == "max 100000")
        #expect(OldValue.restoring("cpuset.cpus", text: "\n", after: "0") == "")
    }

    @Test func `Of a file with keys the line of the key`() {
        let text =
            "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=max riops=max wiops=max"
        #expect(
            OldValue.restoring("io.max", text: text, after: "8:16 rbps=5")
                == "8:16 rbps=2 wbps=max riops=max wiops=max")
        #expect(
            OldValue.restoring("io.max", text: text, after: "9:0 rbps=5")
                == "9:0 rbps=max wbps=max riops=max wiops=max")
    }

    @Test func `Weights have a default line`() {
        #expect(
            OldValue.restoring("io.weight", text: "default 100\n8:0 50", after: "200")
                == "default 100")
        #expect(
            OldValue.restoring("io.weight", text: "default 100", after: "default 7")
                == "default 100")
        #expect(
            OldValue.restoring("io.weight", text: "default 100", after: "8:0 7") == "8:0 default")
        #expect(
            OldValue.restoring("io.bfq.weight", text: "default 100", after: "7") == "default 100")
    }

    @Test func `What only triggers something has none`() {
        #expect(OldValue.restoring("memory.reclaim", text: "", after: "1M") == nil)
    }
}

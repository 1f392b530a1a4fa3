import Glibc
import OCI
import Testing

@testable import Plan

@Suite("Cgroup files")
struct CgroupTests {
    /// The curve in floating point, as its inventors print it.
    private func curve(_ shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        let l = Glibc.log2(Double(shares))
        return UInt64(Glibc.ceil(Glibc.pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)))
    }

    @Test func unifiedIsWrittenLineByLine() throws {
        var resources = Spec.Resources()
        resources.unified = ["io.max": "7:0 riops=1\n7:1 riops=2\n", "cpu.idle": ""]
        let writes = try Planner.planUpdate(resources, recorded: nil, host: Host()).writes
        #expect(writes.map(\.value) == ["", "7:0 riops=1", "7:1 riops=2"])
    }

    @Test func weightsFollowTheCurve() {
        #expect(CgroupValues.weight(shares: 0) == nil)
        #expect(CgroupValues.weight(shares: 1) == 1)
        #expect(CgroupValues.weight(shares: 2) == 1)
        #expect(CgroupValues.weight(shares: 1024) == 100)
        #expect(CgroupValues.weight(shares: 262_144) == 10_000)
        #expect(CgroupValues.weight(shares: .max) == 10_000)
        for shares in stride(from: UInt64(2), to: 262_144, by: 7) {
            #expect(CgroupValues.weight(shares: shares) == curve(shares), "\(shares)")
        }
    }

    @Test(arguments: [(10, 1), (100, 910), (500, 4950), (1000, 10000)])
    func ioWeights(blkio: UInt16, weight: UInt64) {
        #expect(CgroupValues.ioWeight(blkio: blkio) == weight)
    }

    @Test(
        arguments: [
            (0, 0, nil), (0, 1000, nil), (0, -1, -1), (-1, 1000, -1), (-1, 0, -1),
            (3000, 1000, 2000),
            (1000, 1000, 0),
        ] as [(Int64, Int64, Int64?)])
    func swap(swap: Int64, limit: Int64, result: Int64?) {
        #expect(CgroupValues.swapMax(swap: swap, limit: limit) == result)
    }

    private func files(_ json: String) throws -> [String] {
        let resources = try Spec.Resources.decode(Array(json.utf8))
        try resources.validate(at: "linux.resources")
        return CgroupFiles(resources).writes().map { "\($0.file)=\($0.value)" }
    }

    @Test(
        arguments: [
            (
                #"{"memory":{"limit":100,"swap":300,"reservation":50}}"#,
                ["memory.swap.max=200", "memory.max=100", "memory.low=50"]
            ),
            (#"{"memory":{"limit":-1}}"#, ["memory.swap.max=max", "memory.max=max"]),
            (#"{"memory":{"limit":0,"swap":0}}"#, []),
            (
                #"{"cpu":{"shares":1024,"quota":50000,"period":100000,"burst":10}}"#,
                ["cpu.weight=100", "cpu.max=50000 100000", "cpu.max.burst=10"]
            ),
            (#"{"cpu":{"quota":-1}}"#, ["cpu.max=max"]),
            (#"{"cpu":{"period":20000}}"#, ["cpu.max=max 20000"]),
            (#"{"cpu":{"idle":1,"shares":512}}"#, ["cpu.idle=1"]),
            (#"{"cpu":{"cpus":"0-1","mems":"0"}}"#, ["cpuset.cpus=0-1", "cpuset.mems=0"]),
            (#"{"pids":{"limit":0}}"#, ["pids.max=0"]),
            (#"{"pids":{"limit":-1}}"#, ["pids.max=max"]),
            (
                #"{"blockIO":{"weight":500,"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":9}]}}"#,
                ["io.bfq.weight=500", "io.max=8:0 rbps=9"]
            ),
            (
                #"{"blockIO":{"throttleWriteIOPSDevice":[{"major":8,"minor":1,"rate":0}]}}"#,
                ["io.max=8:1 wiops=max"]
            ),
            (
                #"{"hugepageLimits":[{"pageSize":"2MB","limit":4}]}"#,
                ["hugetlb.2MB.max=4", "hugetlb.2MB.rsvd.max=4"]
            ),
            (
                #"{"rdma":{"b":{"hcaHandles":3},"a":{"hcaHandles":1,"hcaObjects":2}}}"#,
                ["rdma.max=a hca_handle=1 hca_object=2", "rdma.max=b hca_handle=3"]
            ),
            (
                #"{"unified":{"pids.max":"9","memory.high":"1"},"pids":{"limit":5}}"#,
                ["pids.max=5", "memory.high=1", "pids.max=9"]
            ),
        ] as [(String, [String])])
    func writes(json: String, expected: [String]) throws {
        #expect(try files(json) == expected)
    }

    @Test func anUpdateKeepsWhatItsFilesNeed() throws {
        let recorded = try Spec.Resources.decode(
            Array(
                #"{"memory":{"limit":100,"swap":150},"cpu":{"quota":5000,"period":50000,"burst":9}}"#
                    .utf8))
        let swap = try Spec.Resources.decode(Array(#"{"memory":{"swap":300}}"#.utf8))
        var plan = try Planner.planUpdate(swap, recorded: recorded, host: Host())
        #expect(plan.writes.contains { $0.file == "memory.swap.max" && $0.value == "200" })
        #expect(plan.devices.isEmpty)
        let quota = try Spec.Resources.decode(Array(#"{"cpu":{"quota":2000,"burst":1}}"#.utf8))
        plan = try Planner.planUpdate(quota, recorded: recorded, host: Host())
        // The burst shrinks first, or the new quota would be below it.
        #expect(plan.writes.map(\.file) == ["cpu.max.burst", "cpu.max"])
        #expect(plan.writes.last?.value == "2000 50000")
    }

    @Test func devicesAreDeniedByDefault() throws {
        let rules = DeviceRule.rules([]) + DeviceRule.defaults
        #expect(rules.allSatisfy { $0.isAllowed && $0.kind != .all })
        // Any number may be made a node of, none but the listed may be opened.
        #expect(rules.filter { $0.major == nil }.allSatisfy { !$0.reads && !$0.writes })
        #expect(rules.map(\.text).contains("allow c 136:* rwm"))
    }

    @Test func missingControllerIsNamed() throws {
        var spec = Sample.minimal
        var resources = Spec.Resources()
        resources.pids = Spec.Resources.Pids()
        resources.pids?.limit = 5
        spec.linux?.resources = resources
        var host = Host()
        host.controllers = ["hugetlb"]
        #expect(
            throws: ConfigError(
                path: "linux.resources.pids.limit",
                message: "cgroup controller pids is not available on this host")
        ) {
            try Planner.plan(spec, options: Sample.options, host: host)
        }
    }

    @Test func writableCgroupIsTheUsers() throws {
        var spec = Sample.userns
        let mount = Spec.Mount(
            "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"])
        spec.mounts = [mount]
        #expect(
            try Planner.plan(spec, options: Sample.options, host: Host()).cgroup.ownerUID
                == 100000)
        spec.mounts[0].options = ["ro"]
        #expect(
            try Planner.plan(spec, options: Sample.options, host: Host()).cgroup.ownerUID == nil)
    }
}

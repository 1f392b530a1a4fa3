import JSON
import Testing

@testable import Cgroups

/// The texts are as a Linux 6.12 wrote them.
@Suite struct Statistics {
    @Test func `cpu.stat counts microseconds`() {
        let cpu = CgroupStatistics.CPU(
            """
            usage_usec 73251
            user_usec 41000
            system_usec 32251
            nice_usec 0
            nr_periods 12
            nr_throttled 3
            throttled_usec 4500
            """)
        #expect(cpu.total == 73_251_000)
        #expect(cpu.user == 41_000_000)
        #expect(cpu.kernel == 32_251_000)
        #expect((cpu.periods, cpu.throttledPeriods, cpu.throttledTime) == (12, 3, 4_500_000))
    }

    @Test func `memory.events`() {
        let events = MemoryEvents(
            "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\nnew 9\n")
        #expect((events.low, events.high, events.max) == (1, 2, 3))
        #expect((events.oom, events.oomKill, events.oomGroupKill) == (4, 5, 6))
        #expect(MemoryEvents("") == MemoryEvents())
    }

    @Test func `io.stat has a line a device, some without counters`() {
        let io = CgroupStatistics.IO(
            """
            254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0
            7:0
            8:16 rbytes=1 unknown=x
            nonsense
            """)
        #expect(io.devices.map(\.major) == [254, 7, 8])
        #expect(io.devices[0].counters.value(of: "rbytes") == 4096)
        #expect(io.devices[1].counters.isEmpty)
        #expect(io.devices[2].counters == [Counter(name: "rbytes", value: 1)])
    }

    @Test func `Pressure files`() {
        let pressure = Pressure(
            """
            some avg10=12.34 avg60=0.05 avg300=0.00 total=3473
            full avg10=1.00 avg60=0.00 avg300=0.00 total=7
            """)
        #expect(pressure?.some == .init(avg10: 1234, avg60: 5, avg300: 0, total: 3473))
        #expect(pressure?.full == .init(avg10: 100, avg60: 0, avg300: 0, total: 7))
        #expect(Pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1")?.full == nil)
        #expect(Pressure("") == nil)
    }

    @Test func `Numbers and limits`() {
        #expect(parseLimit("max".utf8) == .max)
        #expect(parseLimit("18446744073709551615".utf8) == .max)
        for text in ["", "-1", "1x", "18446744073709551616", "99999999999999999999", " 1"] {
            #expect(parseLimit(text.utf8) == nil, "\(text)")
        }
    }

    @Test func `The event has the shape of runc's`() {
        var statistics = CgroupStatistics()
        statistics.cpu = CgroupStatistics.CPU("usage_usec 5\nuser_usec 3\nsystem_usec 2")
        statistics.cpu?.pressure = Pressure("some avg10=12.34 avg60=0.05 avg300=3.00 total=9")
        statistics.cpuset = .init(cpus: "0-1,3", mems: "0")
        var memory = CgroupStatistics.Memory()
        memory.current = 1000
        memory.limit = 4000
        memory.peak = 2000
        memory.swapCurrent = 10
        memory.swapLimit = 500
        memory.events.max = 7
        memory.details = [Counter(name: "file", value: 300), Counter(name: "anon", value: 600)]
        statistics.memory = memory
        statistics.pids = .init(current: 2, limit: .max)
        statistics.io = CgroupStatistics.IO("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6")
        statistics.hugepages = [.init(size: "2MB", current: 1, limit: 2, failures: 3)]
        var writer = JSONWriter()
        statistics.write(to: &writer)
        let text = String(decoding: writer.finish(), as: UTF8.self)
        for part in [
            #""cpu":{"usage":{"total":5000,"kernel":2000,"user":3000},"throttling":{"#,
            #""psi":{"some":{"avg10":12.34,"avg60":0.05,"avg300":3,"total":9},"full":{"avg10":0,"#,
            #""cpuset":{"cpus":[0,1,3],"cpu_exclusive":0,"mems":[0],"#,
            #""memory":{"cache":300,"usage":{"limit":4000,"usage":1000,"max":2000,"failcnt":7},"#,
            // As cgroup v1: memory and swap together.
            #""swap":{"limit":4500,"usage":1010,"max":0,"failcnt":0}"#,
            #""raw":{"file":300,"anon":600},"events":{"max":7}}"#,
            #""pids":{"current":2,"limit":0}"#,
            #"{"major":8,"minor":0,"op":"Write","value":2}"#,
            #"{"major":8,"minor":0,"op":"Discard","value":6}"#,
            #""hugetlb":{"2MB":{"usage":1,"max":2,"failcnt":3}}"#,
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test func `A host without controllers still has an event`() {
        var writer = JSONWriter()
        CgroupStatistics().write(to: &writer)
        let text = String(decoding: writer.finish(), as: UTF8.self)
        #expect(text.contains(#""usage":{"limit":18446744073709551615,"usage":0,"#))
        #expect(text.hasSuffix(#""network_interfaces":null}"#))
    }
}

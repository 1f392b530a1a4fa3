package import JSON

extension CgroupStatistics {
    /// Prints the value of "data" of a `stats` event, in the shape that `runc events` has and
    /// containerd's and other readers expect.
    ///
    /// That shape counts as cgroup v1 did: swap includes memory, a limit on tasks of 0 is none.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("cpu")
        (cpu ?? CPU()).write(to: &writer)
        writer.key("cpuset")
        (cpuset ?? CPUSet(cpus: "", mems: "")).write(to: &writer)
        writer.key("memory")
        (memory ?? Memory()).write(to: &writer)
        writer.key("pids")
        writer.beginObject()
        writer.number("current", pids?.current ?? 0)
        let limit = pids?.limit ?? UInt64.max
        writer.number("limit", limit == UInt64.max ? 0 : limit)
        writer.endObject()
        writer.key("blkio")
        (io ?? IO()).write(to: &writer)
        writer.key("hugetlb")
        writer.beginObject()
        for entry in hugepages {
            writer.key(entry.size)
            writer.beginObject()
            writer.number("usage", entry.current)
            writer.number("max", entry.limit)
            writer.number("failcnt", entry.failures)
            writer.endObject()
        }
        writer.endObject()
        writer.key("intel_rdt")
        writer.beginObject()
        writer.endObject()
        writer.key("network_interfaces")
        writer.null()
        writer.endObject()
    }
}

extension CgroupStatistics.CPU {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("usage")
        writer.beginObject()
        writer.number("total", total)
        writer.number("kernel", kernel)
        writer.number("user", user)
        writer.endObject()
        writer.key("throttling")
        writer.beginObject()
        writer.number("periods", periods)
        writer.number("throttledPeriods", throttledPeriods)
        writer.number("throttledTime", throttledTime)
        writer.endObject()
        writer.pressure(pressure)
        writer.endObject()
    }
}

extension CgroupStatistics.CPUSet {
    /// What cgroup v1 alone had is 0.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.numbers("cpus", of: cpus)
        writer.number("cpu_exclusive", 0)
        writer.numbers("mems", of: mems)
        writer.number("mem_hardwall", 0)
        writer.number("mem_exclusive", 0)
        writer.number("memory_migrate", 0)
        writer.number("memory_spread_page", 0)
        writer.number("memory_spread_slab", 0)
        writer.number("sched_load_balance", 0)
        writer.number("sched_relax_domain_level", 0)
        writer.endObject()
    }
}

extension CgroupStatistics.Memory {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.number("cache", details.value(of: "file"))
        writer.usage("usage", usage: current, limit: limit, peak: peak, failures: events.max)
        let (sum, overflowed) = swapLimit.addingReportingOverflow(limit)
        let isUnlimited = overflowed || swapLimit == UInt64.max || limit == UInt64.max
        writer.usage(
            "swap", usage: (swapCurrent ?? 0) + current, limit: isUnlimited ? UInt64.max : sum,
            peak: 0, failures: 0)
        writer.usage(
            "kernel", usage: details.value(of: "kernel"), limit: 0, peak: 0, failures: 0)
        writer.usage("kernelTCP", usage: 0, limit: 0, peak: 0, failures: 0)
        writer.key("raw")
        writer.beginObject()
        for counter in details { writer.number(counter.name, counter.value) }
        writer.endObject()
        writer.key("events")
        events.write(to: &writer)
        writer.pressure(pressure)
        writer.endObject()
    }
}

extension MemoryEvents {
    /// What never happened is left out: scripts take the word "oom" in the output for an event.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        let counters = [
            ("low", low), ("high", high), ("max", max), ("oom", oom), ("oom_kill", oomKill),
            ("oom_group_kill", oomGroupKill),
        ]
        for (name, value) in counters where value > 0 { writer.number(name, value) }
        writer.endObject()
    }
}

extension CgroupStatistics.IO {
    /// The kernel's names of a direction's bytes and operations, and that shape's.
    private static let operations: [(name: String, bytes: String, count: String)] = [
        ("Read", "rbytes", "rios"), ("Write", "wbytes", "wios"), ("Discard", "dbytes", "dios"),
    ]

    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("ioServiceBytesRecursive")
        writeEntries(to: &writer) { $0.bytes }
        writer.key("ioServicedRecursive")
        writeEntries(to: &writer) { $0.count }
        writer.pressure(pressure)
        writer.endObject()
    }

    private func writeEntries(
        to writer: inout JSONWriter,
        _ counter: ((name: String, bytes: String, count: String)) -> String
    ) {
        writer.beginArray()
        for device in devices {
            for operation in Self.operations {
                writer.beginObject()
                writer.number("major", UInt64(device.major))
                writer.number("minor", UInt64(device.minor))
                writer.key("op")
                writer.string(operation.name)
                writer.number("value", device.counters.value(of: counter(operation)))
                writer.endObject()
            }
        }
        writer.endArray()
    }
}

extension JSONWriter {
    fileprivate mutating func number(_ name: String, _ value: UInt64) {
        key(name)
        integer(value)
    }

    /// The numbers of a list such as "0-3,5".
    fileprivate mutating func numbers(_ name: String, of list: String) {
        key(name)
        beginArray()
        for (index, byte) in (CPUList.mask(list) ?? []).enumerated() {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { integer(index * 8 + bit) }
        }
        endArray()
    }

    fileprivate mutating func usage(
        _ name: String, usage: UInt64, limit: UInt64, peak: UInt64, failures: UInt64
    ) {
        key(name)
        beginObject()
        number("limit", limit)
        number("usage", usage)
        number("max", peak)
        number("failcnt", failures)
        endObject()
    }

    fileprivate mutating func pressure(_ pressure: Pressure?) {
        guard let pressure else { return }
        key("psi")
        beginObject()
        line("some", pressure.some)
        line("full", pressure.full ?? Pressure.Line())
        endObject()
    }

    private mutating func line(_ name: String, _ line: Pressure.Line) {
        key(name)
        beginObject()
        hundredths("avg10", line.avg10)
        hundredths("avg60", line.avg60)
        hundredths("avg300", line.avg300)
        number("total", line.total)
        endObject()
    }

    /// 1234 as 12.34.
    private mutating func hundredths(_ name: String, _ value: UInt64) {
        key(name)
        let rest = value % 100
        guard rest > 0 else { return integer(value / 100) }
        raw(Array("\(value / 100).\(rest < 10 ? "0" : "")\(rest)".utf8))
    }
}

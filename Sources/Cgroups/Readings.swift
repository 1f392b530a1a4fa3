package import Linux

extension Cgroup {
    /// All that the enabled controllers count.
    package func statistics() throws(CgroupFailure) -> CgroupStatistics {
        var result = CgroupStatistics()
        if let text = try readIfPresent("cpu.stat") {
            var cpu = CgroupStatistics.CPU(text)
            cpu.pressure = try pressure("cpu.pressure")
            result.cpu = cpu
        }
        if let cpus = try readIfPresent("cpuset.cpus.effective") {
            let mems = try readIfPresent("cpuset.mems.effective") ?? ""
            result.cpuset = CgroupStatistics.CPUSet(cpus: trimmed(cpus), mems: trimmed(mems))
        }
        result.memory = try memory()
        if let current = try number("pids.current") {
            result.pids = CgroupStatistics.Pids(
                current: current, limit: try number("pids.max") ?? UInt64.max)
        }
        if let text = try readIfPresent("io.stat") {
            var io = CgroupStatistics.IO(text)
            io.pressure = try pressure("io.pressure")
            result.io = io
        }
        result.hugepages = try hugepages()
        return result
    }

    /// How often memory ran short, from memory.events; zeros without the controller.
    package func memoryEvents() throws(CgroupFailure) -> MemoryEvents {
        MemoryEvents(try readIfPresent("memory.events") ?? "")
    }

    /// The limit on memory and the most that was in use, bytes; nil without the controller.
    package func memoryUse() throws(CgroupFailure) -> (limit: UInt64?, peak: UInt64?)? {
        guard let text = try readIfPresent("memory.max") else { return nil }
        // memory.peak: Linux 5.19.
        return (parseNumber(trimmed(text).utf8).map { UInt64($0) }, try number("memory.peak"))
    }

    /// A handle that is readable when memory.events has changed.
    ///
    /// - Throws: `CgroupFailure` with ENOENT where the memory controller is not enabled.
    package func watchMemoryEvents() throws(CgroupFailure) -> Watcher {
        do throws(Errno) {
            let watcher = try Watcher()
            _ = try watcher.add(directory.procPath + "/memory.events", .modified)
            return watcher
        } catch {
            throw CgroupFailure(
                "watch memory.events", error, path: path(of: "memory.events"),
                hint: error == .enoent ? "the memory controller is not enabled" : "")
        }
    }

    private func memory() throws(CgroupFailure) -> CgroupStatistics.Memory? {
        guard let current = try number("memory.current") else { return nil }
        var memory = CgroupStatistics.Memory()
        memory.current = current
        memory.limit = try number("memory.max") ?? UInt64.max
        // memory.peak: Linux 5.19.
        memory.peak = try number("memory.peak") ?? 0
        memory.swapCurrent = try number("memory.swap.current")
        memory.swapLimit = try number("memory.swap.max") ?? UInt64.max
        memory.events = try memoryEvents()
        memory.details = Counter.parse(try readIfPresent("memory.stat") ?? "")
        memory.pressure = try pressure("memory.pressure")
        return memory
    }

    /// hugetlb.SIZE.current names the sizes that the kernel has.
    private func hugepages() throws(CgroupFailure) -> [CgroupStatistics.Hugepages] {
        var sizes: [String] = []
        do throws(Errno) {
            for entry in try directory.entries() {
                let parts = entry.name.utf8.split(separator: UInt8(ascii: "."))
                guard parts.count == 3, parts[0].elementsEqual("hugetlb".utf8),
                    parts[2].elementsEqual("current".utf8)
                else { continue }
                sizes.append(String(decoding: Array(parts[1]), as: UTF8.self))
            }
        } catch {
            throw CgroupFailure("list the cgroup's files", error, path: place.path)
        }
        var result: [CgroupStatistics.Hugepages] = []
        for size in sizes.sorted() {
            let events = try readIfPresent("hugetlb.\(size).events") ?? ""
            result.append(
                CgroupStatistics.Hugepages(
                    size: size, current: try number("hugetlb.\(size).current") ?? 0,
                    limit: try number("hugetlb.\(size).max") ?? UInt64.max,
                    failures: Counter.parse(events).value(of: "max")))
        }
        return result
    }

    private func pressure(_ file: String) throws(CgroupFailure) -> Pressure? {
        try readIfPresent(file).flatMap { Pressure($0) }
    }

    private func number(_ file: String) throws(CgroupFailure) -> UInt64? {
        try readIfPresent(file).flatMap { parseLimit(trimmed($0).utf8) }
    }
}

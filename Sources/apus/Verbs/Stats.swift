internal import Cgroups
internal import Engine
internal import Linux
internal import Options

extension Command {
    /// `apus stats`: once, or on a terminal every second until the containers have ended.
    func stats() throws(Failure) {
        let runtime = try runtime()
        guard !arguments.has("json") else {
            for id in arguments.operands {
                try Output.write(line(of: .statistics(runtime.statistics(id)), from: id))
            }
            return
        }
        var watched: [WatchedContainer] = []
        for id in arguments.operands {
            watched.append(WatchedContainer(id, try runtime.statistics(id)))
        }
        guard watched.contains(where: { $0.now.countsAnything }) else {
            throw Failure("no controller counts anything here")
        }
        guard BorrowedHandle.standardOutput.isTerminal else {
            return try Output.write(Output.table(WatchedContainer.table(watched, isLive: false)))
        }
        try draw(watched)
        while watched.contains(where: { !$0.hasEnded }) {
            MonotonicClock.sleep(nanoseconds: WatchedContainer.pause)
            for index in watched.indices where !watched[index].hasEnded {
                watched[index].add(try? runtime.statistics(watched[index].id))
            }
            try Output.write("\u{1b}[\(watched.count + 1)A")
            try draw(watched)
        }
    }

    /// A line a container, none longer than the terminal is wide: the next time the cursor goes up.
    private func draw(_ watched: [WatchedContainer]) throws(Failure) {
        let size = try? BorrowedHandle.standardOutput.windowSize()
        let width = size.map { Int($0.columns) } ?? 0
        let table = Output.table(WatchedContainer.table(watched, isLive: true), minimum: 0)
        var text = ""
        for line in table.split(separator: "\n") {
            let scalars = line.unicodeScalars
            text += String(String.UnicodeScalarView(scalars.prefix(width > 0 ? width : 80)))
            text += "\u{1b}[K\n"
        }
        try Output.write(text)
    }
}

/// A container in the table of `stats`, and what it has used lately.
private struct WatchedContainer {
    let id: String
    private(set) var now: CgroupStatistics
    private(set) var hasEnded = false
    private var time = MonotonicClock.now()
    /// Thousandths of a processor, and bytes; the latest last.
    private var processor: [UInt64] = []
    private var memory: [UInt64] = []

    /// Between two samples, nanoseconds.
    static let pause: Int64 = 1_000_000_000
    /// How many samples a graph shows.
    private static let length = 16
    private static let steps: [String] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    init(_ id: String, _ statistics: CgroupStatistics) {
        self.id = id
        now = statistics
        if let used = statistics.memory { memory = [used.current] }
    }

    /// Takes a sample; nil where the container is gone.
    mutating func add(_ statistics: CgroupStatistics?) {
        guard let statistics, statistics.pids?.current != 0 else {
            hasEnded = true
            return
        }
        let moment = MonotonicClock.now()
        let used = (statistics.cpu?.total ?? 0).subtractingReportingOverflow(now.cpu?.total ?? 0)
        let elapsed = UInt64(max(1, moment - time))
        processor.append(used.overflow ? 0 : used.partialValue * 1000 / elapsed)
        if let used = statistics.memory { memory.append(used.current) }
        processor = processor.suffix(Self.length)
        memory = memory.suffix(Self.length)
        (now, time) = (statistics, moment)
    }

    /// The head, and a row for each.
    static func table(_ watched: [WatchedContainer], isLive: Bool) -> [[String]] {
        let cpu = isLive ? ["CPU", ""] : ["CPU time"]
        let memory = isLive ? ["memory", ""] : ["memory"]
        var rows = [["ID"] + cpu + memory + ["processes", "read", "written"]]
        for container in watched { rows.append(container.row(isLive: isLive)) }
        return rows
    }

    private func row(isLive: Bool) -> [String] {
        guard !hasEnded else { return [id, "ended"] }
        var row = [id]
        if isLive {
            row.append(processor.last.map { "\($0 / 10).\($0 % 10)%" } ?? "-")
            // One processor's whole time is a full step, unless there was more.
            row.append(Self.graph(processor, full: 1000))
        } else {
            row.append(now.cpu.map { "\($0.total / 1_000_000) ms" } ?? "-")
        }
        row.append(now.memory.map { Self.bytes($0.current) + Self.limit($0.limit) } ?? "-")
        if isLive {
            let limit = now.memory?.limit ?? UInt64.max
            row.append(Self.graph(memory, full: limit == UInt64.max ? 1 : limit))
        }
        row.append(
            now.pids.map { pids in
                "\(pids.current)" + (pids.limit == UInt64.max ? "" : " of \(pids.limit)")
            } ?? "-")
        for name in ["rbytes", "wbytes"] {
            row.append(now.io.map { Self.bytes($0.sum(of: name)) } ?? "-")
        }
        return row
    }

    /// The samples as bars, of which `full`, or the highest if that is higher, is the whole.
    private static func graph(_ samples: [UInt64], full: UInt64) -> String {
        let whole = max(full, samples.max() ?? 0, 1)
        var text = Help.spaces(length - samples.count)
        for sample in samples {
            // In hundredths of the whole: eight times a sample might be too much.
            text += steps[min(7, Int(sample / max(1, whole / 100) * 8 / 100))]
        }
        return text
    }

    private static func limit(_ bytes: UInt64) -> String {
        bytes == UInt64.max ? "" : " of " + Self.bytes(bytes)
    }

    /// Bytes in the largest unit that leaves a digit before the point: "12.5 MiB".
    private static func bytes(_ count: UInt64) -> String {
        var shift: UInt64 = 0
        var units = ["B", "KiB", "MiB", "GiB", "TiB"][...]
        while units.count > 1, count >> (shift + 10) > 0 {
            shift += 10
            units = units.dropFirst()
        }
        let whole = count >> shift
        let unit = units.first ?? ""
        guard shift > 0 else { return "\(whole) \(unit)" }
        let tenth = ((count >> (shift - 10)) & 1023) * 10 / 1024
        return "\(whole).\(tenth) \(unit)"
    }
}

extension CgroupStatistics {
    fileprivate var countsAnything: Bool { cpu != nil || memory != nil || pids != nil }
}

extension CgroupStatistics.IO {
    /// A counter of all devices together.
    fileprivate func sum(of name: String) -> UInt64 {
        var sum: UInt64 = 0
        for device in devices { sum &+= device.counters.value(of: name) }
        return sum
    }
}

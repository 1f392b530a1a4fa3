internal import Cgroups
internal import Engine
internal import JSON
internal import Options

extension Command {
    /// `apus events`.
    func events() throws(Failure) {
        let runtime = try runtime()
        if arguments.has("stats") {
            return try Output.write(line(of: .statistics(runtime.statistics(id))))
        }
        let text = arguments.value("interval") ?? "5s"
        guard let milliseconds = Quantity.milliseconds(text), milliseconds > 0,
            milliseconds < 1 << 40
        else {
            throw Failure("invalid value \"\(text)\" for --interval: expected a time such as 5s")
        }
        try runtime.watch(id, interval: milliseconds * 1_000_000) {
            (event: ContainerEvent) throws(Failure) in try Output.write(line(of: event))
        }
    }

    /// An event as a line of JSON, in the shape containerd and others read.
    private func line(of event: ContainerEvent) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("type")
        switch event {
        case .statistics(let statistics):
            writer.string("stats")
            writer.key("id")
            writer.string(id)
            writer.key("data")
            statistics.write(to: &writer)
        case .outOfMemory:
            writer.string("oom")
            writer.key("id")
            writer.string(id)
        }
        writer.endObject()
        return writer.finish() + [UInt8(ascii: "\n")]
    }

    /// `apus stats`.
    func stats() throws(Failure) {
        let statistics = try runtime().statistics(id)
        guard !arguments.has("json") else {
            return try Output.write(line(of: .statistics(statistics)))
        }
        var rows: [[String]] = []
        if let cpu = statistics.cpu {
            rows.append(["CPU time", "\(cpu.total / 1_000_000) ms"])
        }
        if let memory = statistics.memory {
            rows.append(["memory", Self.bytes(memory.current) + Self.limit(memory.limit)])
        }
        if let pids = statistics.pids {
            let limit = pids.limit == UInt64.max ? "" : " of \(pids.limit)"
            rows.append(["processes", "\(pids.current)" + limit])
        }
        guard !rows.isEmpty else {
            throw Failure("the container's cgroup has no controller that counts anything")
        }
        try Output.write(Output.table(rows))
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

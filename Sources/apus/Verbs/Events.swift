internal import Cgroups
internal import Engine
internal import JSON
internal import Options

extension Command {
    /// `apus events`.
    func events() throws(Failure) {
        let runtime = try runtime()
        if arguments.has("stats") {
            return try Output.write(line(of: .statistics(runtime.statistics(id)), from: id))
        }
        let text = arguments.value("interval") ?? "5s"
        guard let milliseconds = Quantity.milliseconds(text), milliseconds > 0,
            milliseconds < 1 << 40
        else {
            throw Failure("invalid value \"\(text)\" for --interval: expected a time such as 5s")
        }
        try runtime.watch(id, interval: milliseconds * 1_000_000) {
            (event: ContainerEvent) throws(Failure) in try Output.write(line(of: event, from: id))
        }
    }

    /// An event as a line of JSON, in the shape containerd and others read.
    func line(of event: ContainerEvent, from id: String) -> [UInt8] {
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
}

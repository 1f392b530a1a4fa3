internal import Engine
internal import JSON
internal import OCI
internal import Options

extension Command {
    /// `apus state`.
    func state() throws(Failure) {
        try Output.write(runtime().state(id).json(indented: true))
    }

    /// `apus list`.
    func list() throws(Failure) {
        let asJSON = try wantsJSON()
        let states = try runtime().list()
        if arguments.has("quiet") {
            var text = ""
            for state in states { text += state.id + "\n" }
            return try Output.write(text)
        }
        guard asJSON else { return try Output.write(Self.table(of: states)) }
        var writer = JSONWriter()
        if states.isEmpty {
            writer.null()
        } else {
            writer.beginArray()
            for state in states { writer.raw(state.json()) }
            writer.endArray()
        }
        try Output.write(writer.finish() + [UInt8(ascii: "\n")])
    }

    private static func table(of states: [State]) -> String {
        var rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
        for state in states {
            rows.append([
                state.id, "\(state.pid)", state.status.rawValue, state.bundle, state.created ?? "",
                state.owner ?? "",
            ])
        }
        return Output.table(rows)
    }

    /// Whether `--format` of `list` and `ps` is json.
    func wantsJSON() throws(Failure) -> Bool {
        switch arguments.value("format") {
        case nil, "", "table": return false
        case "json": return true
        case .some(let other):
            throw Failure("invalid value \"\(other)\" for --format: expected table or json")
        }
    }
}

internal import Engine
internal import JSON
internal import Linux
internal import Options

extension Command {
    /// `apus ps`.
    func ps() throws(Failure) {
        let asJSON = try wantsJSON()
        let pids = try runtime().processes(id)
        guard asJSON else { return try Output.write(table(of: pids)) }
        var writer = JSONWriter()
        writer.beginArray()
        for pid in pids { writer.integer(pid) }
        writer.endArray()
        try Output.write(writer.finish() + [UInt8(ascii: "\n")])
    }

    /// The lines of the host's ps that concern the container.
    private func table(of pids: [Int32]) throws(Failure) -> String {
        var options = Array(arguments.operands.dropFirst())
        if options.isEmpty { options = ["-ef"] }
        guard let program = find("ps") else {
            var text = "PID\n"
            for pid in pids { text += "\(pid)\n" }
            return text
        }
        let output = try run(program, ["ps"] + options)
        guard let table = Self.filtered(output, pids) else {
            throw Failure("the output of ps has no column PID")
        }
        return table
    }

    /// The head of ps's output and the lines whose PID is one of those; nil without such a column.
    private static func filtered(_ output: String, _ pids: [Int32]) -> String? {
        let lines = output.split(separator: "\n")
        guard let head = lines.first else { return nil }
        let column = head.split(separator: " ").firstIndex { $0 == "PID" }
        guard let column else { return nil }
        var text = String(head) + "\n"
        for line in lines.dropFirst() {
            let fields = line.split(separator: " ")
            guard column < fields.count, let pid = Int32(fields[column]), pids.contains(pid)
            else { continue }
            text += String(line) + "\n"
        }
        return text
    }

    /// Runs a program of the host; what it prints.
    private func run(_ program: String, _ words: [String]) throws(Failure) -> String {
        do throws(Errno) {
            let reading: FileDescriptor
            let process: ProcessHandle
            do {
                let pipe = try Pipe()
                process = try ProgramLaunch(
                    .path(program), arguments: words, environment: environment.all,
                    handles: [.standardInput, pipe.writing.borrowed, .standardError]
                ).start()
                // Our writing end closes here: the reading one ends with the program.
                reading = try pipe.reading.duplicate()
            }
            let output = try reading.readAll(limit: 16 << 20)
            let status = try process.wait()
            guard status == .exited(0) else {
                throw .ecanceled
            }
            return String(decoding: output, as: UTF8.self)
        } catch {
            throw Failure("run \(program)", error, path: program)
        }
    }
}

internal import Engine
internal import Options

extension Command {
    /// `apus help`.
    func help() throws(Failure) {
        guard let name = arguments.operands.first else { return try Output.write(Help.program()) }
        guard let verb = Verb.Name(rawValue: name) else {
            let unknown = UsageError.unknownCommand(name)
            throw Failure(unknown.message).withExitCode(unknown.exitCode)
        }
        try Output.write(Help.verb(verb))
    }
}

internal import Engine
internal import Options
internal import Plan

extension Command {
    /// `apus explain` and `apus explain shell DIR ...`.
    func explain() throws(Failure) {
        guard let first = arguments.operands.first else {
            var request = try creation()
            request.id = "explained"
            return try print(runtime().explain(request))
        }
        guard first == Verb.Name.shell.rawValue else {
            throw Failure("explain: only a command line of shell can follow, not '\(first)'")
        }
        let inner: Arguments
        do throws(UsageError) {
            inner = try Parser.parse(arguments.operands)
        } catch {
            throw Failure(error.message)
        }
        if inner.wantsHelp { return try Output.write(Help.verb(.shell)) }
        let command = Command(arguments: inner, environment: environment, log: log)
        let request = try command.shellRequest()
        try print(runtime().explain(request.create))
    }

    /// Prints a plan: for people, or with --json for programs.
    func print(_ plan: Plan) throws(Failure) {
        if arguments.has("json") {
            try Output.write(Explain.json(plan))
        } else {
            try Output.write(Explain.text(plan))
        }
    }
}

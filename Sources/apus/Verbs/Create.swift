internal import Engine
internal import Options

extension Command {
    /// `apus create`.
    func create() throws(Failure) {
        let request = try creation()
        guard !arguments.has("dry-run") else { return try print(runtime().explain(request)) }
        try runtime().create(request)
    }

    /// The request of `create`, `run`, `restore` and `explain`.
    func creation() throws(Failure) -> CreateRequest {
        var request = CreateRequest(id: id, bundle: arguments.value("bundle") ?? "")
        if request.bundle == "" { request.bundle = try workingDirectory() }
        request.configFile = arguments.value("config")
        request.consoleSocket = arguments.value("console-socket")
        request.pidfdSocket = arguments.value("pidfd-socket")
        request.pidFile = arguments.value("pid-file")
        request.noPivot = arguments.has("no-pivot")
        request.noNewKeyring = arguments.has("no-new-keyring")
        request.preserveFDs = try count("preserve-fds")
        return request
    }
}

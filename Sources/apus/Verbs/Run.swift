internal import Engine
internal import Options

extension Command {
    /// `apus run`: the exit code of the process.
    func runContainer() throws(Failure) -> Int32 {
        var request = RunRequest(create: try creation())
        request.detach = arguments.has("detach")
        request.keep = arguments.has("keep")
        request.noSubreaper = arguments.has("no-subreaper")
        return try runtime().run(request)
    }
}

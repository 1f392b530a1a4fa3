internal import Engine
internal import Options

// The verbs that hand one ID to the engine.

extension Command {
    /// `apus start`.
    func start() throws(Failure) { try runtime().start(id) }

    /// `apus pause`.
    func pause() throws(Failure) { try runtime().pause(id) }

    /// `apus resume`.
    func resume() throws(Failure) { try runtime().resume(id) }

    /// `apus delete`.
    func delete() throws(Failure) { try runtime().delete(id, force: arguments.has("force")) }

    /// `apus kill`.
    func kill() throws(Failure) {
        let name = arguments.operands.count > 1 ? arguments.operands[1] : "TERM"
        guard let signal = SignalName.number(of: name) else {
            throw Failure("unknown signal \"\(name)\"")
        }
        try runtime().kill(id, signal: signal, all: arguments.has("all"))
    }
}

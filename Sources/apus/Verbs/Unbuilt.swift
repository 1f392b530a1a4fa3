internal import Engine

// Verbs whose part of the engine does not exist yet: a clear refusal, and a help that is true.

extension Command {
    func checkpoint() throws(Failure) { throw Self.unbuilt("checkpoint") }
    func restore() throws(Failure) -> Int32 { throw Self.unbuilt("restore") }

    private static func unbuilt(_ verb: String) -> Failure {
        Failure("\(verb): this version does not have it yet")
    }
}

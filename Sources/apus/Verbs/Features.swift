internal import Engine
internal import OCI

extension Command {
    /// `apus features`: what this runtime can do, as JSON.
    func features() throws(Failure) {
        try Output.write(runtime().features().json(indented: true))
    }
}

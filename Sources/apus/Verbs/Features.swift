internal import Engine
internal import OCI
internal import Options
internal import Plan

extension Command {
    /// `apus features`.
    ///
    /// Engines switch functions off by what is missing here, and rely on what is there.
    func features() throws(Failure) {
        var features = Support.features()
        features.annotations = [
            "org.opencontainers.apus.version": Program.version,
            // Engines look for runc's key, whatever the runtime.
            "org.opencontainers.runc.checkpoint.enabled": "\(try runtime().hasCriu)",
        ]
        try Output.write(features.json(indented: true))
    }
}

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
        features.annotations = ["org.opencontainers.apus.version": Program.version]
        try Output.write(features.json(indented: true))
    }
}

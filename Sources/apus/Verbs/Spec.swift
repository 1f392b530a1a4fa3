internal import Engine
internal import Linux
internal import OCI
internal import Options

extension Command {
    /// `apus spec`.
    func spec() throws(Failure) {
        let directory = arguments.value("bundle") ?? "."
        let isRootless = arguments.has("rootless")
        let spec =
            isRootless
            ? Spec.rootlessExample(
                uid: CurrentProcess.effectiveUID, gid: CurrentProcess.effectiveGID)
            : Spec.example()
        let path = directory + "/config.json"
        do throws(Errno) {
            let file = try FileDescriptor.open(
                path, [.writeOnly, .create, .exclusive], mode: 0o666)
            try file.writeAll(spec.json(indented: true))
            try file.close()
        } catch .eexist {
            throw Failure("File config.json exists. Remove it first")
        } catch {
            throw Failure("write config.json", error, path: path)
        }
    }
}

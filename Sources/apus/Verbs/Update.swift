internal import Engine
internal import OCI
internal import Options

extension Command {
    /// `apus update`.
    func update() throws(Failure) {
        var request = UpdateRequest(id: id, resources: try resources())
        request.l3CacheSchema = arguments.value("l3-cache-schema")
        request.memoryBandwidthSchema = arguments.value("mem-bw-schema")
        request.isDryRun = arguments.has("dry-run")
        for name in ["kernel-memory", "kernel-memory-tcp"] where arguments.value(name) != nil {
            log.warning("--\(name) has no effect: the kernel has no such limit any more")
        }
        var text = ""
        for line in try runtime().update(request) { text += line + "\n" }
        if request.isDryRun { try Output.write(text) }
    }

    private func resources() throws(Failure) -> Spec.Resources {
        guard let path = arguments.value("resources") else {
            do throws(UsageError) {
                return try UpdateResources.resources(from: arguments)
            } catch {
                throw Failure(error.message)
            }
        }
        let bytes = try readInput(path)
        do throws(ConfigError) {
            return try Spec.Resources.decode(bytes)
        } catch {
            throw Failure("\(path == "-" ? "resources" : path): \(error.description)")
        }
    }
}

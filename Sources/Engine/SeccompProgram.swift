internal import OCI
internal import Seccomp

/// The filter of a configuration as struct sock_filter[]; empty where it asks for none.
func seccompProgram(_ spec: Spec, warn: (String) -> Void) throws(Failure) -> [UInt8] {
    guard let profile = spec.linux?.seccomp else { return [] }
    do throws(ConfigError) {
        let filter = try Seccomp.compile(profile)
        for warning in filter.warnings { warn(warning.description) }
        return filter.program
    } catch {
        throw Failure(error, in: "linux.seccomp")
    }
}

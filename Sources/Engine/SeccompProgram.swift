internal import OCI

/// The filter of a configuration as struct sock_filter[]; empty where it asks for none.
func seccompProgram(_ spec: Spec) throws(Failure) -> [UInt8] {
    guard spec.linux?.seccomp != nil else { return [] }
    throw Failure("seccomp filters are not supported by this build").at("linux.seccomp")
}

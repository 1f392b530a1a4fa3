internal import OCI

extension Draft {
    /// Devices of the host's network that move into the container.
    mutating func planNetworkDevices() throws(ConfigError) {
        for name in linux.netDevices.keys.sorted() {
            let origin = "linux.netDevices[\(name)]"
            guard !host.isRootless else {
                throw ConfigError(path: origin, message: "needs root of the host")
            }
            let newName = linux.netDevices[name]?.name ?? ""
            plan.networkDevices.append(
                NetworkDevice(name: name, newName: newName.isEmpty ? name : newName))
        }
    }
}

internal import OCI

extension Draft {
    /// Devices of the host's network that move into the container.
    mutating func planNetworkDevices() throws(ConfigError) {
        for name in linux.netDevices.keys.sorted() {
            let origin = "linux.netDevices[\(name)]"
            guard own.contains(.network) else {
                throw ConfigError(path: origin, message: "needs a network namespace")
            }
            guard !host.isRootless else {
                throw ConfigError(path: origin, message: "needs root of the host")
            }
            let newName = linux.netDevices[name]?.name ?? ""
            try Self.checkInterface(name, origin)
            if !newName.isEmpty { try Self.checkInterface(newName, origin + ".name") }
            plan.networkDevices.append(
                NetworkDevice(name: name, newName: newName.isEmpty ? name : newName))
        }
    }

    /// As the kernel's dev_valid_name: below IFNAMSIZ, no "/", ":" or white space.
    private static func checkInterface(_ name: String, _ path: String) throws(ConfigError) {
        let bytes = Array(name.utf8)
        let isValid =
            (1...15).contains(bytes.count) && name != "." && name != ".."
            && !bytes.contains { $0 <= 0x20 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
        guard isValid else {
            throw ConfigError(path: path, message: "\"\(name)\" is not a name of an interface")
        }
    }
}

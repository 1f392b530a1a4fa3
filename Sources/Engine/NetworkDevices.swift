internal import Linux
internal import Plan

/// Moves devices of the runtime's network into the container's: OCI config-linux.md "Network Devices".
enum NetworkDevices {
    /// Moves them to the network namespace of `pid`, a process that is not running yet.
    static func move(_ devices: [NetworkDevice], to pid: Int32) throws(Failure) {
        guard !devices.isEmpty else { return }
        let own = try open("/proc/self/ns/net")
        let target = try open("/proc/\(pid)/ns/net")
        var outside = try attempt("talk with the network stack") { () throws(Errno) in
            try NetworkLinks()
        }
        var inside = try attempt("talk with the container's network stack") { () throws(Errno) in
            try NetworkLinks(in: target)
        }
        for device in devices {
            let origin = "linux.netDevices[\(device.name)]"
            let name = try name(of: device, in: &inside, origin)
            do throws(Errno) {
                try move(device.name, as: name, from: &outside, own, to: &inside, target)
            } catch {
                var failure = Failure("move the network device", error, path: device.name)
                if error == .enodev { failure.hint = "the runtime's network has no such device" }
                if error == .einval { failure.hint = "the kernel lets this device not be moved" }
                throw failure.at(origin)
            }
        }
    }

    private static func open(_ path: String) throws(Failure) -> FileDescriptor {
        try attempt("open a network namespace", path: path) { () throws(Errno) in
            try FileDescriptor.open(path, .readOnly)
        }
    }

    private static func name(
        of device: NetworkDevice, in links: inout NetworkLinks, _ origin: String
    ) throws(Failure) -> String {
        do throws(Errno) {
            return try links.freeName(device.newName)
        } catch {
            var failure = Failure("name the network device", error, path: device.newName)
            if error == .eexist { failure.hint = "the container's network has such a device" }
            throw failure.at(origin + ".name")
        }
    }

    /// One device: what the kernel drops of it by the move, its addresses, is given to it again.
    ///
    /// Where that fails it comes back, without them.
    private static func move(
        _ name: String, as newName: String, from outside: inout NetworkLinks,
        _ own: borrowing FileDescriptor, to inside: inout NetworkLinks,
        _ target: borrowing FileDescriptor
    ) throws(Errno) {
        guard let index = try outside.index(of: name) else { throw .enodev }
        let addresses = try outside.addresses(of: index)
        try outside.move(index, to: target, as: newName)
        guard let moved = try inside.index(of: newName) else { throw .enodev }
        do throws(Errno) {
            for address in addresses { try inside.add(address, to: moved) }
            try inside.setUp(moved, true)
        } catch {
            try? inside.move(moved, to: own, as: name)
            throw error
        }
    }
}

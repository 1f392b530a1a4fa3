internal import OCI

extension Draft {
    /// Devices that every container has: OCI config-linux.md, "Default Devices".
    static let defaultDevices: [(path: String, major: UInt32, minor: UInt32)] = [
        ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8),
        ("/dev/urandom", 1, 9), ("/dev/tty", 5, 0),
    ]

    /// OCI runtime-linux.md, "Dev symbolic links", and the terminals' multiplexer.
    static let defaultLinks: [(contents: String, path: String, replaces: Bool)] = [
        ("pts/ptmx", "/dev/ptmx", true),
        ("/proc/self/fd", "/dev/fd", false), ("/proc/self/fd/0", "/dev/stdin", false),
        ("/proc/self/fd/1", "/dev/stdout", false), ("/proc/self/fd/2", "/dev/stderr", false),
        ("/proc/kcore", "/dev/core", false),
    ]

    /// Device nodes and links below /dev, unless the host's own /dev is bound there.
    mutating func makeDevices() throws(ConfigError) {
        guard rootBinding != .none, !isDevBound else { return }
        for device in Self.defaultDevices where !isConfigured(device.path) {
            add(
                "(default)",
                .device(
                    DeviceNode(
                        path: device.path, kind: .character, major: device.major,
                        minor: device.minor, isBound: bindsDevices, isDefault: true)))
        }
        for (index, device) in linux.devices.enumerated() {
            // The multiplexer is a link to the container's own devpts, whatever is configured.
            if device.path.cleanPath == "/dev/ptmx" { continue }
            let origin = "linux.devices[\(index)]"
            add(origin, .device(try node(device, origin)))
        }
        for link in Self.defaultLinks {
            add(
                "(default)",
                .symlink(contents: link.contents, path: link.path, replaces: link.replaces))
        }
    }

    /// A user namespace cannot make device nodes: mknod(2), EPERM.
    private var bindsDevices: Bool { hasUserNamespace || host.isInUserNamespace }

    var isDevBound: Bool {
        for mount in spec.mounts where mount.destination.cleanPath == "/dev" {
            if mount.type == "bind" || MountOptions(mount.options).isBind { return true }
        }
        return false
    }

    private func isConfigured(_ path: String) -> Bool {
        for device in linux.devices where device.path.cleanPath == path { return true }
        return false
    }

    private func node(_ device: Spec.Device, _ origin: String) throws(ConfigError) -> DeviceNode {
        guard device.path.isAbsolutePath else {
            throw ConfigError(path: origin + ".path", message: "must be an absolute path")
        }
        guard !device.path.cleanPath.starts(withText: "/proc/") else {
            throw ConfigError(path: origin + ".path", message: "cannot be inside /proc")
        }
        let kind: DeviceNode.Kind
        switch device.type {
        case .character, .unbuffered: kind = .character
        case .block: kind = .block
        case .fifo: kind = .fifo
        case .all:
            throw ConfigError(path: origin + ".type", message: "\"a\" is not the type of a node")
        }
        let isFIFO = kind == .fifo
        return DeviceNode(
            path: device.path.cleanPath, kind: kind,
            major: isFIFO ? 0 : try Self.number(device.major, below: 1 << 12, origin + ".major"),
            minor: isFIFO ? 0 : try Self.number(device.minor, below: 1 << 20, origin + ".minor"),
            mode: (device.fileMode ?? 0o666) & 0o7777, uid: device.uid ?? 0, gid: device.gid ?? 0,
            isBound: bindsDevices && !isFIFO)
    }

    private static func number(
        _ number: Int64?, below limit: Int64, _ path: String
    ) throws(ConfigError) -> UInt32 {
        guard let number else {
            throw ConfigError(path: path, message: "required, but missing")
        }
        guard (0..<limit).contains(number) else {
            throw ConfigError(path: path, message: "\(number) is outside 0 to \(limit - 1)")
        }
        return UInt32(number)
    }
}

extension Draft {
    /// The terminal comes after the hooks, whose output is not the container's.
    mutating func openConsole(_ process: Spec.Process, bindsConsole: Bool) {
        guard process.terminal else {
            add("process.user", .passStdio(uid: process.user.uid))
            return
        }
        plan.hasTerminal = true
        let size = process.consoleSize
        add(
            "process.terminal",
            .console(
                Console(
                    width: size?.width ?? 0, height: size?.height ?? 0, uid: process.user.uid,
                    bindsConsole: bindsConsole && rootBinding != .none && !isDevBound)))
    }
}

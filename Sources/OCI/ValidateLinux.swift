extension Spec.Linux {
    /// The entry of a kind of namespace, if the container gets or joins one.
    package func namespace(_ type: Spec.NamespaceType) -> Spec.Namespace? {
        for namespace in namespaces where namespace.type == type { return namespace }
        return nil
    }

    func checkNamespaces() throws(ConfigError) {
        var seen: [Spec.NamespaceType] = []
        for (index, namespace) in namespaces.enumerated() {
            var path: String { "linux.namespaces[\(index)]" }
            try require(
                !seen.contains(namespace.type), path + ".type",
                "\(namespace.type.name) is there twice")
            seen.append(namespace.type)
            if let file = namespace.path { try checkAbsolute(file, path + ".path") }
        }
    }

    func checkMappings() throws(ConfigError) {
        for (name, mappings) in [("uidMappings", uidMappings), ("gidMappings", gidMappings)] {
            guard !mappings.isEmpty else { continue }
            try require(
                namespace(.user) != nil, "linux.\(name)",
                "needs a user namespace in linux.namespaces")
            try Spec.IDMapping.check(mappings, "linux.\(name)")
        }
        guard let user = namespace(.user), user.path == nil else { return }
        try require(
            uidMappings.isEmpty == gidMappings.isEmpty, "linux",
            "a new user namespace needs uidMappings and gidMappings")
    }

    /// Whether a new user namespace is left to the runtime to map.
    package var lacksMappings: Bool {
        guard let user = namespace(.user), user.path == nil else { return false }
        return uidMappings.isEmpty && gidMappings.isEmpty
    }

    func checkTimeOffsets() throws(ConfigError) {
        guard let offsets = timeOffsets else { return }
        let time = namespace(.time)
        try require(
            time != nil, "linux.timeOffsets", "needs a time namespace in linux.namespaces")
        try require(
            time?.path == nil, "linux.timeOffsets", "the time namespace that is joined has its own")
        for (name, offset) in [("monotonic", offsets.monotonic), ("boottime", offsets.boottime)] {
            try require(
                (offset?.nanosecs ?? 0) < 1_000_000_000, "linux.timeOffsets.\(name).nanosecs",
                "is not below one second")
        }
    }

    func checkDevices() throws(ConfigError) {
        for (index, device) in devices.enumerated() {
            var path: String { "linux.devices[\(index)]" }
            try checkAbsolute(device.path, path + ".path")
            try require(device.type != .all, path + ".type", "\"a\" is no device")
            if device.type != .fifo {
                try checkNumber(device.major, path + ".major")
                try checkNumber(device.minor, path + ".minor")
            }
            for other in devices[..<index] where other.path == device.path {
                try require(other == device, path + ".path", "\(device.path) is there twice")
            }
        }
    }

    private func checkNumber(
        _ number: Int64?, _ path: @autoclosure () -> String
    ) throws(ConfigError) {
        guard let number else { throw ConfigError(path: path(), message: "required, but missing") }
        try require(
            number >= 0 && number <= UInt32.max, path(), "\(number) is not a device number")
    }

    func checkNetDevices() throws(ConfigError) {
        guard !netDevices.isEmpty else { return }
        try require(
            namespace(.network) != nil, "linux.netDevices",
            "needs a network namespace in linux.namespaces")
        var names: [String] = []
        for (host, device) in netDevices.sorted(by: { $0.key < $1.key }) {
            let name = device.name.map { $0.isEmpty ? host : $0 } ?? host
            let path = "linux.netDevices.\(host)"
            try require(isDeviceName(host), path, "\(quoted(host)) is no name of a device")
            try require(
                isDeviceName(name), path + ".name", "\(quoted(name)) is no name of a device")
            try require(!names.contains(name), path + ".name", "\(name) is there twice")
            // Of a template the kernel makes a name for each device.
            if !name.utf8.contains(UInt8(ascii: "%")) { names.append(name) }
        }
    }

    /// What the kernel accepts as an interface name: dev_valid_name in net/core/dev.c.
    private func isDeviceName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count < 16, name != ".", name != ".." else { return false }
        for byte in name.utf8
        where byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte <= 0x20 {
            return false
        }
        return true
    }

    func checkPaths() throws(ConfigError) {
        for (name, list) in [("maskedPaths", maskedPaths), ("readonlyPaths", readonlyPaths)] {
            for (index, path) in list.enumerated() {
                try checkAbsolute(path, "linux.\(name)[\(index)]")
            }
        }
        // Cleaned by text it would name another group than the kernel finds.
        for component in (cgroupsPath ?? "").utf8.split(separator: UInt8(ascii: "/")) {
            try require(
                !component.elementsEqual("..".utf8), "linux.cgroupsPath", "must not contain ..")
        }
    }

    func checkIntelRdt() throws(ConfigError) {
        guard let rdt = intelRdt else { return }
        let path = "linux.intelRdt"
        if let id = rdt.closID, id != "/" {
            try require(
                !id.isEmpty && id != "." && id != ".." && !id.utf8.contains(UInt8(ascii: "/")),
                path + ".closID", "\(quoted(id)) is no name of a directory")
        }
        if let schema = rdt.memBwSchema, !schema.isEmpty {
            try require(
                schema.hasPrefix("MB:") && !schema.utf8.contains(UInt8(ascii: "\n")),
                path + ".memBwSchema", "must be one line that begins with MB:")
        }
        for (index, line) in rdt.schemata.enumerated() {
            try require(
                !line.isEmpty && !line.utf8.contains(UInt8(ascii: "\n")),
                "\(path).schemata[\(index)]", "must be one line")
        }
    }

    func checkPersonality() throws(ConfigError) {
        try require(
            personality?.flags.isEmpty != false, "linux.personality.flags",
            "OCI defines no flag of a personality")
    }
}

extension Spec.IDMapping {
    /// Checks what the kernel demands of a uid_map: user_namespaces(7).
    static func check(
        _ mappings: [Spec.IDMapping], _ path: @autoclosure () -> String
    ) throws(ConfigError) {
        try require(mappings.count <= 340, path(), "more than 340 ranges")
        for (index, mapping) in mappings.enumerated() {
            var place: String { "\(path())[\(index)]" }
            try require(mapping.size > 0, place + ".size", "must be above 0")
            let space = UInt64(UInt32.max)
            try require(
                UInt64(mapping.containerID) + UInt64(mapping.size) <= space
                    && UInt64(mapping.hostID) + UInt64(mapping.size) <= space, place,
                "reaches beyond the last id")
            for other in mappings[..<index] {
                try require(
                    !overlap(mapping.containerID, other.containerID, mapping.size, other.size)
                        && !overlap(mapping.hostID, other.hostID, mapping.size, other.size),
                    place, "overlaps an earlier range")
            }
        }
    }

    private static func overlap(
        _ first: UInt32, _ second: UInt32, _ size: UInt32, _ sizeOfSecond: UInt32
    ) -> Bool {
        UInt64(first) < UInt64(second) + UInt64(sizeOfSecond)
            && UInt64(second) < UInt64(first) + UInt64(size)
    }
}

extension Spec.MemoryPolicy {
    func validate(at path: String) throws(ConfigError) {
        guard let mode else {
            throw ConfigError(
                path: path + ".mode", message: "\(Mode.refusal): required, but missing")
        }
        let nodes = nodes ?? ""
        try require(
            nodes.isEmpty || isNumberList(nodes), path + ".nodes",
            "invalid memory policy nodes \(quoted(nodes)), not a list such as 0-1,3")
        switch mode {
        case .default, .local:
            let count = numberCount(nodes) ?? 0
            try require(
                count == 0, path + ".nodes",
                "\(mode.rawValue) mode requires 0 nodes but got \(count)")
            try require(flags.isEmpty, path + ".flags", "\(mode.rawValue) has none")
        case .preferred:
            try require(
                !nodes.isEmpty || flags.isEmpty, path + ".flags", "without nodes there are none")
        default:
            try require(!nodes.isEmpty, path + ".nodes", "\(mode.rawValue) needs some")
        }
        try require(
            !(flags.contains(.staticNodes) && flags.contains(.relativeNodes)), path + ".flags",
            "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
        if flags.contains(.numaBalancing) {
            try require(
                mode == .bind || mode == .preferredMany, path + ".flags",
                "MPOL_F_NUMA_BALANCING needs MPOL_BIND or MPOL_PREFERRED_MANY")
        }
    }
}

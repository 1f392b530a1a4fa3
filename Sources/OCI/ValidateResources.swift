extension Spec.Resources {
    /// Checks limits: of a configuration, or alone for `update --resources`.
    package func validate(at path: String) throws(ConfigError) {
        try checkDevices(path + ".devices")
        try memory?.validate(at: path + ".memory")
        try cpu?.validate(at: path + ".cpu")
        let pids = pids?.limit ?? 0
        try require(pids >= -1, path + ".pids.limit", "\(pids) is below -1 (no limit)")
        try blockIO?.validate(at: path + ".blockIO")
        try checkHugepages(path + ".hugepageLimits")
        try checkNetwork(path + ".network")
        try checkNames(path)
    }

    private func checkDevices(_ list: String) throws(ConfigError) {
        for (index, rule) in devices.enumerated() {
            var path: String { "\(list)[\(index)]" }
            switch rule.type {
            case nil, .all, .block, .character: break
            case .fifo, .unbuffered:
                throw ConfigError(path: path + ".type", message: "must be a, b or c")
            }
            for letter in (rule.access ?? "").utf8 {
                try require(
                    "rwm".utf8.contains(letter), path + ".access", "is not made of r, w and m")
            }
            for number in [rule.major, rule.minor] {
                try require(
                    (number ?? -1) >= -1 && (number ?? -1) <= UInt32.max, path,
                    "a device number must be -1 (any) or above")
            }
        }
    }

    private func checkHugepages(_ path: String) throws(ConfigError) {
        var seen: [String] = []
        for (index, limit) in hugepageLimits.enumerated() {
            try require(
                isPageSize(limit.pageSize), "\(path)[\(index)].pageSize",
                "\(quoted(limit.pageSize)) is not a size such as 64KB, 2MB or 1GB")
            try require(
                !seen.contains(limit.pageSize), "\(path)[\(index)].pageSize",
                "\(limit.pageSize) is there twice")
            seen.append(limit.pageSize)
        }
    }

    private func isPageSize(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > 2, bytes[bytes.count - 1] == UInt8(ascii: "B"),
            "KMG".utf8.contains(bytes[bytes.count - 2]), bytes[0] != UInt8(ascii: "0")
        else { return false }
        for byte in bytes.dropLast(2)
        where byte < UInt8(ascii: "0") || byte > UInt8(ascii: "9") {
            return false
        }
        return true
    }

    private func checkNetwork(_ path: String) throws(ConfigError) {
        try refuseV1((network?.classID ?? 0) != 0, path + ".classID")
        try refuseV1(network?.priorities.isEmpty == false, path + ".priorities")
    }

    /// Names that become files of the cgroup, or words of a line.
    private func checkNames(_ path: String) throws(ConfigError) {
        for key in unified.keys.sorted() {
            try require(
                !key.isEmpty && key != "." && key != ".." && !key.utf8.contains(UInt8(ascii: "/")),
                "\(path).unified.\(key)", "not the name of a cgroup file")
        }
        for key in rdma.keys.sorted() {
            var isWord = !key.isEmpty
            for byte in key.utf8 where byte <= 0x20 || byte == UInt8(ascii: "=") { isWord = false }
            try require(isWord, "\(path).rdma.\(key)", "not the name of a device")
            try require(
                rdma[key]?.hcaHandles != nil || rdma[key]?.hcaObjects != nil,
                "\(path).rdma.\(key)", "needs hcaHandles or hcaObjects")
        }
    }
}

/// Refuses what cgroup v2 has no counterpart of: OCI has a runtime fail rather than forget it.
private func refuseV1(_ isGiven: Bool, _ path: @autoclosure () -> String) throws(ConfigError) {
    try require(!isGiven, path(), "exists in cgroup v1 only; this runtime uses cgroup v2")
}

extension Spec.Resources.Memory {
    func validate(at path: String) throws(ConfigError) {
        // -1 and 0 ask for no limit, which is what cgroup v2 gives.
        try refuseV1((kernel ?? 0) > 0, path + ".kernel")
        try refuseV1((kernelTCP ?? 0) > 0, path + ".kernelTCP")
        try refuseV1(swappiness != nil, path + ".swappiness")
        try refuseV1(disableOOMKiller == true, path + ".disableOOMKiller")
        // cgroup v2 always counts what is below.
        try refuseV1(useHierarchy == false, path + ".useHierarchy")
        for (name, value) in [("limit", limit), ("reservation", reservation), ("swap", swap)] {
            try require((value ?? 0) >= -1, "\(path).\(name)", "is below -1 (no limit)")
        }
        // `swap` counts memory and swap together; v2's file has swap alone, their difference.
        guard let swap, swap > 0 else { return }
        let limit = limit ?? 0
        try require(limit > 0, path + ".swap", "needs a memory limit")
        try require(
            swap >= limit, path + ".swap",
            "\(swap) is below the memory limit \(limit): it counts memory and swap together")
    }
}

extension Spec.Resources.CPU {
    func validate(at path: String) throws(ConfigError) {
        try refuseV1((realtimeRuntime ?? 0) != 0, path + ".realtimeRuntime")
        try refuseV1((realtimePeriod ?? 0) != 0, path + ".realtimePeriod")
        let quota = quota ?? 0
        try require(
            quota >= 1000 || quota == 0 || quota == -1, path + ".quota",
            "\(quota) is below 1000 microseconds")
        let period = period ?? 0
        try require(
            period == 0 || 1000...1_000_000 ~= period, path + ".period",
            "\(period) is outside 1000 to 1000000 microseconds")
        if let burst, burst > 0, quota > 0 {
            try require(burst <= UInt64(quota), path + ".burst", "is above the quota \(quota)")
        }
        let idle = idle ?? 0
        try require(idle == 0 || idle == 1, path + ".idle", "\(idle) is neither 0 nor 1")
        for (name, list) in [("cpus", cpus), ("mems", mems)] {
            guard let list, !list.isEmpty else { continue }
            try require(
                isNumberList(list), "\(path).\(name)",
                "\(quoted(list)) is not a list such as 0-3,7")
        }
    }
}

extension Spec.Resources.BlockIO {
    func validate(at path: String) throws(ConfigError) {
        try check(weight, path + ".weight")
        try refuseV1((leafWeight ?? 0) != 0, path + ".leafWeight")
        for (index, device) in weightDevice.enumerated() {
            let path = "\(path).weightDevice[\(index)]"
            try require(
                device.weight != nil || device.leafWeight != nil, path,
                "needs weight or leafWeight")
            try check(device.weight, path + ".weight")
            try refuseV1((device.leafWeight ?? 0) != 0, path + ".leafWeight")
            try check(device.major, device.minor, path)
        }
        for (name, list) in [
            ("throttleReadBpsDevice", throttleReadBpsDevice),
            ("throttleWriteBpsDevice", throttleWriteBpsDevice),
            ("throttleReadIOPSDevice", throttleReadIOPSDevice),
            ("throttleWriteIOPSDevice", throttleWriteIOPSDevice),
        ] {
            for (index, device) in list.enumerated() {
                try check(device.major, device.minor, "\(path).\(name)[\(index)]")
            }
        }
    }

    /// A weight; 0 means none is set.
    private func check(_ weight: UInt16?, _ path: String) throws(ConfigError) {
        let weight = weight ?? 0
        try require(
            weight == 0 || 10...1000 ~= weight, path, "\(weight) is outside 10 to 1000")
    }

    private func check(_ major: Int64, _ minor: Int64, _ path: String) throws(ConfigError) {
        try require(
            0...Int64(UInt32.max) ~= major && 0...Int64(UInt32.max) ~= minor, path,
            "\(major):\(minor) is not a device number")
    }
}

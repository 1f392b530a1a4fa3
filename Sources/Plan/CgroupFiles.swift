internal import OCI

/// The files of a cgroup that hold its limits: one function a controller.
struct CgroupFiles {
    private let resources: Spec.Resources
    /// Limits in force before an update.
    private let recorded: Spec.Resources?

    init(_ resources: Spec.Resources, recorded: Spec.Resources? = nil) {
        self.resources = resources
        self.recorded = recorded
    }

    /// All of them, in the order of writing; `unified` is last and so overrides.
    func writes() throws(ConfigError) -> [CgroupWrite] {
        try refuseLegacy()
        return try memory() + cpu() + pids() + blockIO() + hugepages() + rdma() + unified()
    }

    private func write(
        _ name: String, _ file: String, _ value: String, isOptional: Bool = false
    ) -> CgroupWrite {
        CgroupWrite("linux.resources." + name, file, value, isOptional: isOptional)
    }

    private func error(_ name: String, _ message: String) -> ConfigError {
        ConfigError(path: "linux.resources." + name, message: message)
    }

    /// What only cgroup v1 had.
    ///
    /// OCI demands an error for what cannot be converted. Values that ask for what v2 does anyway
    /// are no error.
    private func refuseLegacy() throws(ConfigError) {
        let memory = resources.memory
        let cpu = resources.cpu
        let network = resources.network
        let asked = [
            ("memory.kernel", (memory?.kernel ?? 0) > 0),
            ("memory.kernelTCP", (memory?.kernelTCP ?? 0) > 0),
            ("memory.swappiness", memory?.swappiness.map { $0 != .max } ?? false),
            ("memory.disableOOMKiller", memory?.disableOOMKiller == true),
            ("memory.useHierarchy", memory?.useHierarchy == false),
            ("cpu.realtimeRuntime", (cpu?.realtimeRuntime ?? 0) != 0),
            ("cpu.realtimePeriod", (cpu?.realtimePeriod ?? 0) != 0),
            ("blockIO.leafWeight", (resources.blockIO?.leafWeight ?? 0) != 0),
            ("network.classID", (network?.classID ?? 0) != 0),
            ("network.priorities", network?.priorities.isEmpty == false),
        ]
        for (name, isAsked) in asked where isAsked {
            throw error(name, "cgroup v2 has nothing like it")
        }
    }

    // MARK: - Controllers

    private func memory() throws(ConfigError) -> [CgroupWrite] {
        guard let memory = resources.memory else { return [] }
        var writes: [CgroupWrite] = []
        let limit = memory.limit ?? recorded?.memory?.limit ?? 0
        let swap: Int64?
        do throws(CgroupValues.SwapError) {
            let isAsked = memory.limit != nil || memory.swap != nil
            swap = try CgroupValues.swapMax(swap: memory.swap ?? 0, limit: isAsked ? limit : 0)
        } catch {
            throw self.error(
                "memory.swap",
                error == .needsLimit
                    ? "needs memory.limit, which it includes"
                    : "memory+swap limit should be >= memory limit")
        }
        if let swap {
            // Without swap the file is missing; then neither 0 nor "max" changes anything.
            writes.append(
                write(
                    "memory.swap", "memory.swap.max", CgroupValues.text(swap),
                    isOptional: swap <= 0))
        }
        if let limit = memory.limit, limit != 0 {
            writes.append(write("memory.limit", "memory.max", CgroupValues.text(limit)))
        }
        if let low = memory.reservation, low != 0 {
            writes.append(write("memory.reservation", "memory.low", CgroupValues.text(low)))
        }
        return writes
    }

    private func cpu() throws(ConfigError) -> [CgroupWrite] {
        guard let cpu = resources.cpu else { return [] }
        var writes: [CgroupWrite] = []
        if let idle = cpu.idle {
            guard idle == 0 || idle == 1 else { throw error("cpu.idle", "must be 0 or 1") }
            writes.append(write("cpu.idle", "cpu.idle", String(idle)))
        }
        // The kernel refuses a weight for an idle cgroup.
        if cpu.idle != 1, let shares = cpu.shares,
            let weight = CgroupValues.weight(shares: shares)
        {
            writes.append(write("cpu.shares", "cpu.weight", String(weight)))
        }
        let bandwidth = bandwidth(cpu)
        let burst = cpu.burst.map { write("cpu.burst", "cpu.max.burst", String($0)) }
        // A burst is at most the quota: one that shrinks goes before it, one that grows after.
        let burstFirst = (cpu.burst ?? 0) < (recorded?.cpu?.burst ?? 0)
        if burstFirst, let burst { writes.append(burst) }
        if let bandwidth { writes.append(bandwidth) }
        if !burstFirst, let burst { writes.append(burst) }
        let sets = [("cpu.cpus", "cpuset.cpus", cpu.cpus), ("cpu.mems", "cpuset.mems", cpu.mems)]
        for (name, file, list) in sets {
            guard let list = try Draft.list(list, "linux.resources." + name) else { continue }
            writes.append(write(name, file, list))
        }
        return writes
    }

    /// cpu.max holds both; of an update what it does not name stays as recorded.
    private func bandwidth(_ cpu: Spec.Resources.CPU) -> CgroupWrite? {
        let hasQuota = (cpu.quota ?? 0) != 0
        let hasPeriod = (cpu.period ?? 0) != 0
        guard hasQuota || hasPeriod else { return nil }
        let quota = hasQuota ? cpu.quota ?? -1 : recorded?.cpu?.quota ?? -1
        let period = hasPeriod ? cpu.period : recorded?.cpu?.period
        let value = CgroupValues.text(quota == 0 ? -1 : quota)
        // Without a period the kernel keeps the present one, 100000 microseconds at first.
        let text = (period ?? 0) == 0 ? value : "\(value) \(period ?? 0)"
        return write(hasQuota ? "cpu.quota" : "cpu.period", "cpu.max", text)
    }

    private func pids() -> [CgroupWrite] {
        guard let limit = resources.pids?.limit else { return [] }
        return [write("pids.limit", "pids.max", CgroupValues.text(limit))]
    }

    private func blockIO() throws(ConfigError) -> [CgroupWrite] {
        guard let io = resources.blockIO else { return [] }
        var writes: [CgroupWrite] = []
        if let weight = io.weight, weight != 0 {
            try check(weight: weight, "blockIO.weight")
            var write = write("blockIO.weight", "io.bfq.weight", String(weight))
            write.fallback = CgroupFallback(
                file: "io.weight", value: String(CgroupValues.ioWeight(blkio: weight)))
            writes.append(write)
        }
        for (index, device) in io.weightDevice.enumerated() {
            let name = "blockIO.weightDevice[\(index)]"
            guard (device.leafWeight ?? 0) == 0 else {
                throw error(name + ".leafWeight", "cgroup v2 has nothing like it")
            }
            guard let weight = device.weight, weight != 0 else { continue }
            try check(weight: weight, name + ".weight")
            let number = "\(device.major):\(device.minor)"
            var write = write(name, "io.bfq.weight", "\(number) \(weight)")
            write.fallback = CgroupFallback(
                file: "io.weight", value: "\(number) \(CgroupValues.ioWeight(blkio: weight))")
            writes.append(write)
        }
        let throttles = [
            ("throttleReadBpsDevice", "rbps", io.throttleReadBpsDevice),
            ("throttleWriteBpsDevice", "wbps", io.throttleWriteBpsDevice),
            ("throttleReadIOPSDevice", "riops", io.throttleReadIOPSDevice),
            ("throttleWriteIOPSDevice", "wiops", io.throttleWriteIOPSDevice),
        ]
        for (name, key, devices) in throttles {
            for (index, device) in devices.enumerated() {
                let rate = device.rate == 0 ? "max" : String(device.rate)
                writes.append(
                    write(
                        "blockIO.\(name)[\(index)]", "io.max",
                        "\(device.major):\(device.minor) \(key)=\(rate)"))
            }
        }
        return writes
    }

    private func check(weight: UInt16, _ name: String) throws(ConfigError) {
        guard (10...1000).contains(weight) else {
            throw error(name, "\(weight) is outside 10 to 1000")
        }
    }

    private func hugepages() throws(ConfigError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for (index, limit) in resources.hugepageLimits.enumerated() {
            let name = "hugepageLimits[\(index)]"
            let digits = limit.pageSize.utf8.prefix { (0x30...0x39).contains($0) }
            let unit = String(
                decoding: Array(limit.pageSize.utf8.dropFirst(digits.count)), as: UTF8.self)
            guard !digits.isEmpty, ["KB", "MB", "GB"].contains(unit) else {
                throw error(name + ".pageSize", "expected a size such as 2MB")
            }
            let file = "hugetlb." + limit.pageSize
            writes.append(write(name, file + ".max", String(limit.limit)))
            // Reservations count too, on a kernel that counts them (5.7).
            writes.append(write(name, file + ".rsvd.max", String(limit.limit), isOptional: true))
        }
        return writes
    }

    private func rdma() throws(ConfigError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for device in resources.rdma.keys.sorted() {
            guard let limit = resources.rdma[device] else { continue }
            var value = device
            if let handles = limit.hcaHandles { value += " hca_handle=\(handles)" }
            if let objects = limit.hcaObjects { value += " hca_object=\(objects)" }
            guard limit.hcaHandles != nil || limit.hcaObjects != nil else {
                throw error("rdma[\(device)]", "sets no limit")
            }
            writes.append(write("rdma[\(device)]", "rdma.max", value))
        }
        return writes
    }

    private func unified() throws(ConfigError) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for file in resources.unified.keys.sorted() {
            let name = "unified[\(file)]"
            let isName =
                !file.isEmpty && file != "." && file != ".." && !file.utf8.contains(0x2F)
            guard isName else { throw error(name, "must be the name of a file") }
            // These move or end processes, which is not a limit.
            guard !["cgroup.procs", "cgroup.threads", "cgroup.kill"].contains(file) else {
                throw error(name, "is the runtime's to write")
            }
            writes.append(write(name, file, resources.unified[file] ?? ""))
        }
        return writes
    }
}

internal import OCI

/// The files of a cgroup that hold its limits: one function a controller.
struct CgroupFiles {
    private let resources: Spec.Resources
    /// The burst in force before an update, microseconds.
    private let recordedBurst: UInt64?

    /// - Parameter resources: valid ones, see `Spec.Resources.validate`.
    init(_ resources: Spec.Resources, recordedBurst: UInt64? = nil) {
        self.resources = resources
        self.recordedBurst = recordedBurst
    }

    /// All of them, in the order of writing; `unified` is last and so overrides.
    func writes() -> [CgroupWrite] {
        memory() + cpu() + pids() + blockIO() + hugepages() + rdma() + unified()
    }

    private func write(
        _ name: String, _ file: String, _ value: String, isOptional: Bool = false
    ) -> CgroupWrite {
        CgroupWrite("linux.resources." + name, file, value, isOptional: isOptional)
    }

    // MARK: - Controllers

    private func memory() -> [CgroupWrite] {
        guard let memory = resources.memory else { return [] }
        var writes: [CgroupWrite] = []
        let swap = CgroupValues.swapMax(swap: memory.swap ?? 0, limit: memory.limit ?? 0)
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

    private func cpu() -> [CgroupWrite] {
        guard let cpu = resources.cpu else { return [] }
        var writes: [CgroupWrite] = []
        if let idle = cpu.idle {
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
        let burstFirst = (cpu.burst ?? 0) < (recordedBurst ?? 0)
        if burstFirst, let burst { writes.append(burst) }
        if let bandwidth { writes.append(bandwidth) }
        if !burstFirst, let burst { writes.append(burst) }
        let sets = [("cpu.cpus", "cpuset.cpus", cpu.cpus), ("cpu.mems", "cpuset.mems", cpu.mems)]
        for (name, file, list) in sets {
            guard let list, !list.isEmpty else { continue }
            writes.append(write(name, file, list))
        }
        return writes
    }

    /// cpu.max holds both.
    private func bandwidth(_ cpu: Spec.Resources.CPU) -> CgroupWrite? {
        let quota = cpu.quota ?? 0
        let period = cpu.period ?? 0
        guard quota != 0 || period != 0 else { return nil }
        let value = CgroupValues.text(quota == 0 ? -1 : quota)
        // Without a period the kernel keeps the present one, 100000 microseconds at first.
        return write(
            quota != 0 ? "cpu.quota" : "cpu.period", "cpu.max",
            period == 0 ? value : "\(value) \(period)")
    }

    private func pids() -> [CgroupWrite] {
        guard let limit = resources.pids?.limit else { return [] }
        return [write("pids.limit", "pids.max", CgroupValues.text(limit))]
    }

    private func blockIO() -> [CgroupWrite] {
        guard let io = resources.blockIO else { return [] }
        var writes: [CgroupWrite] = []
        if let weight = io.weight, weight != 0 {
            var write = write("blockIO.weight", "io.bfq.weight", String(weight))
            write.fallback = CgroupFallback(
                file: "io.weight", value: String(CgroupValues.ioWeight(blkio: weight)))
            writes.append(write)
        }
        for (index, device) in io.weightDevice.enumerated() {
            let name = "blockIO.weightDevice[\(index)]"
            guard let weight = device.weight, weight != 0 else { continue }
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

    private func hugepages() -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for (index, limit) in resources.hugepageLimits.enumerated() {
            let name = "hugepageLimits[\(index)]"
            let file = "hugetlb." + limit.pageSize
            writes.append(write(name, file + ".max", String(limit.limit)))
            // Reservations count too, on a kernel that counts them (5.7).
            writes.append(write(name, file + ".rsvd.max", String(limit.limit), isOptional: true))
        }
        return writes
    }

    private func rdma() -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for device in resources.rdma.keys.sorted() {
            guard let limit = resources.rdma[device] else { continue }
            var value = device
            if let handles = limit.hcaHandles { value += " hca_handle=\(handles)" }
            if let objects = limit.hcaObjects { value += " hca_object=\(objects)" }
            writes.append(write("rdma[\(device)]", "rdma.max", value))
        }
        return writes
    }

    private func unified() -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for file in resources.unified.keys.sorted() {
            // Of several lines, one for each device, the kernel takes one at a time.
            let value = resources.unified[file] ?? ""
            let lines = value.split(at: "\n").filter { !$0.isEmpty }
            for line in lines.isEmpty ? [value] : lines {
                writes.append(write("unified[\(file)]", file, line))
            }
        }
        return writes
    }
}

extension Spec.Resources {
    /// An update with what its files need and it does not say: memory.swap.max is a difference,
    /// and cpu.max two values.
    func completed(from recorded: Spec.Resources?) -> Spec.Resources {
        var whole = self
        if let swap = memory?.swap, swap > 0, memory?.limit == nil {
            whole.memory?.limit = recorded?.memory?.limit
        }
        if (cpu?.quota ?? 0) != 0, cpu?.period == nil { whole.cpu?.period = recorded?.cpu?.period }
        if (cpu?.period ?? 0) != 0, cpu?.quota == nil { whole.cpu?.quota = recorded?.cpu?.quota }
        return whole
    }
}

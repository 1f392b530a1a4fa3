package import OCI

/// The options of `update` as the resources to set.
package enum UpdateResources {
    /// The resources that the options name; all else stays nil, which means: as it is.
    package static func resources(from arguments: Arguments) throws(UsageError) -> Spec.Resources {
        let reader = Reader(arguments: arguments)
        var resources = Spec.Resources()

        var memory = Spec.Resources.Memory()
        memory.limit = try reader.size("memory")
        memory.reservation = try reader.size("memory-reservation")
        memory.swap = try reader.size("memory-swap")
        if memory != Spec.Resources.Memory() { resources.memory = memory }

        var cpu = Spec.Resources.CPU()
        cpu.shares = try reader.number("cpu-share")
        cpu.quota = try reader.number("cpu-quota")
        cpu.burst = try reader.number("cpu-burst")
        cpu.period = try reader.number("cpu-period")
        cpu.realtimeRuntime = try reader.number("cpu-rt-runtime")
        cpu.realtimePeriod = try reader.number("cpu-rt-period")
        cpu.cpus = reader.text("cpuset-cpus")
        cpu.mems = reader.text("cpuset-mems")
        cpu.idle = try reader.number("cpu-idle")
        if cpu != Spec.Resources.CPU() { resources.cpu = cpu }

        if let limit: Int64 = try reader.number("pids-limit") {
            var pids = Spec.Resources.Pids()
            pids.limit = limit
            resources.pids = pids
        }
        if let weight: UInt16 = try reader.number("blkio-weight") {
            var blockIO = Spec.Resources.BlockIO()
            blockIO.weight = weight
            resources.blockIO = blockIO
        }
        return resources
    }

    /// Reads values, and names the option in the error.
    private struct Reader {
        let arguments: Arguments

        /// Engines give an empty value for "not set".
        func text(_ name: String) -> String? {
            guard let text = arguments.value(name), text != "" else { return nil }
            return text
        }

        func number<Value: FixedWidthInteger>(_ name: String) throws(UsageError) -> Value? {
            guard let text = text(name) else { return nil }
            guard let value = Value(text) else {
                throw UsageError("invalid value \"\(text)\" for --\(name)")
            }
            return value
        }

        func size(_ name: String) throws(UsageError) -> Int64? {
            guard let text = text(name) else { return nil }
            guard let value = Quantity.size(text) else {
                throw UsageError("invalid value \"\(text)\" for --\(name)")
            }
            return value
        }
    }
}

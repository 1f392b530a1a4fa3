/// The cgroup of a container and what is written there.
package struct CgroupPlan: Equatable {
    package var place = CgroupPlace.none
    /// In the order of writing.
    package var writes: [CgroupWrite] = []
    /// Rules of access in the configuration's order, over a default that denies all; empty
    /// where nothing is restricted.
    package var devices: [DeviceRule] = []
    /// Whether `devices` is to be applied at all.
    package var restrictsDevices = false
    /// A limit below what is in use already is refused (memory.checkBeforeUpdate), bytes.
    package var checkedMemoryLimit: Int64?
    /// Files of /sys/kernel/cgroup/delegate are given to the container's root (its host uid).
    package var delegatedTo: UInt32?
    /// Unit properties of the annotations `org.systemd.property.NAME`: the name, and the value in
    /// GVariant's text form.
    package var unitProperties: [UnitProperty] = []
    /// Limits that a systemd unit states as properties too.
    package var unitLimits = UnitLimits()

    package init() {}
}

/// Where the cgroup is.
package enum CgroupPlace: Equatable {
    /// The container stays in the runtime's own.
    case none
    /// A path from the mount point ("/machine/x").
    case absolute(String)
    /// A path below the parent of the runtime's own cgroup.
    case relative(String)
    /// A unit of systemd: `slice:prefix:name`.
    case systemd(SystemdUnit)
}

/// A unit of systemd and the slice it is in.
package struct SystemdUnit: Equatable {
    package let slice: String
    /// With its suffix: "libpod-1234.scope", or a slice.
    package let unit: String
    /// Whether the user's instance of systemd owns it.
    package let isUser: Bool
}

/// A file of the cgroup and what to write there.
package struct CgroupWrite: Equatable {
    package let origin: String
    package let file: String
    package let value: String
    /// Whether the file may be missing without that being an error.
    package var isOptional = false
}

/// A rule of the device controller.
package struct DeviceRule: Equatable {
    package enum Kind: Equatable { case all, character, block }

    package let isAllowed: Bool
    package let kind: Kind
    /// nil is every number.
    package let major: UInt32?
    package let minor: UInt32?
    package let reads: Bool
    package let writes: Bool
    package let makes: Bool
}

/// A property of a systemd unit in its text form.
package struct UnitProperty: Equatable {
    package let name: String
    package let value: String
}

/// The limits in systemd's terms; nil is not set. `UInt64.max` is systemd's "infinity".
package struct UnitLimits: Equatable {
    /// Bytes, these four.
    package var memoryMax: UInt64?
    package var memoryLow: UInt64?
    package var memorySwapMax: UInt64?
    package var tasksMax: UInt64?
    /// 1 to 10000.
    package var cpuWeight: UInt64?
    /// Microseconds of time per second.
    package var cpuQuotaPerSecond: UInt64?
    /// Microseconds.
    package var cpuQuotaPeriod: UInt64?
    /// Lists such as "0-3".
    package var allowedCPUs: String?
    package var allowedMemoryNodes: String?
    package var ioWeight: UInt64?

    package init() {}
}

/// The cgroup of a container and what is written there.
package struct CgroupPlan: Equatable {
    /// `cgroupsPath` as it is written, of which Cgroups makes a place; "" where it chooses.
    package var path = ""
    /// Whether a container without a cgroup of its own would not be what was asked for.
    package var isNeeded = false
    /// In the order of writing.
    package var writes: [CgroupWrite] = []
    /// Rules of access over a default that denies all, of which the last that fits decides.
    ///
    /// Empty where the runtime has not the privilege to restrict devices; the kernel does then.
    package var devices: [DeviceRule] = []
    /// A limit below what is in use already is refused (memory.checkBeforeUpdate), bytes.
    package var checkedMemoryLimit: Int64?
    /// The host's uid of the container's user, who gets the cgroup's directory and the files of
    /// /sys/kernel/cgroup/delegate; nil where they are not given away.
    package var ownerUID: UInt32?
    /// Unit properties of the annotations `org.systemd.property.NAME`: the name, and the value in
    /// GVariant's text form.
    package var unitProperties: [UnitProperty] = []

    package init() {}
}

/// A file of the cgroup and what to write there.
package struct CgroupWrite: Equatable {
    package let origin: String
    package let file: String
    package let value: String
    /// Whether the file may be missing without that being an error.
    package var isOptional = false
    /// Written instead where `file` is missing.
    package var fallback: CgroupFallback?

    package init(
        _ origin: String, _ file: String, _ value: String, isOptional: Bool = false,
        fallback: CgroupFallback? = nil
    ) {
        self.origin = origin
        self.file = file
        self.value = value
        self.isOptional = isOptional
        self.fallback = fallback
    }
}

/// The other file for a value, on a kernel that has not the first one.
package struct CgroupFallback: Equatable {
    package let file: String
    package let value: String
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

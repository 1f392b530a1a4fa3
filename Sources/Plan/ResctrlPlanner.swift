package import OCI

/// The resctrl group of a container: OCI config-linux.md "IntelRdt".
package struct ResctrlPlan: Equatable {
    /// The group's directory; "/" for the root's own.
    package let group: String
    /// Whether the configuration names it: then it is not the container's to remove.
    package let isNamed: Bool
    /// What is written to `schemata`, one line a write, in this order.
    package let schemata: [String]
    /// The container gets a monitoring group of its own.
    package let isMonitored: Bool

    package init(_ config: Spec.IntelRdt, id: String) {
        group = config.closID ?? id
        isNamed = config.closID != nil
        schemata = ([config.l3CacheSchema ?? "", config.memBwSchema ?? ""] + config.schemata)
            .filter { !$0.isEmpty }
        isMonitored = config.enableMonitoring
    }
}

extension Draft {
    mutating func planResctrl() {
        plan.resctrl = linux.intelRdt.map { ResctrlPlan($0, id: options.id) }
    }
}

extension ResctrlPlan {
    var text: String {
        var text = "resctrl group \(group)"
        for line in schemata { text += ", " + line }
        return isMonitored ? text + ", monitored" : text
    }
}

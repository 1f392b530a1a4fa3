internal import DBus
internal import Plan

/// Translates device rules into systemd's list of what is allowed, so that a unit's own filter,
/// put in force anew at every daemon-reload, allows what ours does; pure.
enum SystemdDevices {
    static func settings(for rules: [DeviceRule]) -> [UnitSetting] {
        guard !rules.isEmpty else { return [] }
        // Not said at all where it cannot be said in full: half a list would deny too much.
        let unsaid = [UnitSetting("DevicePolicy", .string("auto"))]
        guard let allowed = allowList(rules) else { return unsaid }
        var items: [DBusValue] = []
        for access in allowed {
            guard let node = node(of: access) else { return unsaid }
            items.append(.structure([.string(node), .string(letters(access.access))]))
        }
        return [
            UnitSetting("DevicePolicy", .string("strict")),
            UnitSetting("DeviceAllow", .array(of: "(ss)", items)),
        ]
    }

    /// What the rules allow, if that can be said without a denial; nil otherwise, where our own
    /// filter has to do alone.
    static func allowList(_ rules: [DeviceRule]) -> [DeviceAccess]? {
        var allowed: [DeviceAccess] = []
        var allowsAll = false
        for rule in rules {
            let rule = DeviceAccess(rule)
            if rule.isEverything {
                allowed = []
                allowsAll = rule.allow
            } else if rule.allow {
                if !allowed.contains(rule) { allowed.append(rule) }
            } else if allowsAll {
                return nil
            } else {
                var kept: [DeviceAccess] = []
                for entry in allowed where entry.meets(rule) {
                    // A part of an entry cannot be taken away, only all of it.
                    guard rule.covers(entry) else { return nil }
                }
                for entry in allowed where !entry.meets(rule) { kept.append(entry) }
                allowed = kept
            }
        }
        return allowsAll ? nil : allowed
    }

    /// systemd.resource-control(5), DeviceAllow=.
    private static func node(of access: DeviceAccess) -> String? {
        guard let kind = access.kind else { return nil }
        let isBlock = kind == .block
        guard let major = access.major else {
            // A minor number of every major has no name there.
            return access.minor == nil ? (isBlock ? "block-*" : "char-*") : nil
        }
        guard let minor = access.minor else { return (isBlock ? "block-" : "char-") + "\(major)" }
        return (isBlock ? "/dev/block/" : "/dev/char/") + "\(major):\(minor)"
    }

    private static func letters(_ access: UInt8) -> String {
        var text = ""
        if access & DeviceAccess.read != 0 { text += "r" }
        if access & DeviceAccess.write != 0 { text += "w" }
        if access & DeviceAccess.mknod != 0 { text += "m" }
        return text
    }
}

extension DeviceAccess {
    /// Whether some access fits both.
    func meets(_ other: DeviceAccess) -> Bool {
        access & other.access != 0 && (kind == nil || other.kind == nil || kind == other.kind)
            && (major == nil || other.major == nil || major == other.major)
            && (minor == nil || other.minor == nil || minor == other.minor)
    }

    /// Whether every access that fits `other` fits this.
    func covers(_ other: DeviceAccess) -> Bool {
        other.access & ~access == 0 && (kind == nil || kind == other.kind)
            && (major == nil || major == other.major) && (minor == nil || minor == other.minor)
    }
}

internal import OCI

extension Draft {
    /// The id maps of a new user namespace.
    mutating func planIdentity() throws(ConfigError) {
        guard made.contains(.user) else { return }
        let uids = Self.ranges(linux.uidMappings)
        let gids = Self.ranges(linux.gidMappings)
        let method: IdentityMapping.Method
        if host.uid == 0 || (Self.isOwn(uids, host.uid) && Self.isOwn(gids, host.gid)) {
            method = .direct
        } else {
            guard host.hasMapHelpers else {
                throw ConfigError(
                    path: "linux.uidMappings",
                    message: "without root, these ids need newuidmap and newgidmap")
            }
            method = .helpers
        }
        plan.identity = IdentityMapping(
            uids: uids, gids: gids, method: method, deniesSetgroups: deniesSetgroups)
    }

    /// Whether the container's user namespace forbids setgroups(2): who may map only its own
    /// group could otherwise drop a group that denies it something.
    var deniesSetgroups: Bool {
        if host.setgroupsDenied { return true }
        guard made.contains(.user), host.uid != 0 else { return false }
        let gids = linux.gidMappings
        return gids.count == 1 && gids[0].size == 1 && gids[0].hostID == host.gid
    }

    /// Whether the process keeps the caller's supplementary groups: where it may not change them, and
    /// where podman's `--group-add keep-groups` asks for it.
    var keepsGroups: Bool {
        deniesSetgroups || spec.annotations[Support.keepGroupsAnnotation] == "1"
    }

    /// An id of the container on the host; nil where it is not mapped.
    func hostID(_ id: UInt32, _ mappings: [Spec.IDMapping]) -> UInt32? {
        guard made.contains(.user) else { return hasUserNamespace ? nil : id }
        for map in mappings where id >= map.containerID && id - map.containerID < map.size {
            return map.hostID + (id - map.containerID)
        }
        return nil
    }

    /// Refuses an id that does not exist in the container's new user namespace.
    func checkMapped(
        _ id: UInt32, _ mappings: [Spec.IDMapping], _ path: String
    ) throws(ConfigError) {
        guard made.contains(.user), hostID(id, mappings) == nil else { return }
        throw ConfigError(
            path: path, message: "\(id) is not mapped in the container's user namespace")
    }

    static func ranges(_ mappings: [Spec.IDMapping]) -> [IDRange] {
        mappings.map { IDRange(inside: $0.containerID, outside: $0.hostID, count: $0.size) }
    }

    private static func isOwn(_ ranges: [IDRange], _ id: UInt32) -> Bool {
        ranges.count == 1 && ranges[0].outside == id && ranges[0].count == 1
    }
}

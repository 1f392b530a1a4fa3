internal import Linux

/// Marks on cgroups, in extended attributes of their directories: they say whose a cgroup is
/// even when the runtime was killed between making it and writing its record.
///
/// cgroup2 keeps attributes of the "user" class since Linux 5.7.
enum Stamp {
    /// On a container's cgroup: `CgroupPlace.stamp`.
    private static let owner = "user.apus.owner"
    /// On a cgroup that was made because a container's lies below it.
    private static let parent = "user.apus.parent"

    static func setOwner(
        _ stamp: String, of directory: borrowing FileDescriptor
    ) throws(Errno) {
        try directory.setAttribute(owner, Array(stamp.utf8))
    }

    /// nil where there is no stamp.
    static func owner(of directory: borrowing FileDescriptor) -> String? {
        guard let bytes = try? directory.attribute(owner) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func markParent(_ directory: borrowing FileDescriptor) throws(Errno) {
        try directory.setAttribute(parent, [UInt8(ascii: "1")])
    }

    static func isParent(_ directory: borrowing FileDescriptor) -> Bool {
        (try? directory.attribute(parent)) != nil
    }
}

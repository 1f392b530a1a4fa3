internal import Linux
internal import OCI

/// A mount, told from those that come to cover it: a container without a mount namespace of its own
/// has its root, and all of its mounts below, bound over it on the host.
struct MountIdentity: Fields {
    /// By statx(2); unique since Linux 6.8.
    var number: UInt64 = 0
    /// After a reboot the number means nothing, and the mounts are gone.
    var bootID = ""

    init() {}

    /// The mount that a path leads to.
    init(at path: String) throws(Failure) {
        do throws(Errno) {
            number = try Self.number(at: path)
            bootID = try Machine.bootID()
        } catch {
            throw Failure("open the root", error, path: path).at("root")
        }
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("number", &number)
        try coder.required("bootID", &bootID)
    }

    private static func number(at path: String) throws(Errno) -> UInt64 {
        try FileDescriptor.open(path, [.path, .directory]).status().mount
    }

    /// Takes away what covers the mount at its path, and everything mounted there.
    func uncover(_ path: String) throws(Failure) {
        do throws(Errno) {
            guard try Machine.bootID() == bootID else { return }
            guard try Self.number(at: path) != number else { return }
            try unmount(path)
        } catch .enoent {
            // Whoever removed the root has unmounted it.
        } catch {
            throw Failure("unmount the root", error, path: path)
        }
    }
}

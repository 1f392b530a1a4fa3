internal import Linux
internal import OCI

/// The mount points that a restore needs in a root file system, which may be another copy than the
/// one that was checkpointed.
enum MountPoints {
    /// Makes those that are missing; what lies below another mount is that one's affair.
    static func make(_ spec: Spec, in rootfs: String) throws(Failure) {
        let root = try attempt("open the root file system", path: rootfs) { () throws(Errno) in
            try FileDescriptor.open(rootfs, [.path, .directory])
        }
        var made: [String] = []
        for (index, mount) in spec.mounts.enumerated() {
            let path = Bundle.normalized(mount.destination)
            defer { made.append(path) }
            guard !made.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) else {
                continue
            }
            do throws(Errno) {
                try make(path, isFile: try isFile(mount), in: root)
            } catch {
                throw Failure("make the mount point", error, path: path).at("mounts[\(index)]")
            }
        }
    }

    private static func isFile(_ mount: Spec.Mount) throws(Errno) -> Bool {
        guard mount.isBind, let source = mount.source, source.hasPrefix("/") else { return false }
        return try BorrowedHandle.workingDirectory.status(source).type != .directory
    }

    /// Makes each missing part by the handle of its parent, so that no link of the image leads out.
    private static func make(
        _ path: String, isFile: Bool, in root: borrowing FileDescriptor
    ) throws(Errno) {
        do throws(Errno) {
            _ = try root.open(path, .path, resolve: [.inRoot, .noMagicLinks])
            return
        } catch .enoent {
        }
        let (parentPath, name) = PidFile.split(path)
        if parentPath != "/" { try make(parentPath, isFile: false, in: root) }
        let parent = try root.open(
            parentPath, [.path, .directory], resolve: [.inRoot, .noMagicLinks])
        if isFile {
            _ = try parent.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
        } else {
            try parent.makeDirectory(name, mode: 0o755)
        }
    }
}

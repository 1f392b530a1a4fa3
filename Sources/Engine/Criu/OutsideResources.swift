internal import JSON
internal import Linux
internal import OCI

// What a container uses and does not own: trees of the host, namespaces by path, the pipes of its
// stdio. The image of a checkpoint refers to each by a key, and `restore` says what it becomes.
// The keys and descriptors.json are runc's, whose images can thus be restored, and the other way round.

/// A tree of the host that is bound into the container.
struct OutsideMount: Equatable {
    /// Where it is in the container, as the configuration says it.
    let destination: String
    /// What the image calls it.
    let key: String
    /// A path of the host.
    let source: String

    /// What the configuration lets be bound: mounts, the null device over masked files, and in a user
    /// namespace devices.
    static func list(_ spec: Spec, bundle: String) -> [OutsideMount] {
        var mounts: [OutsideMount] = []
        for mount in spec.mounts where mount.isBind {
            guard let source = mount.source, !source.isEmpty else { continue }
            let destination = Bundle.normalized(mount.destination)
            // CRIU mounts nothing whose path ends in ".".
            let path = Bundle.normalized(source.hasPrefix("/") ? source : bundle + "/" + source)
            mounts.append(
                OutsideMount(destination: destination, key: destination, source: path))
        }
        for path in spec.linux?.maskedPaths ?? [] {
            mounts.append(OutsideMount(destination: path, key: "/dev/null", source: "/dev/null"))
        }
        guard spec.hasUserNamespace else { return mounts }
        var devices = [
            "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
        ]
        for device in spec.linux?.devices ?? [] { devices.append(device.path) }
        for path in devices {
            mounts.append(OutsideMount(destination: path, key: path, source: path))
        }
        return mounts
    }

    /// The mount point as the kernel shows it, links of the image on the way followed; nil where
    /// nothing of the host is mounted there.
    ///
    /// - Parameter root: /proc/PID/root of the container.
    func mountPoint(in root: borrowing FileDescriptor) throws(Errno) -> String? {
        let mount: FileDescriptor
        do throws(Errno) {
            mount = try root.open(destination, .path, resolve: [.inRoot, .noMagicLinks])
        } catch .enoent {
            return nil
        }
        let status = try mount.status()
        // A masked directory is covered by a file system of the container's own.
        guard status.isMountRoot, key == destination || status.type != .directory else {
            return nil
        }
        return try BorrowedHandle.workingDirectory.readLink(mount.procPath)
    }
}

extension Spec {
    fileprivate var hasUserNamespace: Bool {
        for namespace in linux?.namespaces ?? [] where namespace.type == .user { return true }
        return false
    }
}

extension [Spec.IDMapping] {
    /// What 0 in the user namespace is outside; nil where it is not mapped, or there is no such namespace.
    var hostRoot: UInt32? {
        for map in self where map.containerID == 0 { return map.hostID }
        return nil
    }
}

extension Spec.Mount {
    /// Whether a tree of the host is mounted, and no new file system.
    var isBind: Bool { type == "bind" || options.contains("bind") || options.contains("rbind") }
}

/// A namespace that the configuration gives by its path.
struct OutsideNamespace: Equatable {
    enum Handling: Equatable {
        /// The image refers to it by this key.
        case key(String)
        /// The image has one of its own, and a restored process joins this instead.
        case joined
    }

    /// CRIU's and the kernel's name: "net", "pid", "ipc", "uts".
    let type: String
    let path: String
    let handling: Handling

    /// - Throws: `Failure` for a type that CRIU can neither leave out nor join.
    static func list(_ spec: Spec) throws(Failure) -> [OutsideNamespace] {
        var namespaces: [OutsideNamespace] = []
        for (index, namespace) in (spec.linux?.namespaces ?? []).enumerated() {
            guard let path = namespace.path, !path.isEmpty else { continue }
            switch namespace.type {
            case .network:
                namespaces.append(
                    OutsideNamespace(type: "net", path: path, handling: .key("extRootNetNS")))
            case .pid:
                namespaces.append(
                    OutsideNamespace(type: "pid", path: path, handling: .key("extRootPidNS")))
            case .ipc:
                namespaces.append(OutsideNamespace(type: "ipc", path: path, handling: .joined))
            case .uts:
                namespaces.append(OutsideNamespace(type: "uts", path: path, handling: .joined))
            default:
                throw Failure("CRIU cannot handle a \(namespace.type.name) namespace given by path")
                    .at("linux.namespaces[\(index)].path")
            }
        }
        return namespaces
    }
}

/// The files of stdin, stdout and stderr, as the image knows them (descriptors.json).
enum OutsideStdio {
    static let fileName = "descriptors.json"

    /// What a file is called.
    ///
    /// Pipes have names of the kernel: "pipe:[INODE]". A file outside of the container has one that
    /// CRIU must be told to leave out: "file[MOUNT:INODE]", both hexadecimal.
    static func name(_ number: Int, of pid: Int32) throws(Errno) -> String {
        let process = BorrowedHandle.workingDirectory
        let name = try process.readLink("/proc/\(pid)/fd/\(number)")
        let status = try process.status("/proc/\(pid)/fd/\(number)")
        guard status.type == .regular || (status.type == .fifo && name.hasPrefix("/")) else {
            return name
        }
        let information = try process.readText("/proc/\(pid)/fdinfo/\(number)")
        guard let mount = mountID(in: information), try !isInside(mount, of: pid) else {
            return name
        }
        return "file[\(String(mount, radix: 16)):\(String(status.inode, radix: 16))]"
    }

    /// Whether it is one that `restore` can replace by a file of its own.
    static func isReplaceable(_ name: String) -> Bool {
        name.hasPrefix("pipe:[") || isLeftOut(name)
    }

    /// Whether CRIU is told to leave it out of the image.
    static func isLeftOut(_ name: String) -> Bool { name.hasPrefix("file[") }

    /// The mnt_id of a /proc/PID/fdinfo file.
    static func mountID(in information: String) -> UInt64? {
        for line in information.utf8.split(separator: UInt8(ascii: "\n"))
        where line.starts(with: "mnt_id:\t".utf8) {
            return UInt64(String(decoding: Array(line.dropFirst(8)), as: UTF8.self))
        }
        return nil
    }

    /// Whether the mount is one of the process's mount namespace.
    private static func isInside(_ mount: UInt64, of pid: Int32) throws(Errno) -> Bool {
        for entry in try MountTable.read(pid: pid) where entry.id == mount { return true }
        return false
    }

    static func encode(_ names: [String]) -> [UInt8] {
        var writer = JSONWriter()
        names.write(to: &writer)
        return writer.finish()
    }

    static func decode(_ bytes: [UInt8]) throws(Failure) -> [String] {
        let value: JSON.Value
        do throws(JSONError) {
            value = try JSON.parse(bytes)
        } catch {
            throw Failure(error.description).at(fileName)
        }
        do throws(ConfigError) {
            return try [String](reading: value)
        } catch {
            throw Failure(error, in: fileName)
        }
    }
}

internal import Linux
internal import OCI

/// A bundle: the directory with config.json and the root file system.
struct Bundle: ~Copyable {
    /// Absolute, as `state` shows it.
    let path: String
    let directory: FileDescriptor

    /// The largest config.json that is read, bytes.
    static let configLimit = 8 << 20
    static let configName = "config.json"

    /// Opens the directory of a bundle.
    static func open(_ path: String, from workingDirectory: String) throws(Failure) -> Bundle {
        let absolute = normalized(path.hasPrefix("/") ? path : workingDirectory + "/" + path)
        do throws(Errno) {
            let directory = try FileDescriptor.open(absolute, [.path, .directory])
            return Bundle(path: absolute, directory: directory)
        } catch {
            throw Failure("open the bundle", error, path: absolute)
        }
    }

    /// The bytes of the configuration: a regular file of limited size.
    func readConfig(_ name: String?) throws(Failure) -> [UInt8] {
        let name = name ?? Self.configName
        do throws(Errno) {
            // Not to wait for the writer of a FIFO.
            let file = try directory.open(name, [.readOnly, .nonBlocking])
            guard try file.status().type == .regular else { throw .einval }
            return try file.readAll(limit: Self.configLimit)
        } catch {
            throw Failure(
                "read the configuration", error,
                path: name.hasPrefix("/") ? name : path + "/" + name)
        }
    }

    /// The absolute path of the root file system, which must be a directory.
    ///
    /// Symbolic links in the path are followed: the caller names it, not the image.
    func rootfs(_ root: Spec.Root?) throws(Failure) -> String {
        guard let root else { throw Failure("required, but missing").at("root") }
        let absolute = Self.normalized(
            root.path.hasPrefix("/") ? root.path : path + "/" + root.path)
        do throws(Errno) {
            _ = try directory.open(absolute, [.path, .directory])
        } catch {
            throw Failure("open the root file system", error, path: absolute).at("root.path")
        }
        return absolute
    }

    /// The path without empty parts, "." and a final slash; ".." stays, for the kernel to follow.
    static func normalized(_ path: String) -> String {
        var result = ""
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            let name = String(decoding: Array(part), as: UTF8.self)
            if name != "." { result += "/" + name }
        }
        return result.isEmpty ? "/" : result
    }
}

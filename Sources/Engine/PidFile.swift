internal import Linux

/// `--pid-file`: the host's number of the process, plain decimal.
enum PidFile {
    /// Written beside it and renamed, so that nobody reads half a number.
    static func write(_ pid: Int32, to path: String) throws(Failure) {
        let (directory, name) = split(path)
        let temporary = ".\(name)"
        do throws(Errno) {
            let handle = try FileDescriptor.open(directory, [.path, .directory])
            do throws(Errno) {
                try handle.removeFile(temporary)
                let file = try handle.open(
                    temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
                try file.writeAll("\(pid)")
                try file.close()
                try handle.rename(temporary, to: name)
            } catch {
                try? handle.unlink(temporary)
                throw error
            }
        } catch {
            throw Failure("write the pid file", error, path: path)
        }
    }

    static func remove(_ path: String) {
        // Nothing can be done about a file that stays, and its number is told to be dead by `state`.
        try? BorrowedHandle.workingDirectory.unlink(path)
    }

    /// The directory and the name of a path.
    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let directory = path[..<slash]
        return (
            directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...])
        )
    }
}

extension Handle where Self: ~Copyable {
    /// unlink, where a missing file is no error.
    fileprivate func removeFile(_ name: String) throws(Errno) {
        do throws(Errno) { try unlink(name) } catch .enoent {}
    }
}

internal import Linux
internal import Plan

/// The id maps of a new user namespace, user_namespaces(7).
enum IDMaps {
    /// Writes the maps for `pid`, which waits for them at the checkpoint mapIDs.
    static func write(
        _ mapping: IdentityMapping, for pid: Int32, searchPath: String
    ) throws(Failure) {
        let process = try attempt("deny setgroups", path: "/proc/\(pid)/setgroups") {
            () throws(Errno) in
            let process = try FileDescriptor.open("/proc/\(pid)", [.path, .directory])
            if mapping.deniesSetgroups { try process.writeText("setgroups", "deny") }
            return process
        }
        switch mapping.method {
        case .direct:
            try write(uids: mapping.uids, gids: mapping.gids, of: process)
        case .helpers:
            try help("newuidmap", pid, arguments(mapping.uids), searchPath, "linux.uidMappings")
            try help("newgidmap", pid, arguments(mapping.gids), searchPath, "linux.gidMappings")
        }
    }

    /// Writes both maps into the process's directory of procfs.
    static func write(
        uids: [IDRange], gids: [IDRange], of process: borrowing FileDescriptor
    ) throws(Failure) {
        try write(text(uids), to: "uid_map", of: process, "linux.uidMappings")
        try write(text(gids), to: "gid_map", of: process, "linux.gidMappings")
    }

    /// All lines in one write: the kernel takes a map once.
    private static func write(
        _ text: String, to file: String, of process: borrowing FileDescriptor, _ origin: String
    ) throws(Failure) {
        do throws(Errno) {
            try process.writeText(file, text)
        } catch {
            var failure = Failure("map ids", error, path: file).at(origin)
            failure.hint = "the kernel refuses overlapping ranges, and ids the runtime may not map"
            throw failure
        }
    }

    /// One of the helpers of package uidmap, which /etc/subuid and /etc/subgid empower.
    private static func help(
        _ name: String, _ pid: Int32, _ ranges: [String], _ searchPath: String, _ origin: String
    ) throws(Failure) {
        guard let path = ProgramLaunch.find(name, in: searchPath) else {
            var failure = Failure("\(name) is not installed").at(origin)
            failure.hint = "install uidmap, or map only your own id"
            throw failure
        }
        let program: CompletedProgram
        do throws(Errno) {
            program = try CompletedProgram.run(
                path, [name, "\(pid)"] + ranges, environment: ["PATH=" + searchPath], input: [])
        } catch {
            throw Failure("run \(name)", error, path: path).at(origin)
        }
        guard program.status == .exited(0) else {
            let output = String(decoding: program.output, as: UTF8.self)
            throw Failure("\(name) refused the map: \(output)").at(origin)
        }
    }

    private static func text(_ ranges: [IDRange]) -> String {
        var text = ""
        for range in ranges { text += "\(range.inside) \(range.outside) \(range.count)\n" }
        return text
    }

    private static func arguments(_ ranges: [IDRange]) -> [String] {
        var words: [String] = []
        for range in ranges { words += ["\(range.inside)", "\(range.outside)", "\(range.count)"] }
        return words
    }
}

internal import Linux
package import Plan

extension Cgroup {
    /// Makes a container's cgroup and puts its limits in force, before a process is in it.
    ///
    /// What it made is removed again when it fails.
    ///
    /// - Parameter description: of the unit, with the systemd driver.
    /// - Returns: nil where the container runs without: the driver is disabled, or the caller may
    ///   make no cgroup and none was needed.
    /// - Throws: `CgroupFailure`: a cgroup with processes in it or frozen, a controller that is
    ///   missing, a value that the kernel refuses.
    package static func create(
        _ place: CgroupPlace, _ plan: CgroupPlan, description: String,
        on host: borrowing CgroupHost
    ) throws(CgroupFailure) -> Cgroup? {
        switch place.driver {
        case .disabled: return nil
        case .systemd: return try startUnit(place, plan, description: description, on: host)
        case .cgroupfs: break
        }
        let maker: CgroupMaker
        do throws(CgroupFailure) {
            maker = try CgroupMaker(place, on: host)
        } catch {
            guard !plan.isNeeded, host.facts.isRootless || error.errno == .erofs,
                error.errno == .eacces || error.errno == .eperm || error.errno == .erofs
            else { throw error }
            return nil
        }
        var cgroup = Cgroup(
            place: place, directory: maker.directory, isRootless: host.facts.isRootless)
        do throws(CgroupFailure) {
            try cgroup.claim(isNew: maker.isNew)
            try cgroup.apply(plan.writes, blocked: maker.blocked)
            try cgroup.makeRoom(for: plan.writes, hasPlaceholder: false)
            try cgroup.filterDevices(plan.devices)
            if let uid = plan.ownerUID { try cgroup.delegate(to: uid) }
            return cgroup
        } catch {
            if maker.isNew { try? cgroup.removeWithParents(on: host, milliseconds: 200) }
            throw error
        }
    }

    /// Refuses a cgroup that is in use, and stamps one that is not.
    ///
    /// - Parameter isNew: it was made just now. Not even a zombie can be in it then, which is not
    ///   counted as a process but listed.
    func claim(isNew: Bool) throws(CgroupFailure) {
        let events = try events()
        let isPopulated = events.value(of: "populated") != 0
        let pids = isNew && !isPopulated ? [] : try processes()
        guard pids.isEmpty, !isPopulated else {
            let owner = Stamp.owner(of: directory).map { "it belongs to the container \($0)" }
            throw CgroupFailure(
                "container's cgroup is not empty: \(pids.count) process(es) found",
                origin: "linux.cgroupsPath", path: place.path, hint: owner ?? "")
        }
        // By itself or by a cgroup above it.
        guard events.value(of: "frozen") == 0 else {
            throw CgroupFailure(
                "container's cgroup unexpectedly frozen", origin: "linux.cgroupsPath",
                path: place.path, hint: "echo 0 > cgroup.freeze there or above it")
        }
        try stamp()
    }

    func stamp() throws(CgroupFailure) {
        do throws(Errno) {
            try Stamp.setOwner(place.stamp, of: directory)
        } catch {
            throw CgroupFailure("stamp the cgroup", error, path: place.path)
        }
    }

    /// Writes limits in the order given.
    package func apply(_ writes: [CgroupWrite]) throws(CgroupFailure) {
        try apply(writes, blocked: [])
    }

    func apply(_ writes: [CgroupWrite], blocked: [BlockedController]) throws(CgroupFailure) {
        try leaveThreadedInvalid(for: writes)
        for write in writes {
            do throws(Errno) {
                try put(write)
            } catch .enoent where write.isOptional {
                continue
            } catch {
                throw CgroupFailure(
                    "write '\(write.value)' to \(write.file)", origin: write.origin, error,
                    path: path(of: write.file), hint: hint(for: write.file, error, blocked))
            }
        }
    }

    /// Writes a value, or its fallback where the kernel has not the file.
    private func put(_ write: CgroupWrite) throws(Errno) {
        do throws(Errno) {
            try directory.writeCgroup(write.file, write.value)
        } catch .enoent {
            guard let fallback = write.fallback,
                (try? directory.writeCgroup(fallback.file, fallback.value)) != nil
            else { throw .enoent }
        }
    }

    /// A cgroup below a threaded one can do nothing until it is threaded too, and then has no
    /// controllers of the domain's kind (cgroup-v2.rst, "Threads").
    private func leaveThreadedInvalid(for writes: [CgroupWrite]) throws(CgroupFailure) {
        guard try readIfPresent("cgroup.type") == "domain invalid" else { return }
        for write in writes where !Self.threadedControllers.contains(controller(of: write.file)) {
            throw CgroupFailure(
                "\(write.file) cannot be set below a threaded cgroup", origin: write.origin,
                path: place.path, hint: "choose a cgroupsPath outside of it")
        }
        try self.write("cgroup.type", "threaded")
    }

    private static let threadedControllers = ["cpu", "cpuset", "perf_event", "pids", "cgroup"]

    /// Why a file is missing: who does not offer the controller.
    private func hint(for file: String, _ error: Errno, _ blocked: [BlockedController]) -> String {
        guard error == .enoent else { return "" }
        let name = controller(of: file)
        for controller in blocked where controller.name == name { return controller.reason }
        guard file.utf8.contains(UInt8(ascii: ".")) else {
            return "the specified key has not the form CONTROLLER.VALUE `\(file)`"
        }
        guard let offered = try? read("cgroup.controllers") else { return "" }
        guard !controllers(in: offered).contains(name) else {
            return "the controller \(name) of this kernel lacks that file"
        }
        let advice =
            isRootless
            ? "; systemd gives it with Delegate=\(name) in user@.service" : ""
        return "the requested cgroup controller `\(name)` is not available "
            + "(cgroup.controllers: \(offered))" + advice
    }

    /// Gives the directory and the files that a delegate may write to the container's user.
    func delegate(to uid: UInt32) throws(CgroupFailure) {
        let listed = try? BorrowedHandle.workingDirectory.readText("/sys/kernel/cgroup/delegate")
        var files = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]
        if let listed {
            files = []
            for line in listed.utf8.split(separator: UInt8(ascii: "\n")) {
                files.append(String(decoding: Array(line), as: UTF8.self))
            }
        }
        let group = UInt32.max  // as it is
        do throws(Errno) {
            try directory.setOwner(uid: uid, gid: group)
        } catch {
            throw CgroupFailure("give the cgroup to uid \(uid)", error, path: place.path)
        }
        for file in files where !file.utf8.contains(UInt8(ascii: "/")) {
            do throws(Errno) {
                try directory.setOwner(file, uid: uid, gid: group)
            } catch .enoent {
                // The list names files of every controller, enabled here or not.
                continue
            } catch {
                throw CgroupFailure(
                    "give it to uid \(uid)", error, path: path(of: file))
            }
        }
    }
}

/// The controller that a file belongs to: what stands before the first dot.
func controller(of file: String) -> String {
    String(decoding: Array(file.utf8.prefix { $0 != UInt8(ascii: ".") }), as: UTF8.self)
}

/// A controller that could not be enabled on the way to a cgroup, and why.
struct BlockedController: Equatable {
    let name: String
    let reason: String
}

internal import Linux

extension Cgroup {
    // MARK: - Processes

    /// Every process of this cgroup and of those below it, sorted; host pids.
    package func processes() throws(CgroupFailure) -> [Int32] {
        var pids: Set<Int32> = []
        do throws(Errno) {
            var walk = try CgroupWalk(directory)
            try Self.collect(from: walk.directory, into: &pids)
            while true {
                let step = try walk.next()
                if step == .finished { break }
                if step == .entered { try Self.collect(from: walk.directory, into: &pids) }
            }
        } catch .enoent {
            // It was removed while being read, and so has none.
        } catch .enodev {
        } catch {
            throw CgroupFailure("list the processes", error, path: path(of: "cgroup.procs"))
        }
        return pids.sorted()
    }

    private static func collect(
        from directory: borrowing FileDescriptor, into pids: inout Set<Int32>
    ) throws(Errno) {
        do throws(Errno) {
            for pid in numbers(in: try directory.readCgroup("cgroup.procs")) { pids.insert(pid) }
        } catch .eopnotsupp {
            // A threaded cgroup lists threads alone.
            for thread in numbers(in: try directory.readCgroup("cgroup.threads")) {
                if let pid = process(of: thread) { pids.insert(pid) }
            }
        }
    }

    /// Ids, one a line; 0 stands for what the caller's pid namespace does not show.
    private static func numbers(in text: String) -> [Int32] {
        var numbers: [Int32] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let number = parseNumber(line), let id = Int32(exactly: number), id > 0 else {
                continue
            }
            numbers.append(id)
        }
        return numbers
    }

    /// The process that a thread belongs to; nil when it has ended.
    private static func process(of thread: Int32) -> Int32? {
        let status = try? BorrowedHandle.workingDirectory.readText("/proc/\(thread)/status")
        guard let status else { return nil }
        for line in status.utf8.split(separator: UInt8(ascii: "\n"))
        where line.starts(with: "Tgid:\t".utf8) {
            return parseNumber(line.dropFirst(6)).flatMap { Int32(exactly: $0) }
        }
        return nil
    }

    /// Whether a process is in this cgroup or below it; a zombie that is not reaped does not count.
    package func isPopulated() throws(CgroupFailure) -> Bool {
        try events().value(of: "populated") != 0
    }

    /// The flags of cgroup.events; a cgroup that was removed has none set.
    func events() throws(CgroupFailure) -> [Counter] {
        do throws(Errno) {
            return Counter.parse(try directory.readCgroup("cgroup.events"))
        } catch .enodev {
            return []
        } catch .enoent {
            return []
        } catch {
            throw CgroupFailure("read cgroup.events", error, path: path(of: "cgroup.events"))
        }
    }

    // MARK: - Ending

    /// Sends SIGKILL to every process of the subtree.
    ///
    /// cgroup.kill does it at once, frozen processes and those being forked included (Linux 5.14).
    /// Without it the list is worked through until it stays empty.
    package func kill() throws(CgroupFailure) {
        do throws(Errno) {
            try directory.writeCgroup("cgroup.kill", "1")
            return
        } catch .enodev {
            return
        } catch .enoent {
        } catch .eopnotsupp {
        } catch {
            throw CgroupFailure("kill all processes", error, path: path(of: "cgroup.kill"))
        }
        for _ in 0..<100 {
            let pids = try processes()
            if pids.isEmpty { return }
            for pid in pids { killListed(pid) }
            MonotonicClock.sleep(nanoseconds: 5_000_000)
        }
    }

    /// Kills a process by a handle, having seen under that handle that it is still in this cgroup:
    /// the number alone may by now be a stranger's.
    private func killListed(_ pid: Int32) {
        guard let process = try? ProcessHandle(pid: pid), let pids = try? processes(),
            pids.contains(pid)
        else { return }
        try? process.send(signal: 9)
    }

    /// Waits until no process is left in the subtree, all of which were killed.
    ///
    /// - Returns: whether that happened in time.
    package func waitForEnd(milliseconds: Int) throws(CgroupFailure) -> Bool {
        let moment = min(milliseconds, 50)
        if try wait(for: "populated", toBe: false, milliseconds: moment) { return true }
        hasten()
        return try wait(for: "populated", toBe: false, milliseconds: milliseconds - moment)
    }

    /// Lifts what keeps dying processes from the processor: a killed process must run to end, which
    /// an idle one on a busy processor, or one that has used up its quota, does only much later.
    package func hasten() {
        for (file, value) in [("cpu.idle", "0"), ("cpu.weight", "10000"), ("cpu.max", "max")] {
            try? directory.writeCgroup(file, value)
        }
    }

    /// Removes this cgroup and all below it, which must be empty of processes.
    ///
    /// A process that has just died may hold its cgroup a moment longer (EBUSY), so that is tried
    /// again for up to `milliseconds`.
    package func remove(
        on host: borrowing CgroupHost, milliseconds: Int = 5000
    ) throws(CgroupFailure) {
        let deadline = MonotonicClock.now() + Int64(milliseconds) * 1_000_000
        var pause: Int64 = 100_000
        while true {
            do throws(Errno) {
                try removeNow(on: host)
                return
            } catch .enoent {
                return
            } catch .enodev {
                return
            } catch {
                guard error == .ebusy, MonotonicClock.now() < deadline else {
                    let pids = (try? processes()) ?? []
                    throw CgroupFailure(
                        "remove the cgroup", error, path: place.path,
                        hint: pids.isEmpty ? "" : "\(pids.count) process(es) are left in it")
                }
            }
            MonotonicClock.sleep(nanoseconds: pause)
            pause = min(pause * 2, 20_000_000)
        }
    }

    private func removeNow(on host: borrowing CgroupHost) throws(Errno) {
        do throws(Errno) {
            try host.removeCgroup(place.path)
        } catch .ebusy {
            // For the processes in it, or for the cgroups below it.
            try removeChildren()
            try host.removeCgroup(place.path)
        }
    }

    private func removeChildren() throws(Errno) {
        var walk = try CgroupWalk(directory)
        while true {
            switch try walk.next() {
            case .entered: continue
            case .finished: return
            case .left(let name):
                do throws(Errno) { try walk.directory.removeDirectory(name) } catch .enoent {}
            }
        }
    }

    // MARK: - Freezing

    /// Stops every process of the subtree; returns when all have stopped.
    package func freeze(milliseconds: Int = 10_000) throws(CgroupFailure) {
        try write("cgroup.freeze", "1")
        if try wait(for: "frozen", toBe: true, milliseconds: milliseconds) { return }
        // Half frozen is no state to leave behind.
        try write("cgroup.freeze", "0")
        throw CgroupFailure(
            "a process did not stop within \(milliseconds) ms",
            path: path(of: "cgroup.freeze"), hint: "it may be waiting in the kernel for a device")
    }

    /// Lets the processes go on.
    package func thaw(milliseconds: Int = 10_000) throws(CgroupFailure) {
        try write("cgroup.freeze", "0")
        guard try wait(for: "frozen", toBe: false, milliseconds: milliseconds) else {
            throw CgroupFailure("it stays frozen: a cgroup above it is", path: place.path)
        }
    }

    /// Whether this cgroup was asked to be frozen; one that is removed meanwhile is not.
    package func isFrozen() throws(CgroupFailure) -> Bool {
        do throws(CgroupFailure) {
            return try read("cgroup.freeze") == "1"
        } catch {
            guard error.errno == .enodev || error.errno == .enoent else { throw error }
            return false
        }
    }

    /// Waits for a flag of cgroup.events, which the kernel reports by POLLPRI.
    private func wait(
        for name: String, toBe value: Bool, milliseconds: Int
    ) throws(CgroupFailure) -> Bool {
        let deadline = MonotonicClock.now() + Int64(milliseconds) * 1_000_000
        do throws(Errno) {
            let events = try directory.open("cgroup.events", .readOnly, resolve: beneath)
            while true {
                try events.seek(to: 0)
                let bytes = try events.readAll(limit: 4096)
                let counters = Counter.parse(String(decoding: bytes, as: UTF8.self))
                if (counters.value(of: name) != 0) == value { return true }
                let now = MonotonicClock.now()
                if now >= deadline { return false }
                // Looked at again every second at the latest, should a notice be lost.
                _ = try events.poll(.priority, until: min(deadline, now + 1_000_000_000))
            }
        } catch .enodev {
            return !value
        } catch .enoent {
            return !value
        } catch {
            throw CgroupFailure("wait for '\(name)'", error, path: path(of: "cgroup.events"))
        }
    }
}

extension Cgroup {
    /// Ends whatever is left of a container's cgroup, from its place alone: kills, waits, removes
    /// the cgroup, its parents that were made for it, and the unit.
    ///
    /// The same for `delete`, `delete --force` and a create that failed; a second call does nothing.
    ///
    /// - Parameter isCommitted: whether a process of the container is known to have been in it.
    ///   Until then nothing of the container's has run, and a cgroup without its stamp is another's:
    ///   it is left alone. From then on the stamp says nothing, because the container can change it.
    package static func destroy(
        _ place: CgroupPlace, isCommitted: Bool, on host: borrowing CgroupHost,
        milliseconds: Int = 10_000
    ) throws(CgroupFailure) {
        guard let cgroup = try open(place, on: host) else {
            // Not stopped: a unit of the name that runs, but not there, is another's.
            if place.driver == .systemd { forgetUnit(place) }
            return
        }
        let owner = Stamp.owner(of: cgroup.directory)
        guard isCommitted || owner == place.stamp else {
            // Made and not yet stamped when the runtime was killed: nobody's, if empty.
            // A frozen one was there before: the runtime freezes none that is not stamped.
            guard owner == nil, !(try cgroup.isPopulated()), !(try cgroup.isFrozen()) else {
                return
            }
            return try cgroup.removeWithParents(on: host, milliseconds: 200)
        }
        if try cgroup.isPopulated() { try cgroup.end(milliseconds: milliseconds) }
        if place.driver == .systemd { try stopUnit(place) }
        try cgroup.removeWithParents(on: host, milliseconds: milliseconds)
    }

    /// Kills every process, and waits until none is left.
    private func end(milliseconds: Int) throws(CgroupFailure) {
        try kill()
        guard try waitForEnd(milliseconds: milliseconds) else {
            let pids = try processes()
            var list = ""
            for pid in pids.prefix(8) { list += " \(pid)" }
            throw CgroupFailure(
                "\(pids.count) process(es) outlive SIGKILL:\(list)", path: place.path,
                hint: "they wait in the kernel, often for a file system; see /proc/PID/stack")
        }
    }

    /// Removes this cgroup and, above it, those that were made for it and are empty now.
    func removeWithParents(
        on host: borrowing CgroupHost, milliseconds: Int
    ) throws(CgroupFailure) {
        try remove(on: host, milliseconds: milliseconds)
        var parts = try CgroupPlace.components(of: place.path)
        while parts.count > 1 {
            parts.removeLast()
            let path = CgroupPlace.join(parts)
            guard let relative = relativePath(path),
                let parent = (try? host.open(relative)) ?? nil, Stamp.isParent(parent),
                (try? host.removeCgroup(path)) != nil
            else { return }
        }
    }
}

extension CgroupHost {
    /// rmdir of a cgroup, by the handle of the one above it.
    func removeCgroup(_ path: String) throws(Errno) {
        guard let relative = relativePath(path), relative != "." else { throw .ebusy }
        let bytes = Array(relative.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
            try root?.removeDirectory(relative)
            return
        }
        let parent = String(decoding: bytes[..<slash], as: UTF8.self)
        let name = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
        try open(parent)?.removeDirectory(name)
    }
}

package import Cgroups
internal import Linux

/// What `events` tells of a container.
package enum ContainerEvent {
    case statistics(CgroupStatistics)
    /// A process was killed because the memory limit left none.
    case outOfMemory
}

extension Runtime {
    /// What the container's cgroup counts now.
    package func statistics(_ id: String) throws(Failure) -> CgroupStatistics {
        let container = try find(id)
        do throws(CgroupFailure) {
            return try container.openCgroup(on: try CgroupHost()).statistics()
        } catch {
            throw Failure(error)
        }
    }

    /// Hands over events until the container has ended.
    ///
    /// - Parameter interval: nanoseconds between two statistics.
    package func watch(
        _ id: String, interval: Int64, _ tell: (ContainerEvent) throws(Failure) -> Void
    ) throws(Failure) {
        let container = try find(id)
        let process = try attempt("open the container's process") { () throws(Errno) in
            guard let process = try container.record.process.open() else { throw .esrch }
            return process
        }
        let cgroup: Cgroup
        do throws(CgroupFailure) {
            cgroup = try container.openCgroup(on: try CgroupHost())
        } catch {
            throw Failure(error)
        }
        try watch(process, cgroup, interval: interval, tell)
    }

    private func watch(
        _ process: borrowing ProcessHandle, _ cgroup: borrowing Cgroup, interval: Int64,
        _ tell: (ContainerEvent) throws(Failure) -> Void
    ) throws(Failure) {
        let watcher = try Self.watcher(of: cgroup)
        var polled = PollSet()
        let end = polled.add(process.handle, .readable)
        _ = polled.add(watcher.handle, .readable)
        var kills = Self.kills(in: cgroup)
        var next = MonotonicClock.now() + interval
        while true {
            _ = try attempt("wait for an event") { () throws(Errno) in
                try polled.wait(until: next)
            }
            _ = try? watcher.events()
            let count = Self.kills(in: cgroup)
            if count > kills { try tell(.outOfMemory) }
            kills = max(kills, count)
            if polled[end].contains(.readable) { return }
            guard MonotonicClock.now() >= next else { continue }
            // It may be deleted while it is read.
            guard let statistics = try? cgroup.statistics() else { return }
            try tell(.statistics(statistics))
            next += interval
        }
    }

    /// Without the memory controller nothing is counted there: a watcher that watches nothing.
    private static func watcher(of cgroup: borrowing Cgroup) throws(Failure) -> Watcher {
        do throws(CgroupFailure) {
            return try cgroup.watchMemoryEvents()
        } catch {
            return try attempt("watch files") { () throws(Errno) in try Watcher() }
        }
    }

    /// How often a process was killed for want of memory; 0 where the cgroup is gone.
    private static func kills(in cgroup: borrowing Cgroup) -> UInt64 {
        guard let events = try? cgroup.memoryEvents() else { return 0 }
        return events.oomKill
    }
}

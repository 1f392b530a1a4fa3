internal import Cgroups
internal import Linux

/// How a container ends, from its record alone.
///
/// The same after a failed create, in `delete`, and in `delete --force`. Everything may have been done before, or only half.
enum Cleanup {
    /// How long the processes may take to die, milliseconds.
    ///
    /// A kernel that waits for a device can
    /// keep one for ever.
    private static let patience = 10_000

    /// Ends every process of the container, and removes its cgroup.
    static func destroy(
        _ record: Record, on cgroups: borrowing CgroupHost
    ) throws(Failure) {
        do throws(CgroupFailure) {
            try Cgroup.destroy(
                record.cgroup, isCommitted: !record.isIntent, on: cgroups)
        } catch {
            throw Failure(error)
        }
        // Without a cgroup of its own, or moved out of it, init still ends: by its handle.
        try end(record.process)
        try record.coveredMount?.uncover(record.rootfs)
        // Unmounted meanwhile, it has forgotten all groups.
        if let place = record.resctrl { try Resctrl.find()?.remove(place) }
    }

    /// Ends every process of the container, and leaves its cgroup and state for `delete`.
    static func endProcesses(
        _ record: Record, on cgroups: borrowing CgroupHost
    ) throws(Failure) {
        do throws(CgroupFailure) {
            if let cgroup = try Cgroup.open(record.cgroup, on: cgroups) { try cgroup.kill() }
        } catch {
            throw Failure(error)
        }
        try end(record.process)
    }

    /// Ends a process, if it is still there.
    static func end(_ identity: ProcessIdentity) throws(Failure) {
        do throws(Errno) {
            guard let process = try identity.open() else { return }
            do throws(Errno) { try process.send(signal: Signal.kill) } catch .esrch { return }
            let deadline = MonotonicClock.now() + Int64(Self.patience) * 1_000_000
            guard try process.waitForEnd(until: deadline) else { throw .etimedout }
        } catch {
            throw Failure("end process \(identity.pid)", error)
        }
    }
}

internal import Cgroups
internal import Linux
internal import OCI

extension Runtime {
    /// OCI `kill`: sends a signal to the container's init.
    ///
    /// SIGKILL of an init that shares its pid namespace ends every process of the container: nobody
    /// else would. That holds for those that init left behind, too.
    ///
    /// - Parameter all: to every process of the container, also to those that outlive its init; a
    ///   container without any is then no error.
    package func kill(_ id: String, signal: Int32, all: Bool = false) throws(Failure) {
        let container = try find(id)
        guard signal == Signal.kill || all else { return try container.signalInit(signal) }
        let cgroups = try openCgroups()
        guard all || container.record.sharesPIDNamespace else {
            try container.signalInit(signal)
            // With it, the kernel kills the whole pid namespace.
            if let cgroup = (try? container.cgroup(on: cgroups)) ?? nil {
                cgroup.hasten()
            }
            return
        }
        let status = container.statusOfProcess()
        guard let cgroup = try container.cgroup(on: cgroups) else {
            if all && status == .stopped { return }
            return try container.signalInit(signal)
        }
        let hasProcesses = try cgroupFailing { () throws(CgroupFailure) in
            try cgroup.isPopulated()
        }
        if !all && !(status == .stopped && hasProcesses) {
            try container.require(.kill, in: status)
        }
        try container.signalAll(in: cgroup, signal)
    }
}

extension Container {
    /// Signals init by its handle: never a stranger that got its number.
    fileprivate func signalInit(_ signal: Int32) throws(Failure) {
        try require(.kill, in: statusOfProcess())
        do throws(Errno) {
            guard let process = try record.process.open() else { throw .esrch }
            try process.send(signal: signal)
        } catch .esrch {
            throw Failure("container not running").at("container \"\(id)\"")
        } catch {
            throw Failure("send signal \(signal) to process \(record.process.pid)", error)
        }
    }

    fileprivate func signalAll(
        in cgroup: borrowing Cgroup, _ signal: Int32
    ) throws(Failure) {
        do throws(CgroupFailure) {
            if signal == Signal.kill {
                try cgroup.kill()
                return cgroup.hasten()
            }
            for pid in try cgroup.processes() {
                // Gone since the list was read, or not ours to signal: as kill(-1) does, the rest counts.
                guard let process = try? ProcessHandle(pid: pid),
                    try cgroup.processes().contains(pid)
                else { continue }
                try? process.send(signal: signal)
            }
        } catch {
            throw Failure(error)
        }
    }
}

internal import Linux
internal import OCI

/// A process, told from every other that had or will have its number.
struct ProcessIdentity: Fields {
    /// In the runtime's pid namespace; 0 for none.
    var pid: Int32 = 0
    /// Field 22 of /proc/PID/stat: clock ticks since the boot.
    var startTime: UInt64 = 0
    /// /proc/sys/kernel/random/boot_id: after a reboot the other two mean nothing.
    var bootID = ""

    init() {}

    init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("pid", &pid)
        try coder.required("startTime", &startTime)
        try coder.required("bootID", &bootID)
    }

    /// The identity of a process that is there; ESRCH where there is none.
    init(of pid: Int32) throws(Errno) {
        let status = try ProcessStatus(pid: pid)
        self.init(pid: pid, startTime: status.startTime, bootID: try Machine.bootID())
    }

    /// Whether the process is there and has not ended; a zombie has.
    var isAlive: Bool {
        guard pid > 0 else { return false }
        do throws(Errno) {
            let status = try ProcessStatus(pid: pid)
            guard !status.hasEnded, status.startTime == startTime else { return false }
            return try Machine.bootID() == bootID
        } catch {
            return false
        }
    }

    /// A handle of the process; nil where it has ended.
    ///
    /// The identity is checked after the handle was opened: from then on the number cannot come to
    /// mean another process.
    func open() throws(Errno) -> ProcessHandle? {
        guard pid > 0 else { return nil }
        let handle: ProcessHandle
        do throws(Errno) {
            handle = try ProcessHandle(pid: pid)
        } catch .esrch {
            return nil
        }
        guard isAlive else { return nil }
        return handle
    }
}

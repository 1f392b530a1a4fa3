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
        let status = try ProcessStat(of: pid)
        self.init(pid: pid, startTime: status.startTime, bootID: try Self.currentBootID())
    }

    static func currentBootID() throws(Errno) -> String {
        try BorrowedHandle.workingDirectory.readText("/proc/sys/kernel/random/boot_id", limit: 64)
    }

    /// Whether the process is there and has not ended; a zombie has.
    var isAlive: Bool {
        guard pid > 0 else { return false }
        do throws(Errno) {
            let status = try ProcessStat(of: pid)
            return try !status.hasEnded && status.startTime == startTime
                && Self.currentBootID() == bootID
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
            handle = try ProcessHandle.open(pid)
        } catch .esrch {
            return nil
        }
        return isAlive ? handle : nil
    }
}

/// What /proc/PID/stat says of a process, as far as anybody asks. proc_pid_stat(5).
struct ProcessStat: Equatable {
    /// Field 3.
    let state: UInt8
    /// Field 22, clock ticks since the boot.
    let startTime: UInt64

    var hasEnded: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }

    init(of pid: Int32) throws(Errno) {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try BorrowedHandle.workingDirectory.readFile("/proc/\(pid)/stat", limit: 4096)
        } catch .enoent {
            throw .esrch
        }
        guard let parsed = ProcessStat(parsing: bytes) else { throw .eproto }
        self = parsed
    }

    /// Field 2, the name in parentheses, may hold anything: the fields are counted from the last ")".
    init?(parsing bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.state = state
        self.startTime = startTime
    }
}

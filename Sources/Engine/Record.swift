internal import Cgroups
internal import Plan

/// What is remembered of a container: all that `state`, `kill` and `delete` need.
///
/// Written twice. First as the intent (`pid` 0) before anything else is made, so that `delete`
/// finds what a killed `create` left; then with the process, which commits the container. Its
/// status is not in it: see `Status`.
struct Record {
    /// The format's number: a record of another one is refused, never guessed at.
    static let version = 1

    var id: String
    /// Tells this container from another of the same id that came after it.
    var generation = ""
    var process = ProcessIdentity()
    var cgroup = CgroupPlace()
    /// The pid namespace is not the container's own: the end of init does not end the others.
    var sharesPIDNamespace = false
    var ociVersion = ""
    var bundle = ""
    var rootfs = ""
    /// RFC 3339 with nanoseconds, UTC.
    var created = ""
    var owner = ""
    var annotations: [String: String] = [:]
    var poststart: [RuntimeHook] = []
    var poststop: [RuntimeHook] = []
    /// The resctrl group that `create` made, removed by `delete`; "" without one.
    var resctrlGroup = ""

    init(id: String) {
        self.id = id
    }

    /// Nothing but the intent was written.
    var isIntent: Bool { process.pid == 0 }
}

/// A process, told from every other that had or will have its number.
struct ProcessIdentity: Equatable {
    /// In the runtime's pid namespace; 0 for none.
    var pid: Int32 = 0
    /// Field 22 of /proc/PID/stat: clock ticks since the boot.
    var startTime: UInt64 = 0
    /// /proc/sys/kernel/random/boot_id: after a reboot the other two mean nothing.
    var bootID = ""
}

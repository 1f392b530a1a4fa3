internal import JSON
internal import OCI

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
    var generation: String
    /// /proc/sys/kernel/random/boot_id: after a reboot no pid of the record means anything.
    var bootID: String
    /// The init process in the runtime's pid namespace; 0 in an intent.
    var pid: Int32 = 0
    /// Field 22 of /proc/PID/stat, clock ticks since boot.
    var startTime: UInt64 = 0
    var cgroup = RecordedCgroup()
    /// The pid namespace is not the container's own: its end does not kill the other processes.
    var sharesPIDNamespace = false
    var ociVersion: String
    var bundle: String
    var rootfs: String
    /// RFC 3339 with nanoseconds, UTC.
    var created: String
    var owner: String
    /// Sorted by name.
    var annotations: [Annotation] = []
    var poststart: [Spec.Hook] = []
    var poststop: [Spec.Hook] = []
    /// The resctrl group that `create` made, removed by `delete`.
    var resctrlGroup = ""

    var isIntent: Bool { pid == 0 }
}

struct Annotation: Equatable {
    var name: String
    var value: String
}

/// A cgroup as `delete` must find it again without the configuration.
struct RecordedCgroup: Equatable {
    /// CgroupManager's raw value.
    var manager = CgroupManager.disabled
    /// Below the mount of cgroup2, "/system.slice/x.scope"; "" without a cgroup.
    var path = ""
    /// The unit of systemd; "" with another manager.
    var unit = ""
    /// Made by `create`; one that was there before is not removed.
    var isOwned = true
}

internal import Cgroups
internal import OCI

/// What is remembered of a container: all that `state`, `kill` and `delete` need.
///
/// Written twice. First as the intent (`pid` 0) before anything else is made, so that `delete`
/// finds what a killed `create` left; then with the process, which commits the container. Its
/// status is not in it: it is derived, see Status.swift.
struct Record: Fields {
    var id = ""
    /// Tells this container from another of the same id that came after it.
    var generation = ""
    var process = ProcessIdentity()
    var cgroup = CgroupPlace()
    /// The resctrl groups it is in, if it asked for some.
    var resctrl: ResctrlPlace?
    /// The mount that the root is bound over, in the host's mount namespace, if the container has that.
    var coveredMount: MountIdentity?
    /// The pid namespace is not the container's own: the end of init does not end the others.
    var sharesPIDNamespace = false
    var ociVersion = ""
    var bundle = ""
    var rootfs = ""
    /// RFC 3339 with nanoseconds, UTC.
    var created = ""
    var owner = ""
    var annotations: [String: String] = [:]
    var poststart: [Spec.Hook] = []
    var poststop: [Spec.Hook] = []
    /// The names of the steps that `start` lets the init stage do.
    var firstStep: Int32 = 0
    var stepNames: [String] = []

    init() {}

    init(id: String) {
        self.id = id
    }

    /// Nothing but the intent was written.
    var isIntent: Bool { process.pid == 0 }

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("id", &id)
        try coder.required("generation", &generation)
        try coder.required("init", &process)
        var place = cgroup.journalText
        try coder.required("cgroup", &place)
        cgroup = CgroupPlace(journalText: place) ?? CgroupPlace()
        try coder.optional("resctrl", &resctrl)
        try coder.optional("coveredMount", &coveredMount)
        try coder.defaulted("sharesPIDNamespace", &sharesPIDNamespace)
        try coder.required("ociVersion", &ociVersion)
        try coder.required("bundle", &bundle)
        try coder.required("rootfs", &rootfs)
        try coder.required("created", &created)
        try coder.required("owner", &owner)
        try coder.defaulted("annotations", &annotations)
        try coder.defaulted("poststart", &poststart)
        try coder.defaulted("poststop", &poststop)
        try coder.defaulted("firstStep", &firstStep)
        try coder.defaulted("stepNames", &stepNames)
    }
}

internal import Linux
internal import OCI
internal import Plan

/// The resctrl file system, where the kernel shares out caches and memory bandwidth
/// (Documentation/filesystems/resctrl.rst).
struct Resctrl: ~Copyable {
    private let root: FileDescriptor
    private let path: String

    /// The file system at `path`.
    init(path: String) throws(Failure) {
        root = try attempt("open the resctrl file system", path: path) { () throws(Errno) in
            try FileDescriptor.open(path, .directory)
        }
        self.path = path
    }

    /// The mounted one; nil where there is none.
    static func find() throws(Failure) -> Resctrl? {
        let mounts = (try? MountTable.read()) ?? []
        guard let mount = mounts.first(where: { $0.type == "resctrl" }) else { return nil }
        return try Resctrl(path: mount.mountPoint)
    }

    static func required() throws(Failure) -> Resctrl {
        if let found = try find() { return found }
        var failure = Failure("no resctrl file system is mounted").at(ResctrlPlace.origin)
        failure.hint = "it needs hardware with RDT, and: mount -t resctrl none /sys/fs/resctrl"
        throw failure
    }

    // MARK: - Groups

    /// Where a container will be; decided before anything is made.
    ///
    /// OCI: a group that the configuration names and gives no schemata must be there.
    func place(of plan: ResctrlPlan, id: String) throws(Failure) -> ResctrlPlace {
        let isThere = plan.group == "/" || root.canAccess(plan.group)
        guard isThere || !plan.isNamed || !plan.schemata.isEmpty else {
            throw Failure("the group does not exist", .enoent, path: path + "/" + plan.group)
                .at(ResctrlPlace.origin + ".closID")
        }
        var place = ResctrlPlace()
        place.group = plan.group
        place.isOwn = !plan.isNamed && !isThere
        if plan.isMonitored { place.monitor = id }
        return place
    }

    /// Makes the container's groups; one that is there must have these schemata already.
    func make(_ place: ResctrlPlace, _ schemata: [String]) throws(Failure) {
        do throws(Errno) {
            if place.group != "/" {
                do throws(Errno) {
                    try root.makeDirectory(place.group, mode: 0o755)
                    try write(schemata, to: place)
                } catch .eexist {
                    try compare(schemata, with: place)
                }
            } else {
                try compare(schemata, with: place)
            }
            guard !place.monitor.isEmpty else { return }
            do throws(Errno) {
                try root.makeDirectory(place.file("mon_groups/" + place.monitor), mode: 0o755)
            } catch .eexist {}
        } catch {
            throw failure("make the resctrl group", error, place)
        }
    }

    /// Changes the schemata of a group.
    func change(_ place: ResctrlPlace, _ schemata: [String]) throws(Failure) {
        do throws(Errno) {
            try write(schemata, to: place)
        } catch {
            throw failure("write the schemata", error, place)
        }
    }

    private func write(_ schemata: [String], to place: ResctrlPlace) throws(Errno) {
        for line in schemata {
            try root.open(place.file("schemata"), .writeOnly).writeOnce(line + "\n")
        }
    }

    private func compare(_ schemata: [String], with place: ResctrlPlace) throws(Errno) {
        guard !schemata.isEmpty else { return }
        let present = Schemata(try root.readText(place.file("schemata")))
        for line in schemata where !present.holds(Schemata(line)) { throw .eexist }
    }

    /// Puts a process into the container's groups.
    func assign(_ pid: Int32, to place: ResctrlPlace) throws(Failure) {
        do throws(Errno) {
            try root.open(place.file("tasks"), .writeOnly).writeOnce("\(pid)")
            guard !place.monitor.isEmpty else { return }
            // The kernel takes a task of the group above only, so this comes second.
            try root.open(place.file("mon_groups/\(place.monitor)/tasks"), .writeOnly)
                .writeOnce("\(pid)")
        } catch {
            throw failure("put process \(pid) into the resctrl group", error, place)
        }
    }

    /// Removes what was made for a container; its processes, if any are left, fall to the group above.
    func remove(_ place: ResctrlPlace) throws(Failure) {
        do throws(Errno) {
            if !place.monitor.isEmpty {
                try removeDirectory(place.file("mon_groups/" + place.monitor))
            }
            if place.isOwn { try removeDirectory(place.group) }
        } catch {
            throw failure("remove the resctrl group", error, place)
        }
    }

    private func removeDirectory(_ path: String) throws(Errno) {
        do throws(Errno) { try root.removeDirectory(path) } catch .enoent {}
    }

    /// The kernel says in a file of its own what it did not like.
    private func failure(
        _ operation: String, _ error: Errno, _ place: ResctrlPlace
    ) -> Failure {
        var failure = Failure(operation, error, path: path + "/" + place.group)
        let status = (try? root.readText("info/last_cmd_status")) ?? "ok"
        if error == .eexist {
            failure.hint = "the group is there, with other schemata"
        } else if status != "ok" {
            failure.hint = status
        }
        return failure.at(ResctrlPlace.origin)
    }
}

/// A container's groups, as its record has them.
struct ResctrlPlace: Fields, Equatable {
    static let origin = "linux.intelRdt"

    /// The directory below the root; "/" for the root itself.
    var group = ""
    /// It was made for the container, and goes with it.
    var isOwn = false
    /// The monitoring group, always the container's own; "" without one.
    var monitor = ""

    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure) {
        try coder.required("group", &group)
        try coder.defaulted("isOwn", &isOwn)
        try coder.defaulted("monitor", &monitor)
    }

    /// The path of a file of the group.
    func file(_ name: String) -> String { group == "/" ? name : group + "/" + name }
}

extension Record {
    /// Makes the container's groups, before it has a process.
    func makeResctrl(_ plan: Plan) throws(Failure) {
        guard let resctrl, let schemata = plan.resctrl?.schemata else { return }
        try Resctrl.required().make(resctrl, schemata)
    }

    /// Puts a process of the container into its groups.
    func assignResctrl(_ pid: Int32) throws(Failure) {
        guard let resctrl else { return }
        try Resctrl.required().assign(pid, to: resctrl)
    }
}

/// Lines such as "L3:0=7f0;1=1f", whatever the order, the spaces and the leading zeros.
struct Schemata: Equatable {
    private var values: [String: String] = [:]

    init(_ text: String) {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard parts.count == 2 else { continue }
            let resource = Self.word(parts[0])
            for domain in parts[1].split(separator: UInt8(ascii: ";")) {
                let pair = domain.split(separator: UInt8(ascii: "="), maxSplits: 1)
                guard pair.count == 2 else { continue }
                values[resource + ":" + Self.number(pair[0])] = Self.number(pair[1])
            }
        }
    }

    /// Whether all that `other` says is so here too.
    func holds(_ other: Schemata) -> Bool {
        for (domain, value) in other.values where values[domain] != value { return false }
        return !other.values.isEmpty
    }

    private static func word(_ bytes: Substring.UTF8View) -> String {
        String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }

    private static func number(_ bytes: Substring.UTF8View) -> String {
        let digits = bytes.filter { $0 > 0x20 }.drop { $0 == UInt8(ascii: "0") }
        return digits.isEmpty ? "0" : String(decoding: Array(digits), as: UTF8.self).lowercased()
    }
}

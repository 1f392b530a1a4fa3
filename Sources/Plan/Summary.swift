// What an operation does, in a line: for `apus explain`, and for the error when it fails.

internal import OCI

extension Operation {
    /// A verb and what it works on: "bind /srv -> /data (ro, rprivate)".
    package var summary: String {
        switch self {
        case .await(let checkpoint): "wait for the runtime at \(checkpoint.name)"
        case .gate: "wait for start"
        case .fork(let types):
            types.isEmpty ? "go on in a child" : "go on in a child with new \(types.text)"
        case .join(let handle, let types): "join \(types.text) (handle \(handle.index))"
        case .unshare(let types): "make new \(types.text)"
        case .timeOffsets(let monotonic, let boottime):
            "set clock offsets" + Self.offset(" monotonic", monotonic)
                + Self.offset(" boottime", boottime)
        case .becomeRoot: "become root of the user namespace"
        case .newSession: "start a session"
        case .keyring(let name, _): "start session keyring \(name)"
        case .loopbackUp: "bring interface lo up"
        case .hostname(let name): "set hostname \(name)"
        case .domainname(let name): "set domain name \(name)"
        case .sysctl(let path, let value): "write /proc/sys/\(path) = \(value)"
        case .hostPropagation, .openRoot, .overlayRoot, .mount, .bind, .remount, .mountCgroup,
            .device, .symlink, .console, .mask, .readOnly, .pivot, .rootReadOnly, .rootPropagation:
            mountSummary
        default: processSummary
        }
    }

    private static func offset(_ name: String, _ offset: TimeOffset?) -> String {
        guard let offset else { return "" }
        return "\(name) \(offset.seconds) s \(offset.nanoseconds) ns"
    }

    private var mountSummary: String {
        switch self {
        case .hostPropagation(let propagation): "make / \(propagation.name)"
        case .openRoot(let path, _, _, let binding):
            "open the root \(path)" + (binding == .onHost ? ", bound onto itself on the host" : "")
        case .overlayRoot: "put a layer in memory over the root, for all changes"
        case .mount(let mount):
            "mount \(mount.type) on \(mount.target)"
                + Self.list(mount.settings.words + Self.superblock(mount.superblock) + mount.data)
        case .bind(let bind):
            "bind \(bind.source) -> \(bind.target)" + Self.list(bind.settings.words)
        case .remount(let remount):
            "remount \(remount.target)"
                + Self.list(
                    remount.settings.words + Self.superblock(remount.superblock) + remount.data)
        case .mountCgroup(let mount):
            "mount the \(mount.view == .own ? "own cgroup" : "host's cgroups") on \(mount.target)"
                + Self.list(mount.settings.words)
        case .device(let node): Self.text(node)
        case .symlink(let contents, let path, _): "link \(path) -> \(contents)"
        case .console(let console):
            "open a terminal" + (console.bindsConsole ? ", also as /dev/console" : "")
        case .mask(let path): "mask \(path)"
        case .readOnly(let path): "make \(path) read-only"
        case .pivot(.pivotRoot): "pivot into the root"
        case .pivot(.moveRoot): "move the root to / and chroot"
        case .pivot(.chroot): "chroot into the root"
        case .rootReadOnly: "make / read-only"
        case .rootPropagation(let propagation): "make the container's / \(propagation.name)"
        default: ""
        }
    }

    private var processSummary: String {
        switch self {
        case .rlimit(let limit): "limit \(limit.name) to \(limit.text)"
        case .oomScoreAdjust(let value): "set the OOM score adjustment \(value)"
        case .scheduler(let scheduler):
            "schedule by policy \(scheduler.policy), nice \(scheduler.nice), "
                + "priority \(scheduler.priority)"
        case .ioPriority(let `class`, let priority):
            "set I/O priority class \(`class`), priority \(priority)"
        case .affinity(let cpus): "run on \(cpus.map { "CPUs " + $0 } ?? "every CPU")"
        case .personality(let persona): "set personality \(persona)"
        case .memoryPolicy(let mode, let nodes): "set memory policy \(mode) of nodes \(nodes)"
        case .passStdio(let uid): "give stdio to user \(uid)"
        case .workingDirectory(let directory):
            "enter \(directory.path)"
                + (directory.isFirstTry ? " (else again as the user)" : "")
        case .selinuxLabel(let label): "set SELinux label \(label)"
        case .apparmorProfile(let profile): "set AppArmor profile \(profile)"
        case .hook(let hook): "run hook \(hook.path)"
        default: credentialSummary
        }
    }

    private var credentialSummary: String {
        switch self {
        case .boundingSet(let mask): "drop capabilities but" + mask.text
        case .groups(let groups, let keepsGroups):
            keepsGroups
                ? "keep the groups"
                : "set groups" + Self.list(groups.map { String($0) })
        case .user(let uid, let gid, let umask):
            "become user \(uid), group \(gid)"
                + (umask.map { ", umask 0" + octal($0) } ?? "")
        case .capabilities(let masks):
            "set capabilities: effective\(masks.effective.text), "
                + "permitted\(masks.permitted.text), inheritable\(masks.inheritable.text), "
                + "ambient\(masks.ambient.text)"
        case .noNewPrivileges: "forbid new privileges"
        case .seccomp(let filter):
            "load the seccomp filter" + (filter.hasListener ? " and pass on its listener" : "")
        case .executable(let name, _): "find \(name)"
        case .verify: "check ids, capabilities and privileges"
        case .execute(let execution):
            "run \(execution.arguments.joined(with: " "))"
        default: ""
        }
    }
}

extension Operation {
    private static func list(_ words: [String]) -> String {
        words.isEmpty ? "" : " (" + words.joined(with: ", ") + ")"
    }

    private static func superblock(_ flags: UInt64) -> [String] {
        var words: [String] = []
        for row in MountOptions.others {
            if case .superblock(let flag) = row.effect, flags & flag != 0 { words.append(row.name) }
        }
        return words
    }

    private static func text(_ node: DeviceNode) -> String {
        let what =
            switch node.kind {
            case .fifo: "FIFO \(node.path)"
            case .character: "device \(node.path) c \(node.major):\(node.minor)"
            case .block: "device \(node.path) b \(node.major):\(node.minor)"
            }
        let owner = node.uid | node.gid == 0 ? "" : ", owner \(node.uid):\(node.gid)"
        return (node.isBound ? "bind " : "make ") + what + ", mode 0" + octal(node.mode) + owner
    }
}

extension MountSettings {
    /// The settings in the words of the configuration.
    var words: [String] {
        var words: [String] = []
        if how.contains(.recursive) { words.append("rbind") }
        for row in MountOptions.attributes where Self.isSet(row, attributes.set, attributes.clear) {
            words.append(row.name)
        }
        for row in MountOptions.attributes
        where Self.isSet(row, attributes.recursiveSet, attributes.recursiveClear) {
            words.append("r" + row.name)
        }
        if !propagation.isEmpty { words.append(propagation.name) }
        if how.contains(.copyUp) { words.append("tmpcopyup") }
        if how.contains(.sourceNoFollow) { words.append("src-nofollow") }
        if how.contains(.idMapped) { words.append("idmap") }
        return words
    }

    private static func isSet(
        _ row: (name: String, set: UInt64, clear: UInt64), _ set: UInt64, _ clear: UInt64
    ) -> Bool {
        if row.clear == MountAttributes.accessTime {
            guard clear & MountAttributes.accessTime != 0 else { return false }
            // Three names mean relatime; the first says it.
            return set & MountAttributes.accessTime == row.set
                && (row.set != 0 || row.name == "relatime")
        }
        return row.set != 0 ? set & row.set != 0 : clear & row.clear != 0
    }
}

extension Namespaces {
    var text: String { names.joined(with: ", ") + " namespace" + (names.count == 1 ? "" : "s") }
}

extension CapabilityMask {
    /// The names, after a blank.
    fileprivate var text: String {
        bits == 0 ? " none" : " " + names.joined(with: " ")
    }
}

extension Rlimit {
    fileprivate var name: String { Spec.RlimitType.names[resource].description }

    fileprivate var text: String { "\(Self.text(soft)), at most \(Self.text(hard))" }

    private static func text(_ limit: UInt64) -> String {
        limit == .max ? "unlimited" : String(limit)
    }
}

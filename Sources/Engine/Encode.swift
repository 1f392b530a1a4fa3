internal import CInit
internal import Plan

// The plan as the init stage reads it. Sources/CInit/include/CInit.h is the contract: what the
// arguments and strings of every operation mean is written there, once.

extension Plan {
    /// The bytes of the plan's memfd: struct apus_plan and its steps.
    ///
    /// - Parameters:
    ///   - program: the compiled seccomp filter (struct sock_filter[]); empty without one.
    ///   - cgroup: the container's cgroup from the root of the cgroup2 mount, where it is known.
    /// - Throws: `Failure` for a text that no C string could carry.
    func encoded(seccomp program: [UInt8], cgroup: String = "") throws(Failure) -> [UInt8] {
        var encoder = StepEncoder(program: program, cgroup: cgroup)
        for step in steps {
            encoder.encode(step.operation)
            guard encoder.isValid else {
                throw Failure("a text contains a NUL").at(step.origin)
            }
        }
        return encoder.plan(steps: steps.count, slots: handles.count)
    }
}

/// Writes steps one after the other, in the byte order of the machine.
struct StepEncoder {
    private(set) var bytes = [UInt8](repeating: 0, count: MemoryLayout<apus_plan>.size)
    /// Whether all texts so far were without a NUL.
    private(set) var isValid = true
    private let program: [UInt8]
    private let cgroup: String

    init(program: [UInt8], cgroup: String) {
        self.program = program
        self.cgroup = cgroup
        // More than most plans have.
        bytes.reserveCapacity(8192 + program.count)
    }

    /// The finished plan.
    func plan(steps: Int, slots: Int) -> [UInt8] {
        var plan = bytes
        let words = [APUS_PLAN_MAGIC, UInt32(bytes.count), UInt32(steps), UInt32(slots)]
        for (index, word) in words.enumerated() { Self.put(word, at: 4 * index, in: &plan) }
        return plan
    }

    /// Replaces four bytes.
    private static func put(_ word: UInt32, at offset: Int, in bytes: inout [UInt8]) {
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: word.littleEndian >> (8 * index))
        }
    }

    private static func append(_ word: some FixedWidthInteger, to bytes: inout [UInt8]) {
        var rest = word.littleEndian
        for _ in 0..<word.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    private mutating func pad(to alignment: Int) {
        while !bytes.count.isMultiple(of: alignment) { bytes.append(0) }
    }

    /// A step with strings of any bytes.
    private mutating func add(
        _ operation: apus_operation, _ arguments: [Int64], binary strings: [[UInt8]]
    ) {
        let start = bytes.count
        Self.append(operation.rawValue, to: &bytes)
        Self.append(UInt32(0), to: &bytes)
        Self.append(UInt32(arguments.count), to: &bytes)
        Self.append(UInt32(strings.count), to: &bytes)
        for argument in arguments { Self.append(argument, to: &bytes) }
        for string in strings {
            Self.append(UInt32(string.count), to: &bytes)
            bytes += string
            bytes.append(0)
            pad(to: 4)
        }
        pad(to: 8)
        Self.put(UInt32(bytes.count - start), at: start + 4, in: &bytes)
    }

    private mutating func add(
        _ operation: apus_operation, _ arguments: [Int64] = [], _ strings: [String] = []
    ) {
        add(operation, arguments, binary: strings.map { text($0) })
    }

    private mutating func text(_ string: String) -> [UInt8] {
        let bytes = Array(string.utf8)
        if bytes.contains(0) { isValid = false }
        return bytes
    }

    private mutating func joined(_ list: [String]) -> [UInt8] {
        var result: [UInt8] = []
        for (index, element) in list.enumerated() {
            if index > 0 { result.append(0) }
            result += text(element)
        }
        return result
    }
}

extension StepEncoder {
    /// One operation; the order of the cases is the contract's.
    mutating func encode(_ operation: Operation) {
        switch operation {
        case .await(let checkpoint): add(APUS_OP_AWAIT, [Int64(checkpoint.rawValue)])
        case .gate: add(APUS_OP_GATE)
        case .fork(let types): add(APUS_OP_FORK, [Int64(types.rawValue)])
        case .join(let handle, let types):
            add(APUS_OP_JOIN, [Int64(handle.index), Int64(types.rawValue)])
        case .unshare(let types): add(APUS_OP_UNSHARE, [Int64(types.rawValue)])
        case .timeOffsets(let monotonic, let boottime):
            let lines = Self.line("monotonic", monotonic) + Self.line("boottime", boottime)
            add(APUS_OP_TIME_OFFSETS, [], [lines])
        case .becomeRoot(let keepsGroups):
            add(APUS_OP_BECOME_ROOT, [keepsGroups ? 1 : 0])
        case .newSession: add(APUS_OP_SESSION)
        case .keyring(let name, let label): add(APUS_OP_KEYRING, [], [name, label ?? ""])
        case .loopbackUp: add(APUS_OP_LOOPBACK)
        case .hostPropagation, .openRoot, .overlayRoot, .mount, .bind, .remount, .mountCgroup,
            .device, .symlink, .console, .mask, .readOnly, .pivot, .rootReadOnly, .rootPropagation:
            encodeMount(operation)
        default: encodeProcess(operation)
        }
    }

    private static func line(_ clock: String, _ offset: TimeOffset?) -> String {
        guard let offset else { return "" }
        return "\(clock) \(offset.seconds) \(offset.nanoseconds)\n"
    }

    private mutating func encodeMount(_ operation: Operation) {
        switch operation {
        case .hostPropagation(let value): add(APUS_OP_PROPAGATION, [Int64(value.rawValue)])
        case .openRoot(let path, let handle, let isShared, let binding):
            add(
                APUS_OP_ROOT,
                [Self.slot(handle), isShared ? 1 : 0, Int64(binding.rawValue)], [path])
        case .overlayRoot(let inUserNamespace):
            add(APUS_OP_ROOT_OVERLAY, [inUserNamespace ? 1 : 0])
        case .mount(let mount):
            add(
                APUS_OP_MOUNT,
                Self.settings(mount.settings) + [Int64(bitPattern: mount.superblock)],
                [
                    mount.type, mount.source, mount.target, Self.options(mount.data),
                    mount.context ?? "",
                ])
        case .bind(let bind):
            add(
                APUS_OP_BIND, Self.settings(bind.settings) + [Self.slot(bind.handle)],
                [bind.source, bind.target])
        case .remount(let remount):
            add(
                APUS_OP_REMOUNT,
                Self.settings(remount.settings) + [Int64(bitPattern: remount.superblock)],
                [remount.target, Self.options(remount.data)])
        case .mountCgroup(let mount):
            add(
                APUS_OP_CGROUP_MOUNT, Self.settings(mount.settings),
                [mount.target, mount.view == .own ? cgroup : "/"])
        case .device(let node):
            add(
                APUS_OP_DEVICE,
                [
                    Int64(node.mode | node.kind.rawValue), Int64(node.major), Int64(node.minor),
                    Int64(node.uid), Int64(node.gid), node.isBound ? 1 : 0,
                    node.isDefault ? 1 : 0,
                ], [node.path])
        case .symlink(let contents, let path, let replaces):
            add(APUS_OP_SYMLINK, [replaces ? 1 : 0], [contents, path])
        case .console(let console):
            add(
                APUS_OP_CONSOLE,
                [
                    Int64(console.width), Int64(console.height), Int64(console.uid),
                    console.bindsConsole ? 1 : 0,
                ])
        case .mask(let path): add(APUS_OP_MASK, [], [path])
        case .readOnly(let path): add(APUS_OP_READONLY, [], [path])
        case .pivot(let mode): add(APUS_OP_PIVOT, [Int64(mode.rawValue)])
        case .rootReadOnly: add(APUS_OP_ROOT_READONLY)
        case .rootPropagation(let value): add(APUS_OP_ROOT_PROPAGATION, [Int64(value.rawValue)])
        default: break
        }
    }

    private static func slot(_ handle: Slot?) -> Int64 {
        handle.map { Int64($0.index) } ?? -1
    }

    /// a0 to a5 of every mount operation.
    private static func settings(_ settings: MountSettings) -> [Int64] {
        let attributes = settings.attributes
        return [
            Int64(settings.how.rawValue), Int64(bitPattern: attributes.set),
            Int64(bitPattern: attributes.clear), Int64(settings.propagation.rawValue),
            Int64(bitPattern: attributes.recursiveSet),
            Int64(bitPattern: attributes.recursiveClear),
        ]
    }

    private static func options(_ data: [String]) -> String {
        var text = ""
        for option in data { text += text.isEmpty ? option : "," + option }
        return text
    }
}

extension StepEncoder {
    private mutating func encodeProcess(_ operation: Operation) {
        switch operation {
        case .hostname(let name): add(APUS_OP_HOSTNAME, [], [name])
        case .domainname(let name): add(APUS_OP_DOMAINNAME, [], [name])
        case .sysctl(let path, let value): add(APUS_OP_SYSCTL, [], [path, value])
        case .rlimit(let limit):
            add(
                APUS_OP_RLIMIT,
                [
                    Int64(limit.resource), Int64(bitPattern: limit.soft),
                    Int64(bitPattern: limit.hard),
                ])
        case .oomScoreAdjust(let value): add(APUS_OP_OOM_SCORE, [Int64(value)])
        case .scheduler(let scheduler):
            add(
                APUS_OP_SCHEDULER,
                [
                    Int64(scheduler.policy), Int64(scheduler.nice), Int64(scheduler.priority),
                    Int64(bitPattern: scheduler.flags), Int64(bitPattern: scheduler.runtime),
                    Int64(bitPattern: scheduler.deadline), Int64(bitPattern: scheduler.period),
                ])
        case .ioPriority(let `class`, let priority):
            add(APUS_OP_IO_PRIORITY, [Int64(`class`), Int64(priority)])
        case .affinity(let cpus): add(APUS_OP_AFFINITY, [], [cpus ?? ""])
        case .personality(let persona): add(APUS_OP_PERSONALITY, [Int64(persona)])
        case .memoryPolicy(let mode, let nodes):
            add(APUS_OP_MEMORY_POLICY, [Int64(mode)], [nodes])
        case .passStdio(let uid): add(APUS_OP_PASS_STDIO, [Int64(uid), -1])
        case .workingDirectory(let directory):
            add(
                APUS_OP_WORKDIR, [directory.isMade ? 1 : 0, directory.isFirstTry ? 1 : 0],
                [directory.path])
        case .selinuxLabel(let label): add(APUS_OP_LABEL, [0], [label])
        case .apparmorProfile(let profile): add(APUS_OP_LABEL, [1], [profile])
        case .hook(let hook):
            add(
                APUS_OP_HOOK,
                [
                    hook.timeout.map(Int64.init) ?? -1, hook.kind == .createContainer ? 0 : 1,
                    hook.environment == nil ? 1 : 0,
                ],
                binary: [
                    text(hook.path), text(hook.state), joined(hook.arguments),
                    joined(hook.environment ?? []),
                ])
        default: encodeCredentials(operation)
        }
    }

    private mutating func encodeCredentials(_ operation: Operation) {
        switch operation {
        case .boundingSet(let mask): add(APUS_OP_BOUNDING, [Self.bits(mask)])
        case .groups(let groups, let keepsGroups):
            add(APUS_OP_GROUPS, [keepsGroups ? 1 : 0] + groups.map { Int64($0) })
        case .user(let uid, let gid, let umask):
            add(APUS_OP_USER, [Int64(uid), Int64(gid), umask.map { Int64($0) } ?? -1])
        case .capabilities(let masks):
            add(
                APUS_OP_CAPABILITIES,
                [
                    Self.bits(masks.effective), Self.bits(masks.permitted),
                    Self.bits(masks.inheritable), Self.bits(masks.ambient),
                ])
        case .noNewPrivileges: add(APUS_OP_NO_NEW_PRIVILEGES)
        case .seccomp(let filter):
            add(APUS_OP_SECCOMP, [Int64(filter.flags)], binary: [program])
        case .executable(let name, let searchPath):
            add(APUS_OP_EXECUTABLE, [], [name, searchPath])
        case .verify(let posture):
            let masks = posture.capabilities
            add(
                APUS_OP_VERIFY,
                [
                    Int64(posture.uid), Int64(posture.gid), Self.bits(masks.effective),
                    Self.bits(masks.permitted), Self.bits(masks.inheritable),
                    Self.bits(posture.bounding), posture.noNewPrivileges ? 1 : -1,
                    Self.bits(masks.ambient),
                ])
        case .execute(let execution):
            let passes: Int64 = execution.listenFDs > 0 ? 1 : 0
            add(
                APUS_OP_EXEC,
                [Int64(execution.listenFDs), passes, execution.setsHome ? 1 : 0],
                binary: [joined(execution.arguments), joined(execution.environment)])
        default: break
        }
    }

    private static func bits(_ mask: CapabilityMask) -> Int64 {
        Int64(bitPattern: mask.bits)
    }
}

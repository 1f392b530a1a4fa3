import CInit
import Testing

@testable import Engine
@testable import Plan

@Suite("The plan as the init stage reads it")
struct EncodeTests {
    /// Every operation with its opcode, the number of its arguments and of its strings by CInit.h.
    struct Row {
        let operation: Operation
        let opcode: apus_operation
        let arguments: Int
        let strings: Int

        init(
            _ operation: Operation, _ opcode: apus_operation, _ arguments: Int,
            _ strings: Int
        ) {
            self.operation = operation
            self.opcode = opcode
            self.arguments = arguments
            self.strings = strings
        }
    }

    static let rows: [Row] =
        mountRows + [
            Row(.await(.ready), APUS_OP_AWAIT, 1, 0), Row(.gate, APUS_OP_GATE, 0, 0),
            Row(.fork(newNamespaces: .pid), APUS_OP_FORK, 1, 0),
            Row(.join(handle: Slot(1), types: .pid), APUS_OP_JOIN, 2, 0),
            Row(.unshare(.cgroup), APUS_OP_UNSHARE, 1, 0),
            Row(.timeOffsets(monotonic: nil, boottime: nil), APUS_OP_TIME_OFFSETS, 0, 1),
            Row(.becomeRoot(keepsGroups: true), APUS_OP_BECOME_ROOT, 1, 0),
            Row(.newSession, APUS_OP_SESSION, 0, 0),
            Row(.keyring(name: "_ses.a", label: nil), APUS_OP_KEYRING, 0, 2),
            Row(.loopbackUp, APUS_OP_LOOPBACK, 0, 0), Row(.hostname("a"), APUS_OP_HOSTNAME, 0, 1),
            Row(.domainname("a"), APUS_OP_DOMAINNAME, 0, 1),
            Row(.sysctl(path: "a", value: "b"), APUS_OP_SYSCTL, 0, 2),
            Row(.rlimit(Rlimit(resource: 1, soft: 2, hard: .max)), APUS_OP_RLIMIT, 3, 0),
            Row(.oomScoreAdjust(-5), APUS_OP_OOM_SCORE, 1, 0),
            Row(.scheduler(Scheduler(policy: 1)), APUS_OP_SCHEDULER, 7, 0),
            Row(.ioPriority(class: 1, priority: 2), APUS_OP_IO_PRIORITY, 2, 0),
            Row(.affinity(cpus: nil), APUS_OP_AFFINITY, 0, 1),
            Row(.personality(8), APUS_OP_PERSONALITY, 1, 0),
            Row(.memoryPolicy(mode: 1, nodes: "0"), APUS_OP_MEMORY_POLICY, 1, 1),
            Row(.passStdio(uid: 3), APUS_OP_PASS_STDIO, 2, 0),
            Row(
                .workingDirectory(WorkingDirectory(path: "/", isMade: true, isFirstTry: true)),
                APUS_OP_WORKDIR, 2, 1),
            Row(.selinuxLabel("l"), APUS_OP_LABEL, 1, 1),
            Row(.apparmorProfile("p"), APUS_OP_LABEL, 1, 1),
            Row(
                .hook(
                    HookRun(
                        kind: .startContainer, path: "/h", arguments: ["h", ""], environment: [],
                        timeout: nil, state: "{}")), APUS_OP_HOOK, 3, 4),
            Row(.boundingSet(CapabilityMask(bits: 1)), APUS_OP_BOUNDING, 1, 0),
            Row(.groups([4, 5], keepsGroups: false), APUS_OP_GROUPS, 3, 0),
            Row(.user(uid: 1, gid: 2, umask: nil), APUS_OP_USER, 3, 0),
            Row(.capabilities(CapabilityMasks()), APUS_OP_CAPABILITIES, 4, 0),
            Row(.noNewPrivileges, APUS_OP_NO_NEW_PRIVILEGES, 0, 0),
            Row(.seccomp(SeccompFilter(flags: 4)), APUS_OP_SECCOMP, 1, 1),
            Row(.executable(name: "a", searchPath: "/b"), APUS_OP_EXECUTABLE, 0, 2),
            Row(
                .verify(
                    Posture(
                        uid: 1, gid: 2, capabilities: CapabilityMasks(), bounding: CapabilityMask(),
                        noNewPrivileges: true)), APUS_OP_VERIFY, 8, 0),
            Row(
                .execute(
                    Execution(arguments: ["a"], environment: ["B=1"], listenFDs: 0, setsHome: true)),
                APUS_OP_EXEC, 3, 2),
        ]

    static let mountRows: [Row] = [
        Row(.hostPropagation(.slave), APUS_OP_PROPAGATION, 1, 0),
        Row(.openRoot(path: "/r", handle: nil, isShared: false, binding: .own), APUS_OP_ROOT, 3, 1),
        Row(.overlayRoot(inUserNamespace: true), APUS_OP_ROOT_OVERLAY, 1, 0),
        Row(.mount(NewMount(type: "t", source: "s", target: "/")), APUS_OP_MOUNT, 7, 5),
        Row(.bind(Bind(source: "/a", target: "/b")), APUS_OP_BIND, 7, 2),
        Row(.remount(Remount(target: "/a")), APUS_OP_REMOUNT, 7, 2),
        Row(.mountCgroup(CgroupMount(target: "/c", view: .own)), APUS_OP_CGROUP_MOUNT, 6, 2),
        Row(
            .device(DeviceNode(path: "/d", kind: .block, major: 8, minor: 0)), APUS_OP_DEVICE, 7,
            1),
        Row(.symlink(contents: "a", path: "/b", replaces: true), APUS_OP_SYMLINK, 1, 2),
        Row(
            .console(Console(width: 80, height: 25, uid: 0, bindsConsole: true)),
            APUS_OP_CONSOLE, 4, 0),
        Row(.mask("/a"), APUS_OP_MASK, 0, 1), Row(.readOnly("/a"), APUS_OP_READONLY, 0, 1),
        Row(.pivot(.moveRoot), APUS_OP_PIVOT, 1, 0),
        Row(.rootReadOnly, APUS_OP_ROOT_READONLY, 0, 0),
        Row(.rootPropagation(.shared), APUS_OP_ROOT_PROPAGATION, 1, 0),
    ]

    private func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    private func encode(_ operations: [Operation]) throws -> [UInt8] {
        var plan = Plan()
        plan.steps = operations.map { Step("test", $0) }
        return try plan.encoded(seccomp: [0, 1, 2], cgroup: "/own")
    }

    @Test func everyOperationHasItsForm() throws {
        for row in Self.rows {
            let bytes = try encode([row.operation])
            #expect(word(bytes, 0) == Int(APUS_PLAN_MAGIC))
            #expect(word(bytes, 4) == bytes.count)
            #expect(word(bytes, 8) == 1, "\(row.operation) is not encoded")
            #expect(word(bytes, 16) == Int(row.opcode.rawValue), "\(row.operation)")
            #expect(word(bytes, 20) == bytes.count - 16 && bytes.count % 8 == 0)
            #expect(word(bytes, 24) == row.arguments, "\(row.operation)")
            #expect(word(bytes, 28) == row.strings, "\(row.operation)")
        }
    }

    @Test func everyOpcodeIsUsed() {
        let used = Set(Self.rows.map(\.opcode.rawValue))
        #expect(used == Set(APUS_OP_AWAIT.rawValue...APUS_OP_ROOT_OVERLAY.rawValue))
    }

    /// The strings of a step, taken apart again.
    private func strings(_ bytes: [UInt8]) -> [[UInt8]] {
        var offset = 32 + 8 * word(bytes, 24)
        return (0..<word(bytes, 28)).map { _ in
            let size = word(bytes, offset)
            defer { offset += (4 + size + 1 + 3) / 4 * 4 }
            return Array(bytes[offset + 4..<offset + 4 + size])
        }
    }

    @Test func textsAreFoundAgain() throws {
        let row = try #require(Self.rows.first { $0.opcode == APUS_OP_HOOK })
        let hook = try strings(encode([row.operation]))
        #expect(hook == ["/h", "{}", "h\0", ""].map { Array($0.utf8) })
        #expect(try strings(encode([.seccomp(SeccompFilter(flags: 0))])) == [[0, 1, 2]])
        #expect(
            try strings(encode([.mountCgroup(CgroupMount(target: "/c", view: .host))]))[1]
                == Array("/".utf8))
        #expect(
            try strings(encode([.mountCgroup(CgroupMount(target: "/c", view: .own))]))[1]
                == Array("/own".utf8))
    }

    @Test func aNULIsRefused() {
        #expect(throws: Failure.self) { try encode([.hostname("a\0b")]) }
    }

    @Test func stepsFollowEachOther() throws {
        let bytes = try encode(Self.rows.map(\.operation))
        var offset = 16
        for row in Self.rows {
            #expect(word(bytes, offset) == Int(row.opcode.rawValue))
            offset += word(bytes, offset + 4)
        }
        #expect(offset == bytes.count)
    }
}

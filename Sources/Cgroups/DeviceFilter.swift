package import Plan

/// The BPF program that decides which devices a cgroup may use (BPF_PROG_TYPE_CGROUP_DEVICE).
///
/// The last rule that fits an access decides, for each of read, write and mknod alone; what no
/// rule mentions is denied. The kernel's context is three 32-bit words: the access above the type
/// (`access << 16 | type`), the major and the minor number (struct bpf_cgroup_dev_ctx).
package struct DeviceFilter: Equatable {
    /// One instruction of the kernel's virtual machine (struct bpf_insn).
    package struct Instruction: Equatable {
        package let code: UInt8
        package let destination: UInt8
        package let source: UInt8
        /// Of a jump: how many instructions beyond the next one.
        package var offset: Int16
        package let immediate: Int32
    }

    /// The name under which the program is attached; the kernel keeps 15 bytes.
    package static let name = "apus_devices"

    package private(set) var instructions: [Instruction] = []

    package init(_ rules: [DeviceRule]) {
        var accesses: [DeviceAccess] = []
        for rule in rules { accesses.append(DeviceAccess(rule)) }
        self.init(accesses: accesses)
    }

    /// Walks the rules backwards.
    ///
    /// What is still undecided of the access is in register 3: allowed
    /// bits leave it, a denied bit ends the program.
    init(accesses rules: [DeviceAccess]) {
        instructions = [
            Op.loadWord(to: 2, offset: 0),
            Op.copy(to: 3, from: 2),
            Op.and(2, 0xFFFF),
            Op.shiftRight(3, 16),
            Op.loadWord(to: 4, offset: 4),
            Op.loadWord(to: 5, offset: 8),
        ]
        var later: [DeviceAccess] = []
        for rule in rules.reversed() {
            // Engines send rules twice; one that later ones leave nothing to decide is not needed.
            if later.contains(where: { $0.covers(rule) }) { continue }
            later.append(rule)
            append(rule)
            // Nothing before a rule about everything can matter.
            if rule.isEverything { return }
        }
        instructions += [Op.move(0, 0), Op.jumpUnlessZero(3, 1), Op.move(0, 1), Op.exit]
    }

    private mutating func append(_ rule: DeviceAccess) {
        guard !rule.isEverything else {
            instructions += [Op.move(0, rule.allow ? 1 : 0), Op.exit]
            return
        }
        var skips: [Int] = []
        func skipUnless(_ register: UInt8, _ value: UInt32) {
            skips.append(instructions.count)
            instructions.append(Op.jumpUnlessEqual(register, value))
        }
        if let kind = rule.kind { skipUnless(2, kind.rawValue) }
        if let major = rule.major { skipUnless(4, major) }
        if let minor = rule.minor { skipUnless(5, minor) }
        let mask = Int32(rule.access)
        if rule.access == DeviceAccess.all {
            // The usual case, without a look at register 3: the kernel proves a program by walking
            // its paths, and those that leave a register alone are walked once.
            instructions += [Op.move(0, rule.allow ? 1 : 0), Op.exit]
        } else if rule.allow {
            instructions += [Op.and(3, ~mask), Op.jumpUnlessZero(3, 2), Op.move(0, 1), Op.exit]
        } else {
            instructions += [
                Op.copy(to: 1, from: 3), Op.and(1, mask), Op.jumpIfZero(1, 2), Op.move(0, 0),
                Op.exit,
            ]
        }
        for index in skips {
            instructions[index].offset = Int16(instructions.count - index - 1)
        }
    }

    /// The program as the kernel reads it, on a little endian machine.
    package var words: [UInt64] {
        var words: [UInt64] = []
        for instruction in instructions {
            words.append(
                UInt64(instruction.code) | UInt64(instruction.destination) << 8
                    | UInt64(instruction.source) << 12
                    | UInt64(UInt16(bitPattern: instruction.offset)) << 16
                    | UInt64(UInt32(bitPattern: instruction.immediate)) << 32)
        }
        return words
    }
}

/// A device rule in numbers.
struct DeviceAccess: Equatable {
    /// BPF_DEVCG_DEV_BLOCK and BPF_DEVCG_DEV_CHAR.
    enum Kind: UInt32 {
        case block = 1
        case character = 2
    }

    // BPF_DEVCG_ACC_*
    static let mknod: UInt8 = 1
    static let read: UInt8 = 2
    static let write: UInt8 = 4
    static let all: UInt8 = 7

    var allow: Bool
    /// nil means both.
    var kind: Kind?
    /// nil means every number.
    var major: UInt32?
    var minor: UInt32?
    var access: UInt8

    init(
        allow: Bool, kind: Kind? = nil, major: UInt32? = nil, minor: UInt32? = nil, access: UInt8
    ) {
        self.allow = allow
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    var isEverything: Bool {
        kind == nil && major == nil && minor == nil && access == Self.all
    }
}

extension DeviceAccess {
    init(_ rule: DeviceRule) {
        allow = rule.isAllowed
        switch rule.kind {
        case .all: kind = nil
        case .block: kind = .block
        case .character: kind = .character
        }
        major = rule.major
        minor = rule.minor
        access = 0
        if rule.makes { access |= Self.mknod }
        if rule.reads { access |= Self.read }
        if rule.writes { access |= Self.write }
    }
}

/// The instructions that the filter is made of.
///
/// 64-bit arithmetic throughout: the words loaded are zero-extended.
private enum Op {
    typealias Instruction = DeviceFilter.Instruction

    /// BPF_LDX | BPF_W | BPF_MEM from the context, which register 1 points to.
    static func loadWord(to register: UInt8, offset: Int16) -> Instruction {
        make(0x61, register, 1, offset, 0)
    }

    static func copy(to: UInt8, from: UInt8) -> Instruction { make(0xBF, to, from, 0, 0) }
    static func move(_ register: UInt8, _ value: Int32) -> Instruction {
        make(0xB7, register, 0, 0, value)
    }
    static func and(_ register: UInt8, _ mask: Int32) -> Instruction {
        make(0x57, register, 0, 0, mask)
    }
    static func shiftRight(_ register: UInt8, _ bits: Int32) -> Instruction {
        make(0x77, register, 0, 0, bits)
    }
    static func jumpIfZero(_ register: UInt8, _ distance: Int16) -> Instruction {
        make(0x15, register, 0, distance, 0)
    }
    static func jumpUnlessZero(_ register: UInt8, _ distance: Int16) -> Instruction {
        make(0x55, register, 0, distance, 0)
    }
    /// BPF_JMP32: the immediate of a 64-bit jump is sign-extended, a device number is not.
    static func jumpUnlessEqual(_ register: UInt8, _ value: UInt32) -> Instruction {
        make(0x56, register, 0, 0, Int32(bitPattern: value))
    }
    static let exit = make(0x95, 0, 0, 0, 0)

    private static func make(
        _ code: UInt8, _ to: UInt8, _ from: UInt8, _ offset: Int16, _ immediate: Int32
    ) -> Instruction {
        Instruction(
            code: code, destination: to, source: from, offset: offset, immediate: immediate)
    }
}

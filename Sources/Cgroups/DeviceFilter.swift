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
        var assembly = Assembly()
        var rest: Bool?
        for rule in Self.deciding(rules) {
            if rule.isEverything { rest = rule.allow } else { assembly.append(rule) }
        }
        instructions = assembly.finish(rest)
    }

    /// The rules that have something to decide, the last one first.
    private static func deciding(_ rules: [DeviceAccess]) -> [DeviceAccess] {
        var later: [DeviceAccess] = []
        for rule in rules.reversed() {
            // Engines send rules twice; one that later ones leave nothing to decide is not needed.
            if later.contains(where: { $0.covers(rule) }) { continue }
            if let both = later.last?.withKind(of: rule) {
                later[later.count - 1] = both
            } else {
                later.append(rule)
            }
            // Nothing before a rule about everything can matter.
            if later.last?.isEverything == true { break }
        }
        return later
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

    /// One rule for both kinds; nil where another one is about more than the other kind.
    func withKind(of other: DeviceAccess) -> DeviceAccess? {
        var both = self
        both.kind = other.kind
        guard kind != nil, other.kind != nil, both == other else { return nil }
        both.kind = nil
        return both
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

/// Puts the instructions of a filter together.
///
/// The kernel proves a program by walking its paths, so that loading costs by the branches: what
/// rules have in common is asked once, and all answers lead to the same two instructions.
private struct Assembly {
    /// What an access is asked for: that a register holds a value.
    private struct Condition: Equatable {
        let register: UInt8
        let value: UInt32
    }

    // Register 0, the answer, is "denied" from the beginning.
    private var instructions = [
        Op.move(0, 0),
        Op.loadWord(to: 2, offset: 0),
        Op.copy(to: 3, from: 2),
        Op.and(2, 0xFFFF),
        Op.shiftRight(3, 16),
        Op.loadWord(to: 4, offset: 4),
        Op.loadWord(to: 5, offset: 8),
    ]
    /// What holds where the next instruction stands, each with the jump past all it holds for.
    private var known: [(condition: Condition, jump: Int)] = []
    /// The jumps to either answer.
    private var allowing: [Int] = []
    private var denying: [Int] = []

    mutating func append(_ rule: DeviceAccess) {
        var conditions: [Condition] = []
        if let kind = rule.kind { conditions.append(Condition(register: 2, value: kind.rawValue)) }
        if let major = rule.major { conditions.append(Condition(register: 4, value: major)) }
        if let minor = rule.minor { conditions.append(Condition(register: 5, value: minor)) }
        let mask = Int32(rule.access)
        if rule.access == DeviceAccess.all, let last = conditions.popLast() {
            enter(conditions)
            answer(rule.allow, Op.jumpIfEqual(last.register, last.value))
        } else if rule.allow {
            enter(conditions)
            instructions.append(Op.and(3, ~mask))
            answer(true, Op.jumpIfZero(3))
        } else {
            enter(conditions)
            instructions += [Op.copy(to: 1, from: 3), Op.and(1, mask)]
            answer(false, Op.jumpUnlessZero(1))
        }
    }

    /// - Parameter rest: the answer to what no rule has decided; nil denies it, unless nothing was
    ///   asked or all of it is allowed by now.
    consuming func finish(_ rest: Bool?) -> [DeviceFilter.Instruction] {
        leave(0)
        if rest == nil { answer(false, Op.jumpUnlessZero(3)) }
        if rest == false {
            land(denying)
            denying = []
            instructions.append(Op.exit)
            // The kernel takes no instruction that nothing leads to.
            if allowing.isEmpty { return instructions }
        }
        land(allowing)
        instructions.append(Op.move(0, 1))
        land(denying)
        instructions.append(Op.exit)
        return instructions
    }

    /// Makes `conditions` hold for what follows.
    private mutating func enter(_ conditions: [Condition]) {
        var common = 0
        while common < min(known.count, conditions.count),
            known[common].condition == conditions[common]
        { common += 1 }
        leave(common)
        for condition in conditions[common...] {
            known.append((condition: condition, jump: instructions.count))
            instructions.append(Op.jumpUnlessEqual(condition.register, condition.value))
        }
    }

    /// Leaves but `count` of the conditions behind.
    private mutating func leave(_ count: Int) {
        while known.count > count { land([known.removeLast().jump]) }
    }

    private mutating func answer(_ isAllowed: Bool, _ jump: DeviceFilter.Instruction) {
        if isAllowed {
            allowing.append(instructions.count)
        } else {
            denying.append(instructions.count)
        }
        instructions.append(jump)
    }

    /// Lets jumps lead to the next instruction.
    private mutating func land(_ jumps: [Int]) {
        for jump in jumps { instructions[jump].offset = Int16(instructions.count - jump - 1) }
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
    // Where a jump leads is filled in when that is known.
    static func jumpIfZero(_ register: UInt8) -> Instruction { make(0x15, register, 0, 0, 0) }
    static func jumpUnlessZero(_ register: UInt8) -> Instruction { make(0x55, register, 0, 0, 0) }
    // BPF_JMP32: the immediate of a 64-bit jump is sign-extended, a device number is not.
    static func jumpIfEqual(_ register: UInt8, _ value: UInt32) -> Instruction {
        make(0x16, register, 0, 0, Int32(bitPattern: value))
    }
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

internal import OCI

/// Writes a classic BPF program from its end to its start.
///
/// BPF jumps forward only, so writing backwards every target is known when a jump to it is
/// written. A label is the length of the program after the instruction it stands for.
struct Assembler {
    /// `struct sock_filter`.
    private struct Instruction {
        var code: UInt16
        var jumpTrue: UInt8 = 0
        var jumpFalse: UInt8 = 0
        var k: UInt32
    }

    /// The comparisons of linux/bpf_common.h, as BPF_JMP | BPF_K.
    enum Comparison: UInt16 {
        case equal = 0x15
        case greater = 0x25
        case greaterOrEqual = 0x35
    }

    // Offsets in struct seccomp_data; arguments of 64 bits, low word first on our machines.
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4
    private static let arguments: UInt32 = 16

    private var reversed: [Instruction] = []
    /// The return instructions that are still near enough to be shared.
    private var returns: [(value: UInt32, label: Int)] = []

    init() {
        reversed.reserveCapacity(1024)
    }

    private mutating func write(_ instruction: Instruction) -> Int {
        reversed.append(instruction)
        return reversed.count
    }

    /// A label where the filter returns that value.
    mutating func ret(_ value: UInt32) -> Int {
        for (index, known) in returns.enumerated() where known.value == value {
            if reversed.count - known.label < 200 { return known.label }
            returns.remove(at: index)
            break
        }
        let label = write(Instruction(code: 0x06, k: value))
        returns.append((value, label))
        return label
    }

    /// Loads a word of struct seccomp_data and goes on at a label.
    mutating func load(_ offset: UInt32, then label: Int) -> Int {
        if label != reversed.count { _ = bridge(to: label) }
        return write(Instruction(code: 0x20, k: offset))
    }

    /// Compares the accumulator and goes on at one of two labels.
    mutating func jump(
        _ comparison: Comparison, _ k: UInt32, _ yes: Int, _ no: Int
    ) -> Int {
        var (yes, no) = (yes, no)
        // A conditional jump reaches 255 instructions; two bridges may stand between.
        if reversed.count - no > 253 { no = bridge(to: no) }
        if reversed.count - yes > 254 { yes = bridge(to: yes) }
        return write(
            Instruction(
                code: comparison.rawValue, jumpTrue: UInt8(reversed.count - yes),
                jumpFalse: UInt8(reversed.count - no), k: k))
    }

    private mutating func bridge(to label: Int) -> Int {
        write(Instruction(code: 0x05, k: UInt32(reversed.count - label)))
    }

    /// Returns the chain's value when all its conditions hold, else goes on at `otherwise`.
    mutating func test(_ chain: Chain, isWide: Bool, otherwise: Int) -> Int {
        var next = ret(chain.value)
        for condition in chain.conditions.reversed() {
            next = test(condition, isWide: isWide, yes: next, no: otherwise)
        }
        return next
    }

    private mutating func test(
        _ condition: Condition, isWide: Bool, yes: Int, no: Int
    ) -> Int {
        let low = Self.arguments + 8 * condition.index
        let value = (
            low: UInt32(truncatingIfNeeded: condition.value),
            high: UInt32(truncatingIfNeeded: condition.value >> 32)
        )
        let mask = (
            low: UInt32(truncatingIfNeeded: condition.mask),
            high: UInt32(truncatingIfNeeded: condition.mask >> 32)
        )
        // The low words decide when the high words are equal.
        let lowTest =
            switch condition.op {
            case .equal, .maskedEqual: jumpAfterMask(mask.low, value.low, yes, no)
            case .notEqual: jump(.equal, value.low, no, yes)
            case .greater: jump(.greater, value.low, yes, no)
            case .greaterOrEqual: jump(.greaterOrEqual, value.low, yes, no)
            case .less: jump(.greaterOrEqual, value.low, no, yes)
            case .lessOrEqual: jump(.greater, value.low, no, yes)
            }
        let equal = load(low, then: lowTest)
        guard isWide else { return equal }
        let highTest: Int
        switch condition.op {
        case .equal, .maskedEqual: highTest = jumpAfterMask(mask.high, value.high, equal, no)
        case .notEqual: highTest = jump(.equal, value.high, equal, yes)
        case .greater, .greaterOrEqual:
            highTest = jump(.greater, value.high, yes, jump(.equal, value.high, equal, no))
        case .less, .lessOrEqual:
            highTest = jump(.greater, value.high, no, jump(.equal, value.high, equal, yes))
        }
        return load(low + 4, then: highTest)
    }

    private mutating func jumpAfterMask(
        _ mask: UInt32, _ value: UInt32, _ yes: Int, _ no: Int
    ) -> Int {
        let comparison = jump(.equal, value, yes, no)
        return mask == .max ? comparison : write(Instruction(code: 0x54, k: mask))
    }

    /// The program from start to end.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reversed.count * 8)
        for instruction in reversed.reversed() {
            bytes.append(UInt8(truncatingIfNeeded: instruction.code))
            bytes.append(UInt8(truncatingIfNeeded: instruction.code >> 8))
            bytes.append(instruction.jumpTrue)
            bytes.append(instruction.jumpFalse)
            for shift in [UInt32(0), 8, 16, 24] {
                bytes.append(UInt8(truncatingIfNeeded: instruction.k >> shift))
            }
        }
        return bytes
    }
}

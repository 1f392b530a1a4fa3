// A small interpreter of the classic BPF that seccomp filters are made of: it lets a test ask a
// program, ours or libseccomp's, what it does with a call.

struct Call {
    var number: UInt32
    var audit: UInt32
    var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

    func word(at offset: UInt32) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return audit
        case 8, 12: return 0
        default:
            let value = arguments[Int(offset - 16) / 8]
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? value : value >> 32)
        }
    }
}

struct BPF {
    private let code: [(op: UInt16, yes: UInt8, no: UInt8, k: UInt32)]

    init(_ bytes: [UInt8]) {
        var code: [(op: UInt16, yes: UInt8, no: UInt8, k: UInt32)] = []
        for at in stride(from: 0, to: bytes.count, by: 8) {
            var k: UInt32 = 0
            for byte in (4..<8).reversed() { k = k << 8 | UInt32(bytes[at + byte]) }
            code.append(
                (UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8, bytes[at + 2], bytes[at + 3], k))
        }
        self.code = code
    }

    var count: Int { code.count }

    /// The return value, and how many instructions it took; nil when the program is not sound.
    func run(_ call: Call) -> (value: UInt32, steps: Int)? {
        var accumulator: UInt32 = 0
        var at = 0
        var steps = 0
        while at < code.count {
            let (op, yes, no, k) = code[at]
            at += 1
            steps += 1
            switch op {
            case 0x20: accumulator = call.word(at: k)
            case 0x54: accumulator &= k
            case 0x05: at += Int(k)
            case 0x06: return (k, steps)
            case 0x15: at += Int(accumulator == k ? yes : no)
            case 0x25: at += Int(accumulator > k ? yes : no)
            case 0x35: at += Int(accumulator >= k ? yes : no)
            case 0x45: at += Int(accumulator & k != 0 ? yes : no)
            default: return nil
            }
        }
        return nil
    }
}

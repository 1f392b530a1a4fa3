// The wire format of Protocol Buffers, as far as CRIU's messages need it: a message is a list of
// fields, each a key (number and wire type) and a value. See protobuf.dev, "Encoding".

/// Writes one message, field by field.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// A number of any integer type, an enum or a bool; a negative one takes ten bytes.
    mutating func add(_ field: Int, integer value: Int64) {
        add(key: field, .integer)
        add(integer: UInt64(bitPattern: value))
    }

    mutating func add(_ field: Int, text: String) {
        add(field, bytes: Array(text.utf8))
    }

    mutating func add(_ field: Int, message: ProtobufWriter) {
        add(field, bytes: message.bytes)
    }

    private mutating func add(_ field: Int, bytes value: [UInt8]) {
        add(key: field, .bytes)
        add(integer: UInt64(value.count))
        bytes += value
    }

    private mutating func add(key field: Int, _ type: ProtobufType) {
        add(integer: UInt64(field) << 3 | type.rawValue)
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    private mutating func add(integer: UInt64) {
        var rest = integer
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// How a value is laid out.
enum ProtobufType: UInt64 {
    case integer = 0
    case eightBytes = 1
    case bytes = 2
    case fourBytes = 5
}

/// Why bytes are no message.
struct MalformedMessage: Error, Equatable {}

/// A message that was read; fields of a number that nobody asks for are allowed.
struct ProtobufMessage: Equatable {
    private enum Value: Equatable {
        case integer(UInt64)
        case bytes([UInt8])
    }

    private var fields: [(number: UInt64, value: Value)] = []

    static func == (first: Self, second: Self) -> Bool {
        guard first.fields.count == second.fields.count else { return false }
        for (one, other) in zip(first.fields, second.fields)
        where one.number != other.number || one.value != other.value {
            return false
        }
        return true
    }

    init(_ bytes: [UInt8]) throws(MalformedMessage) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let key = try Self.takeInteger(&rest)
            guard key >> 3 != 0, let type = ProtobufType(rawValue: key & 7) else {
                throw MalformedMessage()
            }
            let value: Value
            switch type {
            case .integer: value = .integer(try Self.takeInteger(&rest))
            case .bytes: value = .bytes(try Self.take(try Self.takeInteger(&rest), &rest))
            case .eightBytes: value = .bytes(try Self.take(8, &rest))
            case .fourBytes: value = .bytes(try Self.take(4, &rest))
            }
            fields.append((key >> 3, value))
        }
    }

    /// The last value of the field, as the format demands; nil where it is absent.
    func integer(_ field: Int) -> Int64? {
        for entry in fields.reversed() where entry.number == UInt64(field) {
            if case .integer(let value) = entry.value { return Int64(bitPattern: value) }
        }
        return nil
    }

    func text(_ field: Int) -> String? {
        bytes(field).map { String(decoding: $0, as: UTF8.self) }
    }

    func message(_ field: Int) throws(MalformedMessage) -> ProtobufMessage? {
        guard let bytes = bytes(field) else { return nil }
        return try ProtobufMessage(bytes)
    }

    private func bytes(_ field: Int) -> [UInt8]? {
        for entry in fields.reversed() where entry.number == UInt64(field) {
            if case .bytes(let value) = entry.value { return value }
        }
        return nil
    }

    private static func takeInteger(
        _ rest: inout ArraySlice<UInt8>
    ) throws(MalformedMessage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw MalformedMessage() }
            // The tenth byte has room for the 64th bit alone.
            guard shift < 63 || byte <= 1 else { throw MalformedMessage() }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw MalformedMessage()
    }

    private static func take(
        _ count: UInt64, _ rest: inout ArraySlice<UInt8>
    ) throws(MalformedMessage) -> [UInt8] {
        guard count <= UInt64(rest.count) else { throw MalformedMessage() }
        let value = Array(rest.prefix(Int(count)))
        rest.removeFirst(Int(count))
        return value
    }
}

/// Reads values from the little endian wire format; believes nothing a peer says of lengths.
package struct DBusReader {
    private let bytes: [UInt8]
    /// The next byte to read; alignment counts from the first.
    package private(set) var position: Int
    /// The end of what may be read.
    private let end: Int

    package init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
        self.end = bytes.count
    }

    package var isAtEnd: Bool { position == end }

    /// Reads the values of a signature, one after the other.
    package mutating func read(signature: String) throws(DBusError) -> [DBusValue] {
        var values: [DBusValue] = []
        for type in try Signature.split(signature) {
            values.append(try read(type: type, depth: 0))
        }
        return values
    }

    /// Skips padding, which must be zero.
    package mutating func align(to alignment: Int) throws(DBusError) {
        while position % alignment != 0 {
            guard try readByte() == 0 else { throw DBusError("padding that is not zero") }
        }
    }

    private mutating func read(type: String, depth: Int) throws(DBusError) -> DBusValue {
        guard depth <= DBusLimits.depth else { throw DBusError("values nested too deeply") }
        try align(to: Signature.alignment(of: type))
        switch type {
        case "y": return .byte(try readByte())
        case "b":
            let value: UInt32 = try readInteger()
            guard value <= 1 else { throw DBusError("a boolean of \(value)") }
            return .boolean(value == 1)
        case "n": return .int16(Int16(bitPattern: try readInteger()))
        case "q": return .uint16(try readInteger())
        case "i": return .int32(Int32(bitPattern: try readInteger()))
        case "u": return .uint32(try readInteger())
        case "x": return .int64(Int64(bitPattern: try readInteger()))
        case "t": return .uint64(try readInteger())
        case "d": return .double(Double(bitPattern: try readInteger()))
        case "h": return .unixFD(try readInteger())
        case "s": return .string(try readString())
        case "o": return .objectPath(try readString())
        case "g": return .signature(try readSignature())
        case "v": return try readVariant(depth: depth)
        default: return try readContainer(type: type, depth: depth)
        }
    }

    private mutating func readVariant(depth: Int) throws(DBusError) -> DBusValue {
        let signature = try readSignature()
        let types = try Signature.split(signature)
        guard types.count == 1 else { throw DBusError("a variant of type '\(signature)'") }
        return .variant(try read(type: types[0], depth: depth + 1))
    }

    private mutating func readContainer(type: String, depth: Int) throws(DBusError) -> DBusValue {
        switch type.utf8.first {
        case UInt8(ascii: "a"):
            return try readArray(of: Signature.element(of: type), depth: depth)
        case UInt8(ascii: "("):
            var members: [DBusValue] = []
            for member in try Signature.members(of: type) {
                members.append(try read(type: member, depth: depth + 1))
            }
            return .structure(members)
        default:
            let types = try Signature.members(of: type)
            guard types.count == 2 else { throw DBusError("an entry of type '\(type)'") }
            let key = try read(type: types[0], depth: depth + 1)
            return .entry(key, try read(type: types[1], depth: depth + 1))
        }
    }

    private mutating func readArray(
        of element: String, depth: Int
    ) throws(DBusError) -> DBusValue {
        let length: UInt32 = try readInteger()
        try align(to: Signature.alignment(of: element))
        guard Int(length) <= end - position else { throw DBusError("an array beyond the message") }
        let arrayEnd = position + Int(length)
        var items: [DBusValue] = []
        while position < arrayEnd {
            items.append(try read(type: element, depth: depth + 1))
        }
        guard position == arrayEnd else { throw DBusError("an array that ends within an element") }
        return .array(of: element, items)
    }

    private mutating func readByte() throws(DBusError) -> UInt8 {
        guard position < end else { throw DBusError("the message ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func readInteger<T: FixedWidthInteger>() throws(DBusError) -> T {
        let size = T.bitWidth / 8
        guard end - position >= size else { throw DBusError("the message ends too early") }
        var value: T = 0
        for byte in 0..<size {
            value |= T(truncatingIfNeeded: bytes[position + byte]) << T(8 * byte)
        }
        position += size
        return value
    }

    private mutating func readString() throws(DBusError) -> String {
        let length: UInt32 = try readInteger()
        return try readText(Int(length))
    }

    private mutating func readSignature() throws(DBusError) -> String {
        let length = try readByte()
        return try readText(Int(length))
    }

    /// Reads text that must be UTF-8 without NUL and must end with one.
    private mutating func readText(_ length: Int) throws(DBusError) -> String {
        guard end - position > length else { throw DBusError("a string beyond the message") }
        let slice = bytes[position..<(position + length)]
        guard bytes[position + length] == 0, !slice.contains(0) else {
            throw DBusError("a string that is not ended by its only NUL")
        }
        position += length + 1
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw DBusError("a string that is not UTF-8")
        }
        return text
    }
}

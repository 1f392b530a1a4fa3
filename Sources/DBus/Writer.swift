/// Writes values in the little endian wire format ("Marshaling" in the D-Bus specification).
package struct DBusWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func write(_ value: DBusValue) {
        align(to: Signature.alignment(of: value.type))
        switch value {
        case .byte(let value): bytes.append(value)
        case .boolean(let value): writeInteger(UInt32(value ? 1 : 0))
        case .int16(let value): writeInteger(UInt16(bitPattern: value))
        case .uint16(let value): writeInteger(value)
        case .int32(let value): writeInteger(UInt32(bitPattern: value))
        case .uint32(let value), .unixFD(let value): writeInteger(value)
        case .int64(let value): writeInteger(UInt64(bitPattern: value))
        case .uint64(let value): writeInteger(value)
        case .double(let value): writeInteger(value.bitPattern)
        case .string(let text), .objectPath(let text):
            writeInteger(UInt32(truncatingIfNeeded: text.utf8.count))
            bytes.append(contentsOf: Array(text.utf8))
            bytes.append(0)
        case .signature(let text): writeSignature(text)
        case .array(let element, let items): writeArray(items, of: element)
        case .structure(let members):
            for member in members { write(member) }
        case .entry(let key, let value):
            write(key)
            write(value)
        case .variant(let value):
            writeSignature(value.type)
            write(value)
        }
    }

    /// Adds zero bytes up to a multiple of `alignment`, counted from the start of the message.
    package mutating func align(to alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    private mutating func writeSignature(_ text: String) {
        bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
        bytes.append(contentsOf: Array(text.utf8))
        bytes.append(0)
    }

    /// The length counts the elements, not the padding before the first of them.
    private mutating func writeArray(_ items: [DBusValue], of element: String) {
        let lengthAt = bytes.count
        writeInteger(UInt32(0))
        align(to: Signature.alignment(of: element))
        let start = bytes.count
        for item in items { write(item) }
        let length = UInt32(truncatingIfNeeded: bytes.count - start)
        for byte in 0..<4 {
            bytes[lengthAt + byte] = UInt8(truncatingIfNeeded: length >> (8 * byte))
        }
    }

    private mutating func writeInteger(_ value: some FixedWidthInteger) {
        for byte in 0..<(value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte)))
        }
    }
}

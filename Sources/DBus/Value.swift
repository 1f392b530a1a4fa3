/// A value of the D-Bus type system ("Type System" in the D-Bus specification).
package indirect enum DBusValue: Equatable, Sendable {
    case byte(UInt8)
    case boolean(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(String)
    case signature(String)
    /// A handle: its place among the handles that travel with the message.
    case unixFD(UInt32)
    /// An array; the element's type is kept because an empty array has one too.
    case array(of: String, [DBusValue])
    case structure([DBusValue])
    /// A key and its value; only as the element of an array.
    case entry(DBusValue, DBusValue)
    case variant(DBusValue)

    /// The value's type as a signature: one complete type.
    package var type: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .unixFD: "h"
        case .array(let element, _): "a" + element
        case .structure(let members): "(" + DBusValue.signature(of: members) + ")"
        case .entry(let key, let value): "{" + key.type + value.type + "}"
        case .variant: "v"
        }
    }

    /// The signature of several values in a row, as a message's body has.
    package static func signature(of values: [DBusValue]) -> String {
        var text = ""
        for value in values { text += value.type }
        return text
    }

    /// An array of strings, `as`.
    package static func strings(_ values: [String]) -> DBusValue {
        var items: [DBusValue] = []
        for value in values { items.append(.string(value)) }
        return .array(of: "s", items)
    }

    /// An array of bytes, `ay`.
    package static func bytes(_ values: [UInt8]) -> DBusValue {
        var items: [DBusValue] = []
        for value in values { items.append(.byte(value)) }
        return .array(of: "y", items)
    }

    /// The text of a string, an object path or a signature.
    package var text: String? {
        switch self {
        case .string(let text), .objectPath(let text), .signature(let text): text
        default: nil
        }
    }
}

/// What is wrong with a message, an address or a text that was read.
package struct DBusError: Error, Equatable {
    package let message: String

    package init(_ message: String) {
        self.message = message
    }
}

/// Bounds put on what a peer sends; stricter than the protocol's own (128 MiB, 64 levels).
package enum DBusLimits {
    /// Bytes of a whole message.
    package static let message = 4 << 20
    /// Containers within containers, variants counted.
    package static let depth = 32
    /// Bytes of a signature (the protocol's own limit).
    package static let signature = 255
}

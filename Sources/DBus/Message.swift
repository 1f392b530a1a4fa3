/// A D-Bus message ("Message Format" in the D-Bus specification).
package struct DBusMessage: Equatable {
    package enum Kind: UInt8 {
        case methodCall = 1
        case methodReturn = 2
        case error = 3
        case signal = 4
    }

    package var kind: Kind
    package var flags: UInt8 = 0
    /// Chosen by the sender, never 0.
    package var serial: UInt32
    package var path: String?
    package var interface: String?
    package var member: String?
    package var errorName: String?
    package var replySerial: UInt32?
    package var destination: String?
    package var sender: String?
    package var body: [DBusValue] = []

    package init(kind: Kind, serial: UInt32) {
        self.kind = kind
        self.serial = serial
    }

    /// A call that expects a reply.
    package static func call(
        _ member: String, on path: String, interface: String, of destination: String,
        serial: UInt32, body: [DBusValue] = []
    ) -> DBusMessage {
        var message = DBusMessage(kind: .methodCall, serial: serial)
        message.path = path
        message.interface = interface
        message.member = member
        message.destination = destination
        message.body = body
        return message
    }

    /// Bytes of the fixed part of a message, enough to know its length.
    package static let fixedSize = 16

    /// The header fields, by their codes.
    private enum Field: UInt8 {
        case path = 1
        case interface, member, errorName, replySerial, destination, sender, signature
    }

    package func encoded() -> [UInt8] {
        var body = DBusWriter()
        for value in self.body { body.write(value) }
        let signature = DBusValue.signature(of: self.body)

        var fields: [DBusValue] = []
        func add(_ field: Field, _ value: DBusValue?) {
            guard let value else { return }
            fields.append(.structure([.byte(field.rawValue), .variant(value)]))
        }
        add(.path, path.map { .objectPath($0) })
        add(.interface, interface.map { .string($0) })
        add(.member, member.map { .string($0) })
        add(.errorName, errorName.map { .string($0) })
        add(.replySerial, replySerial.map { .uint32($0) })
        add(.destination, destination.map { .string($0) })
        add(.sender, sender.map { .string($0) })
        add(.signature, signature.isEmpty ? nil : .signature(signature))

        var writer = DBusWriter()
        writer.write(.byte(UInt8(ascii: "l")))
        writer.write(.byte(kind.rawValue))
        writer.write(.byte(flags))
        writer.write(.byte(1))  // protocol version
        writer.write(.uint32(UInt32(truncatingIfNeeded: body.bytes.count)))
        writer.write(.uint32(serial))
        writer.write(.array(of: "(yv)", fields))
        writer.align(to: 8)
        return writer.bytes + body.bytes
    }

    /// The length in bytes of the message that starts with these `fixedSize` bytes.
    ///
    /// - Throws: `DBusError` for a big endian message, another protocol version or a message
    ///   larger than `DBusLimits.message`.
    package static func length(fixedPart: [UInt8]) throws(DBusError) -> Int {
        guard fixedPart.count >= fixedSize else { throw DBusError("the message ends too early") }
        guard fixedPart[0] == UInt8(ascii: "l") else {
            throw DBusError("a message that is not little endian")
        }
        guard fixedPart[3] == 1 else { throw DBusError("protocol version \(fixedPart[3])") }
        func integer(at offset: Int) -> Int {
            var value = 0
            for byte in 0..<4 { value |= Int(fixedPart[offset + byte]) << (8 * byte) }
            return value
        }
        let header = fixedSize + integer(at: 12)
        let length = (header + 7) / 8 * 8 + integer(at: 4)
        guard length <= DBusLimits.message else { throw DBusError("a message of \(length) bytes") }
        return length
    }

    /// Reads one whole message.
    package static func decode(_ bytes: [UInt8]) throws(DBusError) -> DBusMessage {
        guard try length(fixedPart: bytes) == bytes.count else {
            throw DBusError("a message of another length than it says")
        }
        guard let kind = Kind(rawValue: bytes[1]) else {
            throw DBusError("message type \(bytes[1])")
        }
        var reader = DBusReader(bytes)
        let head = try reader.read(signature: "yyyyuua(yv)")
        try reader.align(to: 8)
        guard case .uint32(let serial) = head[5], case .array(_, let fields) = head[6] else {
            throw DBusError("a damaged header")
        }
        var message = DBusMessage(kind: kind, serial: serial)
        message.flags = bytes[2]
        var signature = ""
        for field in fields { try message.take(field, signature: &signature) }
        message.body = try reader.read(signature: signature)
        guard reader.isAtEnd else { throw DBusError("bytes after the body") }
        return message
    }

    /// Takes over a header field; unknown ones are ignored, as the protocol demands.
    private mutating func take(
        _ field: DBusValue, signature: inout String
    ) throws(DBusError) {
        guard case .structure(let pair) = field, pair.count == 2, case .byte(let code) = pair[0],
            case .variant(let value) = pair[1]
        else { throw DBusError("a damaged header field") }
        guard let field = Field(rawValue: code) else { return }
        switch (field, value) {
        case (.path, .objectPath(let text)): path = text
        case (.interface, .string(let text)): interface = text
        case (.member, .string(let text)): member = text
        case (.errorName, .string(let text)): errorName = text
        case (.replySerial, .uint32(let serial)): replySerial = serial
        case (.destination, .string(let text)): destination = text
        case (.sender, .string(let text)): sender = text
        case (.signature, .signature(let text)): signature = text
        default: throw DBusError("header field \(code) of type '\(value.type)'")
        }
    }
}

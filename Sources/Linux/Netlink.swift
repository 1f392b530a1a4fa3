internal import CLinux

/// A message of rtnetlink(7): its head, a fixed part, and attributes.
struct NetlinkMessage: Equatable {
    var type: UInt16
    var flags: UInt16
    /// What follows the head, in the machine's order (little-endian, all of them).
    private(set) var body: [UInt8] = []

    static let headSize = 16

    init(_ type: UInt16, _ flags: UInt16, body: [UInt8]) {
        self.type = type
        self.flags = flags
        self.body = body
    }

    /// Adds an attribute; each begins at a multiple of four bytes.
    mutating func add(_ type: UInt16, _ value: [UInt8]) {
        pad()
        body += littleEndian(UInt16(value.count + 4)) + littleEndian(type) + value
        pad()
    }

    mutating func add(_ type: UInt16, text: String) {
        add(type, Array(text.utf8) + [0])
    }

    private mutating func pad() {
        while !body.count.isMultiple(of: 4) { body.append(0) }
    }

    /// The whole message; `sequence` comes back with the answer.
    func encoded(sequence: UInt32) -> [UInt8] {
        littleEndian(UInt32(Self.headSize + body.count)) + littleEndian(type)
            + littleEndian(flags) + littleEndian(sequence) + littleEndian(UInt32(0)) + body
    }

    /// The messages of one datagram with this sequence number; EBADMSG where it is none.
    static func read(_ bytes: [UInt8], sequence: UInt32) throws(Errno) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = bytes[...]
        while rest.count >= headSize {
            let size = Int(number(rest, 0, 4))
            guard size >= headSize, size <= rest.count else { throw .ebadmsg }
            if number(rest, 8, 4) == UInt64(sequence) {
                let start = rest.startIndex
                messages.append(
                    NetlinkMessage(
                        UInt16(number(rest, 4, 2)), UInt16(number(rest, 6, 2)),
                        body: Array(rest[(start + headSize)..<(start + size)])))
            }
            rest = rest.dropFirst(size + (4 - size % 4) % 4)
        }
        return messages
    }

    /// The number of `size` bytes at `offset` of the body; 0 beyond its end.
    func number(at offset: Int, size: Int) -> UInt64 {
        Self.number(body[...], offset, size)
    }

    /// The attributes after a fixed part of `offset` bytes.
    func attributes(from offset: Int) -> [(type: UInt16, value: [UInt8])] {
        var attributes: [(type: UInt16, value: [UInt8])] = []
        var rest = body.dropFirst(offset)
        while rest.count >= 4 {
            let size = Int(Self.number(rest, 0, 2))
            guard size >= 4, size <= rest.count else { break }
            // The upper bits say how the value is made up.
            let type = UInt16(Self.number(rest, 2, 2)) & 0x3fff
            attributes.append((type, Array(rest.dropFirst(4).prefix(size - 4))))
            rest = rest.dropFirst(size + (4 - size % 4) % 4)
        }
        return attributes
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ size: Int) -> UInt64 {
        guard offset + size <= bytes.count else { return 0 }
        var value: UInt64 = 0
        for index in 0..<size {
            value |= UInt64(bytes[bytes.startIndex + offset + index]) << (8 * UInt64(index))
        }
        return value
    }
}

/// The bytes of a number, the lowest first.
func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    var bytes: [UInt8] = []
    for index in 0..<value.bitWidth / 8 {
        bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index)))
    }
    return bytes
}

/// A socket to the network stack of one network namespace: the one it was opened in.
struct NetlinkSocket: ~Copyable {
    private let handle: FileDescriptor
    private var sequence: UInt32 = 0

    private static let error: UInt16 = 2
    private static let done: UInt16 = 3
    static let request: UInt16 = 1
    static let acknowledge: UInt16 = 4
    static let dump: UInt16 = 0x300

    init() throws(Errno) {
        handle = FileDescriptor(owning: try check(apus_netlink()))
    }

    /// Asks, and returns what comes up to the acknowledgement or the end of the list.
    ///
    /// Throws what the kernel answers.
    mutating func ask(_ message: NetlinkMessage) throws(Errno) -> [NetlinkMessage] {
        sequence += 1
        var message = message
        message.flags |= Self.request | Self.acknowledge
        _ = try handle.send(message.encoded(sequence: sequence))
        var answers: [NetlinkMessage] = []
        while true {
            // The kernel fills at most 32 KiB of a list at a time.
            let received = try handle.receive(limit: 1 << 16)
            guard !received.isTruncated else { throw .emsgsize }
            for answer in try NetlinkMessage.read(received.bytes, sequence: sequence) {
                switch answer.type {
                case Self.done: return answers
                case Self.error:
                    let code = Int32(truncatingIfNeeded: answer.number(at: 0, size: 4))
                    guard code == 0 else { throw Errno(-code) }
                    return answers
                default: answers.append(answer)
                }
            }
        }
    }
}

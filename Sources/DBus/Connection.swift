/// Where a bus listens: one transport of a D-Bus address.
package enum DBusAddress: Equatable {
    case path(String)
    /// A name in the kernel's abstract socket namespace, without the leading NUL.
    case abstract(String)

    /// Parses an address list such as `unix:path=/run/user/0/bus;unix:abstract=x,guid=...`.
    ///
    /// Transports other than Unix sockets are skipped: the list is in order of preference and any
    /// of it will do.
    package static func parse(_ list: String) throws(DBusError) -> [DBusAddress] {
        var addresses: [DBusAddress] = []
        for entry in list.utf8.split(separator: UInt8(ascii: ";")) {
            let colon = entry.firstIndex(of: UInt8(ascii: ":"))
            guard let colon else { throw DBusError("the bus address '\(list)' has no transport") }
            guard entry[..<colon].elementsEqual("unix".utf8) else { continue }
            let options = entry[entry.index(after: colon)...]
            for option in options.split(separator: UInt8(ascii: ",")) {
                let parts = option.split(separator: UInt8(ascii: "="), maxSplits: 1)
                guard parts.count == 2 else { continue }
                if parts[0].elementsEqual("path".utf8) {
                    addresses.append(.path(try unescape(Array(parts[1]))))
                } else if parts[0].elementsEqual("abstract".utf8) {
                    addresses.append(.abstract(try unescape(Array(parts[1]))))
                }
            }
        }
        guard !addresses.isEmpty else {
            throw DBusError("the bus address '\(list)' names no Unix socket")
        }
        return addresses
    }

    /// Replaces `%XX` by the byte it stands for.
    private static func unescape(_ text: [UInt8]) throws(DBusError) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "%") else {
                bytes.append(text[index])
                index += 1
                continue
            }
            guard index + 2 < text.count, let high = Hex.digit(text[index + 1]),
                let low = Hex.digit(text[index + 2])
            else { throw DBusError("a bus address with a broken escape") }
            bytes.append(high << 4 | low)
            index += 3
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What is said before the first message ("Authentication Protocol" in the specification).
package enum DBusGreeting {
    /// The first bytes: a NUL, and that the caller is `uid` as the socket's credentials prove.
    package static func request(uid: UInt32) -> [UInt8] {
        [0] + Array("AUTH EXTERNAL \(Hex.text(Array("\(uid)".utf8)))\r\n".utf8)
    }

    /// Ends the greeting; messages follow.
    package static let begin: [UInt8] = Array("BEGIN\r\n".utf8)

    /// Checks the bus's answer, a line without its end.
    package static func check(answer: String) throws(DBusError) {
        guard answer.utf8.starts(with: "OK ".utf8) else {
            throw DBusError("the bus refused the caller's identity: \(answer)")
        }
    }
}

enum Hex {
    private static let digits: [UInt8] = Array("0123456789abcdef".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// What stopped the scanner, at a byte of the text.
struct ScanError: Error {
    var offset: Int
    var message: String
}

/// Checks a text once from front to back and notes every value on a flat list.
struct Scanner {
    private let bytes: [UInt8]
    private var offset = 0
    private(set) var nodes: [Node] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        nodes.reserveCapacity(bytes.count / 16 + 8)
    }

    mutating func scanDocument() throws(ScanError) {
        skipBlanks()
        try scanValue(depth: 0)
        skipBlanks()
        guard offset == bytes.count else { throw error("unexpected text after the value") }
    }

    private func error(_ message: String, at place: Int? = nil) -> ScanError {
        ScanError(offset: place ?? offset, message: message)
    }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    // MARK: Values

    private mutating func scanValue(depth: Int) throws(ScanError) {
        guard offset < bytes.count else { throw error("expected a value, found the end") }
        switch bytes[offset] {
        case UInt8(ascii: "\""): try scanString()
        case UInt8(ascii: "{"): try scanObject(depth: depth + 1)
        case UInt8(ascii: "["): try scanArray(depth: depth + 1)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber()
        case UInt8(ascii: "t"): try scanWord("true", .true)
        case UInt8(ascii: "f"): try scanWord("false", .false)
        case UInt8(ascii: "n"): try scanWord("null", .null)
        default: throw error("expected a value, found \(found)")
        }
    }

    /// The byte here in words.
    private var found: String {
        guard offset < bytes.count else { return "the end" }
        let byte = bytes[offset]
        guard byte > 0x20, byte < 0x7F else { return "byte \(byte)" }
        return "'\(Character(Unicode.Scalar(byte)))'"
    }

    /// Opens a node at the current byte; `close` completes it.
    private mutating func open(_ kind: Kind) -> Int {
        nodes.append(Node(start: UInt32(offset), end: 0, next: 0, kind: kind))
        return nodes.count - 1
    }

    private mutating func close(_ index: Int, count: Int = 0) {
        nodes[index].end = UInt32(offset)
        nodes[index].next = UInt32(nodes.count)
        nodes[index].count = UInt32(count)
    }

    private mutating func scanWord(_ word: StaticString, _ kind: Kind) throws(ScanError) {
        let node = open(kind)
        for index in 0..<word.utf8CodeUnitCount {
            guard offset < bytes.count, unsafe bytes[offset] == word.utf8Start[index] else {
                throw error("expected \(word.description)", at: Int(nodes[node].start))
            }
            offset += 1
        }
        close(node)
    }

    private mutating func scanArray(depth: Int) throws(ScanError) {
        guard depth <= JSON.maximumDepth else { throw error("more than 64 levels deep") }
        let node = open(.array)
        var count = 0
        offset += 1
        skipBlanks()
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "]") {
            offset += 1
            return close(node)
        }
        while true {
            skipBlanks()
            try scanValue(depth: depth)
            count += 1
            skipBlanks()
            if try !scanSeparator(closing: UInt8(ascii: "]")) { break }
        }
        close(node, count: count)
    }

    private mutating func scanObject(depth: Int) throws(ScanError) {
        guard depth <= JSON.maximumDepth else { throw error("more than 64 levels deep") }
        let node = open(.object)
        var count = 0
        offset += 1
        skipBlanks()
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "}") {
            offset += 1
            return close(node)
        }
        while true {
            skipBlanks()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
                throw error("expected a key in quotes, found \(found)")
            }
            try scanString()
            skipBlanks()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else {
                throw error("expected ':', found \(found)")
            }
            offset += 1
            skipBlanks()
            try scanValue(depth: depth)
            count += 1
            skipBlanks()
            if try !scanSeparator(closing: UInt8(ascii: "}")) { break }
        }
        close(node, count: count)
        if let key = Keys(of: node, nodes: nodes, bytes: bytes).duplicate {
            throw error("duplicate key", at: Int(nodes[key].start) - 1)
        }
    }

    /// Reads a comma (true) or the closing bracket (false).
    private mutating func scanSeparator(closing: UInt8) throws(ScanError) -> Bool {
        guard offset < bytes.count,
            bytes[offset] == UInt8(ascii: ",") || bytes[offset] == closing
        else {
            throw error("expected ',' or '\(Character(Unicode.Scalar(closing)))', found \(found)")
        }
        offset += 1
        return bytes[offset - 1] != closing
    }

    // MARK: Numbers

    private mutating func scanNumber() throws(ScanError) {
        let node = open(.number)
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "0") {
            offset += 1
            if isDigit { throw error("a number must not begin with 0") }
        } else {
            try scanDigits()
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try scanDigits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < bytes.count,
                bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-")
            {
                offset += 1
            }
            try scanDigits()
        }
        close(node)
    }

    private var isDigit: Bool {
        offset < bytes.count && bytes[offset] >= UInt8(ascii: "0")
            && bytes[offset] <= UInt8(ascii: "9")
    }

    private mutating func scanDigits() throws(ScanError) {
        guard isDigit else { throw error("expected a digit, found \(found)") }
        while isDigit { offset += 1 }
    }

    // MARK: Strings

    private mutating func scanString() throws(ScanError) {
        offset += 1
        let node = open(.string)
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                close(node)
                offset += 1
                return
            } else if byte == UInt8(ascii: "\\") {
                nodes[node].hasEscapes = true
                try scanEscape()
            } else if byte < 0x20 {
                throw error("a control character in a string must be escaped, found \(found)")
            } else if byte < 0x80 {
                offset += 1
            } else {
                guard let length = UTF8Sequence.length(at: offset, of: bytes) else {
                    throw error("not valid UTF-8")
                }
                offset += length
            }
        }
        throw error("a string has no end", at: Int(nodes[node].start) - 1)
    }

    private mutating func scanEscape() throws(ScanError) {
        let start = offset
        offset += 1
        guard offset < bytes.count else { throw error("a string has no end") }
        switch bytes[offset] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 1
        case UInt8(ascii: "u"):
            offset += 1
            let unit = try scanHex()
            guard unit != 0 else { throw error("\\u0000 is not accepted", at: start) }
            guard unit >= 0xD800, unit < 0xE000 else { return }
            // A character beyond 16 bits is written as two halves; neither means anything alone.
            guard unit < 0xDC00, offset + 1 < bytes.count,
                bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
            else { throw error("half of a surrogate pair", at: start) }
            offset += 2
            let second = try scanHex()
            guard second >= 0xDC00, second < 0xE000 else {
                throw error("half of a surrogate pair", at: start)
            }
        default: throw error("unknown escape", at: start)
        }
    }

    private mutating func scanHex() throws(ScanError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard offset < bytes.count, let digit = hexDigit(bytes[offset]) else {
                throw error("expected four hexadecimal digits after \\u")
            }
            unit = unit << 4 | digit
            offset += 1
        }
        return unit
    }
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
}

enum UTF8Sequence {
    /// The length of the well-formed sequence of two to four bytes here: Unicode, table 3-7.
    static func length(at offset: Int, of bytes: [UInt8]) -> Int? {
        let lead = bytes[offset]
        var second: ClosedRange<UInt8> = 0x80...0xBF
        let length: Int
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return nil
        }
        guard offset + length <= bytes.count, second.contains(bytes[offset + 1]) else {
            return nil
        }
        for index in (offset + 2)..<(offset + length) where bytes[index] & 0xC0 != 0x80 {
            return nil
        }
        return length
    }
}

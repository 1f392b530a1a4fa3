/// Prints JSON, on one line or indented with two spaces a level.
///
/// The caller's order of calls is the order of the text, so equal calls give equal bytes.
package struct JSONWriter {
    private var bytes: [UInt8] = []
    private let isIndented: Bool
    private var depth = 0
    /// Whether something stands before the next value or key on its level.
    private var needsComma = false
    private var isAfterKey = false

    package init(indented: Bool = false) {
        isIndented = indented
    }

    /// The text; indented text ends with a newline.
    package func finish() -> [UInt8] {
        isIndented ? bytes + [UInt8(ascii: "\n")] : bytes
    }

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    package mutating func key(_ name: StaticString) { key(name.description) }

    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if isIndented { bytes.append(UInt8(ascii: " ")) }
        isAfterKey = true
    }

    package mutating func string(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    package mutating func bool(_ value: Bool) { plain(value ? "true" : "false") }

    package mutating func null() { plain("null") }

    package mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        // The digits come last first; every integer of 64 bits has at most 20.
        var digits: [UInt8] = []
        var rest = UInt64(value.magnitude)
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        if value < 0 { digits.append(UInt8(ascii: "-")) }
        bytes += digits.reversed()
        needsComma = true
    }

    /// Puts a finished JSON text in the place of a value.
    package mutating func raw(_ text: [UInt8]) {
        separate()
        bytes += text
        needsComma = true
    }

    private mutating func plain(_ word: String) {
        separate()
        bytes += word.utf8
        needsComma = true
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        depth -= 1
        if needsComma { breakLine() }
        bytes.append(bracket)
        needsComma = true
    }

    /// Ends what stands before, unless that is the key of the value to come.
    private mutating func separate() {
        if isAfterKey {
            isAfterKey = false
            return
        }
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if depth > 0 { breakLine() }
        needsComma = false
    }

    private mutating func breakLine() {
        guard isIndented else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes += [UInt8(ascii: " "), UInt8(ascii: " ")] }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if Self.isPlain(text) {
            bytes += text.utf8
        } else {
            escape(text)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether nothing in a text needs an escape.
    private static func isPlain(_ text: String) -> Bool {
        for byte in text.utf8 {
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                || byte == 0x7F
            {
                return false
            }
        }
        return true
    }

    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0x0D: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 0x09: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case 0..<0x20, 0x7F:
                bytes += "\\u00".utf8
                bytes += [Self.hexadecimal[Int(byte >> 4)], Self.hexadecimal[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
    }

    private static let hexadecimal: [UInt8] = Array("0123456789abcdef".utf8)
}

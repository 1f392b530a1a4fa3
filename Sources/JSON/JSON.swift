/// Reading JSON text: RFC 8259, strictly, with the places of everything.
///
/// The whole text is checked before anything of it can be seen: its size, depth, UTF-8,
/// duplicate keys, and that nothing follows the value. Strings with a NUL are refused, since no
/// C interface could receive them whole.
package enum JSON {
    /// The largest text that is read, in bytes.
    package static let maximumSize = 8 << 20
    /// How deep arrays and objects may stand in one another.
    package static let maximumDepth = 64

    /// Reads one value that makes up the whole text.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> Value {
        guard bytes.count <= maximumSize else {
            throw JSONError(line: 1, column: 1, message: "larger than \(maximumSize) bytes")
        }
        var scanner = Scanner(bytes)
        do throws(ScanError) {
            try scanner.scanDocument()
        } catch {
            throw JSONError(at: error.offset, of: bytes, error.message)
        }
        return Value(document: Document(bytes: bytes, nodes: scanner.nodes), index: 0)
    }
}

/// A text that is not the JSON we accept, and where.
///
/// It prints as `line 3, column 7: expected a value`.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Counted from 1.
    package var line: Int
    /// Counted from 1, in characters (Unicode scalars).
    package var column: Int
    package var message: String

    package var description: String { "line \(line), column \(column): \(message)" }

    init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    init(at offset: Int, of bytes: [UInt8], _ message: String) {
        let place = Place(of: offset, in: bytes)
        self.init(line: place.line, column: place.column, message: message)
    }
}

/// A line and a column of a text, both counted from 1.
struct Place {
    var line = 1
    var column = 1

    init(of offset: Int, in bytes: [UInt8]) {
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
    }
}

/// What a byte sequence of the text is.
enum Kind: UInt8 {
    case null, `false`, `true`, number, string, array, object
}

/// One value, or one key, of the text.
///
/// An object's members follow it as key, value, key, value.
struct Node {
    /// The first byte of the value; of a string the one after the quote.
    var start: UInt32
    /// The byte after the value; of a string its closing quote.
    var end: UInt32
    /// The node after this one and everything in it.
    var next: UInt32
    /// How many elements an array has, or members an object.
    var count: UInt32 = 0
    var kind: Kind
    /// Whether a string has escapes to be undone.
    var hasEscapes = false
}

/// A checked text, shared by all values that look into it.
final class Document {
    let bytes: [UInt8]
    let nodes: [Node]

    init(bytes: [UInt8], nodes: [Node]) {
        self.bytes = bytes
        self.nodes = nodes
    }
}

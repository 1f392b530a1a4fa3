/// Reads values in GVariant's text form ("GVariant Text Format" of GLib), as the annotations
/// `org.systemd.property.NAME` are written.
///
/// What a unit property can need is read: booleans, numbers, strings, byte strings, arrays,
/// dictionaries, tuples, variants, type keywords (`uint64 5`) and annotations (`@as []`).
/// Maybe types and positional parameters are not.
package struct VariantText {
    private let text: [UInt8]
    private var position = 0

    /// - Throws: `DBusError` for text out of the format, or a number its type cannot hold.
    package static func parse(_ text: String) throws(DBusError) -> DBusValue {
        var reader = VariantText(text: Array(text.utf8))
        let value = try reader.value(type: nil, depth: 0)
        reader.skipBlanks()
        guard reader.position == reader.text.count else {
            throw DBusError("'\(text)' goes on after its value")
        }
        return value
    }

    private init(text: [UInt8]) {
        self.text = text
    }

    private static let keywords: [(word: String, type: String)] = [
        ("boolean", "b"), ("byte", "y"), ("int16", "n"), ("uint16", "q"), ("int32", "i"),
        ("uint32", "u"), ("handle", "h"), ("int64", "x"), ("uint64", "t"), ("double", "d"),
        ("string", "s"), ("objectpath", "o"), ("signature", "g"),
    ]

    /// - Parameter type: what the value must be; nil where it says so itself.
    private mutating func value(type: String?, depth: Int) throws(DBusError) -> DBusValue {
        guard depth <= DBusLimits.depth else { throw DBusError("values nested too deeply") }
        skipBlanks()
        switch peek {
        case UInt8(ascii: "["): return try array(type: type, depth: depth)
        case UInt8(ascii: "("): return try tuple(type: type, depth: depth)
        case UInt8(ascii: "{"): return try dictionary(type: type, depth: depth)
        case UInt8(ascii: "<"):
            position += 1
            let inner = try value(type: nil, depth: depth + 1)
            try expect(">")
            return .variant(inner)
        case UInt8(ascii: "@"):
            position += 1
            let types = try Signature.split(word())
            guard types.count == 1 else { throw unexpected() }
            return try value(type: types[0], depth: depth + 1)
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            return try string(quoted(), type: type ?? "s")
        case UInt8(ascii: "b") where peek(1) == UInt8(ascii: "'") || peek(1) == UInt8(ascii: "\""):
            position += 1
            // A byte string ends with a NUL.
            return .bytes(Array(try quoted().utf8) + [0])
        default: return try scalar(type: type, depth: depth)
        }
    }

    private mutating func scalar(type: String?, depth: Int) throws(DBusError) -> DBusValue {
        let word = self.word()
        for keyword in Self.keywords where keyword.word == word {
            return try value(type: keyword.type, depth: depth + 1)
        }
        if word == "true" || word == "false" {
            guard type == nil || type == "b" else { throw unexpected() }
            return .boolean(word == "true")
        }
        guard let number = DecimalNumber(word) else { throw unexpected() }
        guard let value = number.value(type: type ?? (number.isWhole ? "i" : "d")) else {
            throw DBusError("\(word) does not fit its type")
        }
        return value
    }

    private func string(_ text: String, type: String) throws(DBusError) -> DBusValue {
        switch type {
        case "s": return .string(text)
        case "o": return .objectPath(text)
        case "g": return .signature(text)
        default: throw DBusError("the string '\(text)' where a value of type '\(type)' was due")
        }
    }

    // MARK: - Containers

    private mutating func array(type: String?, depth: Int) throws(DBusError) -> DBusValue {
        var element = try type.map { (type) throws(DBusError) in
            guard type.utf8.first == UInt8(ascii: "a") else {
                throw DBusError("an array where a value of type '\(type)' was due")
            }
            return Signature.element(of: type)
        }
        let items = try list(from: "[", to: "]") { (reader) throws(DBusError) in
            let item = try reader.value(type: element, depth: depth + 1)
            if element == nil { element = item.type }
            guard item.type == element else { throw DBusError("an array of several types") }
            return item
        }
        guard let element else { throw DBusError("an empty array needs its type, as in '@as []'") }
        return .array(of: element, items)
    }

    private mutating func tuple(type: String?, depth: Int) throws(DBusError) -> DBusValue {
        var types: [String]?
        if let type {
            guard type.utf8.first == UInt8(ascii: "(") else {
                throw DBusError("a tuple where a value of type '\(type)' was due")
            }
            types = try Signature.members(of: type)
        }
        var count = 0
        let members = try list(from: "(", to: ")") { (reader) throws(DBusError) in
            if let types, count >= types.count { throw DBusError("a tuple with too many members") }
            let member = try reader.value(type: types?[count], depth: depth + 1)
            count += 1
            return member
        }
        guard !members.isEmpty, types == nil || types?.count == count else {
            throw DBusError("a tuple with too few members")
        }
        return .structure(members)
    }

    private mutating func dictionary(type: String?, depth: Int) throws(DBusError) -> DBusValue {
        var types: [String] = []
        if let type {
            guard type.utf8.starts(with: "a{".utf8) else {
                throw DBusError("a dictionary where a value of type '\(type)' was due")
            }
            types = try Signature.members(of: Signature.element(of: type))
        }
        let entries = try list(from: "{", to: "}") { (reader) throws(DBusError) in
            let key = try reader.value(type: types.first, depth: depth + 1)
            try reader.expect(":")
            let value = try reader.value(type: types.last, depth: depth + 1)
            if types.isEmpty { types = [key.type, value.type] }
            guard [key.type, value.type] == types else {
                throw DBusError("a dictionary of several types")
            }
            return .entry(key, value)
        }
        guard types.count == 2 else { throw DBusError("an empty dictionary needs its type") }
        return .array(of: "{" + types[0] + types[1] + "}", entries)
    }

    /// Items between brackets, with commas between them and perhaps one at the end.
    private mutating func list(
        from opening: String, to closing: String,
        _ item: (inout VariantText) throws(DBusError) -> DBusValue
    ) throws(DBusError) -> [DBusValue] {
        try expect(opening)
        var items: [DBusValue] = []
        while !take(closing) {
            if !items.isEmpty {
                try expect(",")
                if take(closing) { break }
            }
            items.append(try item(&self))
        }
        return items
    }

    // MARK: - Characters

    private var peek: UInt8 { peek(0) }

    private func peek(_ ahead: Int) -> UInt8 {
        position + ahead < text.count ? text[position + ahead] : 0
    }

    private mutating func skipBlanks() {
        while [0x20, 0x09, 0x0A].contains(peek), position < text.count { position += 1 }
    }

    private mutating func take(_ character: String) -> Bool {
        skipBlanks()
        guard position < text.count, peek == character.utf8.first else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: String) throws(DBusError) {
        guard take(character) else { throw unexpected() }
    }

    /// Characters up to a blank or a separator.
    private mutating func word() -> String {
        skipBlanks()
        let start = position
        let isType = start > 0 && text[start - 1] == UInt8(ascii: "@")
        let separators = Array((isType ? " \t\n[" : " \t\n,:]})>").utf8)
        while position < text.count, !separators.contains(peek) { position += 1 }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    private mutating func quoted() throws(DBusError) -> String {
        let quote = peek
        position += 1
        var bytes: [UInt8] = []
        while position < text.count, peek != quote {
            var byte = peek
            position += 1
            if byte == UInt8(ascii: "\\") {
                switch peek {
                case UInt8(ascii: "n"): byte = 0x0A
                case UInt8(ascii: "t"): byte = 0x09
                case UInt8(ascii: "r"): byte = 0x0D
                case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): byte = peek
                default: throw DBusError("a string with an unknown escape")
                }
                position += 1
            }
            bytes.append(byte)
        }
        guard position < text.count else { throw DBusError("a string without an end") }
        position += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    private func unexpected() -> DBusError {
        let all = String(decoding: text, as: UTF8.self)
        return DBusError("'\(all)' is no value of a unit property (at character \(position + 1))")
    }
}

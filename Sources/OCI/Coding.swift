package import JSON

// How the plain values of a configuration are read and written.

extension String: Coded {
    package init(reading value: JSON.Value) throws(ConfigError) {
        guard let string = value.string else { throw ConfigError(value, expected: "a string") }
        self = string
    }

    package func write(to writer: inout JSONWriter) { writer.string(self) }

    package var isDefault: Bool { isEmpty }
}

extension Bool: Coded {
    package init(reading value: JSON.Value) throws(ConfigError) {
        guard let bool = value.bool else { throw ConfigError(value, expected: "true or false") }
        self = bool
    }

    package func write(to writer: inout JSONWriter) { writer.bool(self) }

    package var isDefault: Bool { !self }
}

/// An integer of the configuration: exact, and within the range of its type.
package protocol CodedInteger: Coded, FixedWidthInteger {}

extension CodedInteger {
    package init(reading value: JSON.Value) throws(ConfigError) {
        guard value.isNumber else { throw ConfigError(value, expected: "an integer") }
        guard let integer = value.integer(as: Self.self) else {
            guard value.isIntegral else {
                throw ConfigError(value, "expected an integer, found \(value.text)")
            }
            throw ConfigError(value, "\(value.text) is outside \(Self.min) to \(Self.max)")
        }
        self = integer
    }

    package func write(to writer: inout JSONWriter) { writer.integer(self) }

    package var isDefault: Bool { self == 0 }
}

extension UInt16: CodedInteger {}
extension Int32: CodedInteger {}
extension UInt32: CodedInteger {}
extension Int64: CodedInteger {}
extension UInt64: CodedInteger {}
extension Int: CodedInteger {}

extension Array: Coded where Element: Coded {
    package init(reading value: JSON.Value) throws(ConfigError) {
        guard let elements = value.array else { throw ConfigError(value, expected: "an array") }
        self.init()
        reserveCapacity(elements.count)
        for element in elements { append(try Element(reading: element)) }
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginArray()
        for element in self { element.write(to: &writer) }
        writer.endArray()
    }

    package var isDefault: Bool { isEmpty }
}

extension Dictionary: Coded where Key == String, Value: Coded {
    package init(reading value: JSON.Value) throws(ConfigError) {
        guard let object = value.object else { throw ConfigError(value, expected: "an object") }
        self.init()
        for (key, member) in object {
            // Keys of different bytes that Unicode calls equal would hide one another.
            guard updateValue(try Value(reading: member), forKey: key) == nil else {
                throw ConfigError(member, "duplicate key")
            }
        }
    }

    /// Writes the members sorted by key: the same map gives the same text.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for key in keys.sorted() {
            guard let value = self[key] else { continue }
            writer.key(key)
            value.write(to: &writer)
        }
        writer.endObject()
    }

    package var isDefault: Bool { isEmpty }
}

/// One of a fixed set of words.
package protocol Word: Coded, RawRepresentable, CaseIterable where RawValue == String {
    /// What another word is called in the error that refuses it.
    static var refusal: String { get }
}

extension Word {
    package static var refusal: String { "unknown value" }

    package var isDefault: Bool { false }

    package init(reading value: JSON.Value) throws(ConfigError) {
        let word = try String(reading: value)
        guard let known = Self(rawValue: word) else {
            throw ConfigError(value, "\(Self.refusal) \(quoted(word))")
        }
        self = known
    }

    package func write(to writer: inout JSONWriter) { writer.string(rawValue) }
}

/// A text in quotes for a message, cut when it is long.
func quoted(_ text: String) -> String {
    guard text.utf8.count > 64 else { return "\"\(text)\"" }
    return "\"\(text.prefix(48))...\""
}

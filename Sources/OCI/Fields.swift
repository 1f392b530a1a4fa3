package import JSON

// One description of a struct serves reading and writing: its `fields` names every property
// once, and the coder that is handed in either fills the properties from JSON or prints them.

/// A value with a JSON form.
package protocol Coded: Equatable, Sendable {
    init(reading value: JSON.Value) throws(ConfigError)
    func write(to writer: inout JSONWriter)
    /// Whether the value is what its absence means.
    var isDefault: Bool { get }
}

/// A JSON object with known properties.
package protocol Fields: Coded {
    init()
    /// Hands every property to the coder, in the order in which they are printed.
    mutating func fields<C: FieldCoder>(_ coder: inout C) throws(C.Failure)
}

/// What reads or writes the properties of one object.
package protocol FieldCoder {
    associatedtype Failure: Error
    /// A property that must be there.
    mutating func required<T: Coded>(_ key: StaticString, _ value: inout T) throws(Failure)
    /// A property that OCI demands and its JSON schema does not: absence means the value it has at
    /// first, which is printed all the same.
    mutating func assumed<T: Coded>(_ key: StaticString, _ value: inout T) throws(Failure)
    /// A property that may be absent or null.
    mutating func optional<T: Coded>(_ key: StaticString, _ value: inout T?) throws(Failure)
    /// A property whose absence means the value it has at first; that value is not printed.
    mutating func defaulted<T: Coded>(_ key: StaticString, _ value: inout T) throws(Failure)
}

extension Fields {
    package init(reading value: JSON.Value) throws(ConfigError) {
        guard let object = value.object else { throw ConfigError(value, expected: "an object") }
        self.init()
        var reader = FieldReader(object)
        try fields(&reader)
        guard reader.found < object.count else { return }
        // Unknown properties are ignored, as OCI demands, unless they look like a known one.
        var finder = NearMissFinder(object: object)
        try fields(&finder)
    }

    package func write(to writer: inout JSONWriter) {
        var copy = self
        writer.beginObject()
        copy.fields(&writer)
        writer.endObject()
    }

    package var isDefault: Bool { false }

    /// The JSON text: on one line, or indented with two spaces a level and a final newline.
    package func json(indented: Bool = false) -> [UInt8] {
        var writer = JSONWriter(indented: indented)
        write(to: &writer)
        return writer.finish()
    }

    /// Reads the whole of a JSON text.
    package static func decode(_ bytes: [UInt8]) throws(ConfigError) -> Self {
        let value: JSON.Value
        do throws(JSONError) { value = try JSON.parse(bytes) } catch { throw ConfigError(error) }
        return try Self(reading: value)
    }
}

/// Fills properties from a JSON object.
struct FieldReader: FieldCoder {
    private let object: JSON.Object
    /// How many members of the object had a name that was asked for.
    private(set) var found = 0

    init(_ object: JSON.Object) {
        self.object = object
    }

    private mutating func member(_ key: StaticString) -> JSON.Value? {
        guard let member = object[key] else { return nil }
        found += 1
        return member.isNull ? nil : member
    }

    package mutating func required<T: Coded>(
        _ key: StaticString, _ value: inout T
    ) throws(ConfigError) {
        guard let member = member(key) else {
            throw ConfigError(path: object.value.path(to: key), message: "required, but missing")
        }
        value = try T(reading: member)
    }

    package mutating func assumed<T: Coded>(
        _ key: StaticString, _ value: inout T
    ) throws(ConfigError) {
        try defaulted(key, &value)
    }

    package mutating func optional<T: Coded>(
        _ key: StaticString, _ value: inout T?
    ) throws(ConfigError) {
        guard let member = member(key) else { return }
        value = try T(reading: member)
    }

    package mutating func defaulted<T: Coded>(
        _ key: StaticString, _ value: inout T
    ) throws(ConfigError) {
        guard let member = member(key) else { return }
        value = try T(reading: member)
    }
}

/// Refuses a member whose name differs from a known one in the case of letters alone.
///
/// Some runtimes accept such a name and others ignore it: `NoNewPrivileges` must not be a
/// protection in one place and nothing in another.
struct NearMissFinder: FieldCoder {
    let object: JSON.Object

    private func check(_ key: StaticString) throws(ConfigError) {
        guard let wrong = object.nearMiss(of: key) else { return }
        throw ConfigError(
            path: wrong.path, message: "unknown property; it must be written \(key.description)")
    }

    package mutating func required<T: Coded>(
        _ key: StaticString, _ value: inout T
    ) throws(ConfigError) {
        try check(key)
    }

    package mutating func assumed<T: Coded>(
        _ key: StaticString, _ value: inout T
    ) throws(ConfigError) {
        try check(key)
    }

    package mutating func optional<T: Coded>(
        _ key: StaticString, _ value: inout T?
    ) throws(ConfigError) {
        try check(key)
    }

    package mutating func defaulted<T: Coded>(
        _ key: StaticString, _ value: inout T
    ) throws(ConfigError) {
        try check(key)
    }
}

/// Prints properties.
extension JSONWriter: FieldCoder {
    package mutating func required<T: Coded>(_ key: StaticString, _ value: inout T) throws(Never) {
        self.key(key)
        value.write(to: &self)
    }

    package mutating func assumed<T: Coded>(_ key: StaticString, _ value: inout T) throws(Never) {
        required(key, &value)
    }

    package mutating func optional<T: Coded>(_ key: StaticString, _ value: inout T?) throws(Never) {
        guard let value else { return }
        self.key(key)
        value.write(to: &self)
    }

    package mutating func defaulted<T: Coded>(_ key: StaticString, _ value: inout T) throws(Never) {
        guard !value.isDefault else { return }
        self.key(key)
        value.write(to: &self)
    }
}

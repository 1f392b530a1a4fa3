internal import JSON

/// A value of a configuration that cannot be obeyed, and where it stands.
///
/// It prints as `mounts[3].destination: expected a string, found a number`.
package struct ConfigError: Error, Equatable, CustomStringConvertible {
    /// Property names and list positions from the root; empty when the text as a whole is meant.
    package var path: String
    package var message: String

    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// Something in a configuration that is obeyed in part only, and that OCI does not let us refuse.
package struct ConfigWarning: Equatable, CustomStringConvertible {
    package var path: String
    package var message: String

    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

extension ConfigError {
    init(_ value: JSON.Value, expected: StaticString) {
        self.init(
            path: value.path, message: "expected \(expected.description), found \(value.kindText)")
    }

    init(_ value: JSON.Value, _ message: String) {
        self.init(path: value.path, message: message)
    }

    init(_ error: JSONError) {
        self.init(path: "", message: error.description)
    }
}

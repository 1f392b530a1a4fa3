// Text is handled as UTF-8: paths and options are bytes to the kernel, and Unicode's notion of
// equality has no place in them.

extension String {
    func starts(withText prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

    func ends(withText suffix: String) -> Bool {
        utf8.reversed().starts(with: suffix.utf8.reversed())
    }

    /// What follows the prefix; nil where the text does not start with it.
    func dropping(prefix: String) -> String? {
        guard starts(withText: prefix) else { return nil }
        return String(decoding: Array(utf8.dropFirst(prefix.utf8.count)), as: UTF8.self)
    }

    var isAbsolutePath: Bool { utf8.first == UInt8(ascii: "/") }

    func split(at separator: Unicode.Scalar) -> [String] {
        var parts: [String] = []
        for part in utf8.split(
            separator: UInt8(ascii: separator), omittingEmptySubsequences: false)
        {
            parts.append(String(decoding: Array(part), as: UTF8.self))
        }
        return parts
    }

    /// The path, absolute and without empty parts, "." and "..", as if nothing were a link.
    var cleanPath: String {
        if isCleanPath { return self }
        var parts: [String] = []
        for part in split(at: "/") {
            switch part {
            case "", ".": continue
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(with: "/")
    }

    /// Whether the path certainly is as `cleanPath` would make it: most are, and need no parts.
    private var isCleanPath: Bool {
        var last = UInt8(ascii: "a")
        for byte in utf8 {
            // A name that begins with a point may be "." or "..".
            let isDot = byte == UInt8(ascii: ".")
            if last == UInt8(ascii: "/"), isDot || byte == last { return false }
            last = byte
        }
        return isAbsolutePath && last != UInt8(ascii: "/")
    }
}

extension [String] {
    func joined(with separator: String) -> String {
        var text = ""
        for (index, part) in enumerated() {
            if index > 0 { text += separator }
            text += part
        }
        return text
    }
}

/// Digits of an unsigned number in base 8.
func octal(_ number: UInt32) -> String {
    String(number, radix: 8)
}

/// Reads type signatures ("Signature Strings" in the D-Bus specification).
enum Signature {
    /// Splits a signature into its single complete types.
    ///
    /// - Throws: `DBusError` for an unknown type code, an unfinished container, a dictionary entry
    ///   outside an array or nesting beyond `DBusLimits.depth`.
    static func split(_ text: String) throws(DBusError) -> [String] {
        let codes = Array(text.utf8)
        guard codes.count <= DBusLimits.signature else {
            throw DBusError("a signature of \(codes.count) bytes")
        }
        var types: [String] = []
        var start = 0
        while start < codes.count {
            let end = try endOfType(codes, from: start, depth: 0, inArray: false)
            types.append(String(decoding: codes[start..<end], as: UTF8.self))
            start = end
        }
        return types
    }

    /// Bytes to which a value of the type is aligned.
    static func alignment(of type: String) -> Int {
        switch type.utf8.first ?? 0 {
        case code("n"), code("q"): 2
        case code("b"), code("i"), code("u"), code("h"), code("s"), code("o"), code("a"): 4
        case code("x"), code("t"), code("d"), code("("), code("{"): 8
        default: 1
        }
    }

    /// The types between a container's brackets.
    static func members(of type: String) throws(DBusError) -> [String] {
        try split(String(decoding: Array(type.utf8).dropFirst().dropLast(), as: UTF8.self))
    }

    /// The type of an array's elements.
    static func element(of type: String) -> String {
        String(decoding: Array(type.utf8).dropFirst(), as: UTF8.self)
    }

    private static func code(_ scalar: Unicode.Scalar) -> UInt8 {
        UInt8(truncatingIfNeeded: scalar.value)
    }

    private static let basic: [UInt8] = Array("ybnqiuxtdsogh".utf8)

    /// Where the complete type that starts at `start` ends.
    private static func endOfType(
        _ codes: [UInt8], from start: Int, depth: Int, inArray: Bool
    ) throws(DBusError) -> Int {
        guard depth <= DBusLimits.depth else { throw DBusError("a signature nested too deeply") }
        guard start < codes.count else { throw DBusError("an unfinished signature") }
        let first = codes[start]
        if basic.contains(first) || first == code("v") { return start + 1 }
        switch first {
        case code("a"):
            return try endOfType(codes, from: start + 1, depth: depth + 1, inArray: true)
        case code("("):
            var next = start + 1
            while next < codes.count, codes[next] != code(")") {
                next = try endOfType(codes, from: next, depth: depth + 1, inArray: false)
            }
            guard next < codes.count, next > start + 1 else {
                throw DBusError("an unfinished or empty structure in a signature")
            }
            return next + 1
        case code("{") where inArray:
            guard start + 1 < codes.count, basic.contains(codes[start + 1]) else {
                throw DBusError("a dictionary key that is not of a basic type")
            }
            let end = try endOfType(codes, from: start + 2, depth: depth + 1, inArray: false)
            guard end < codes.count, codes[end] == code("}") else {
                throw DBusError("a dictionary entry without exactly two types")
            }
            return end + 1
        default:
            throw DBusError("an unknown type in a signature")
        }
    }
}

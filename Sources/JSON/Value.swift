extension JSON {
    /// A value of a checked text.
    ///
    /// It is cheap to copy: a place in the shared text.
    package struct Value {
        let document: Document
        let index: Int

        var node: Node { document.nodes[index] }

        package var isNull: Bool { node.kind == .null }
        package var isNumber: Bool { node.kind == .number }

        /// The kind in words, for messages: `a string`, `an object`.
        package var kindText: String {
            switch node.kind {
            case .null: "null"
            case .false, .true: "a boolean"
            case .number: "a number"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        }

        package var bool: Bool? {
            switch node.kind {
            case .true: true
            case .false: false
            default: nil
            }
        }

        package var string: String? {
            guard node.kind == .string else { return nil }
            guard node.hasEscapes else { return text }
            let plain = unescaped(document.bytes, from: Int(node.start), to: Int(node.end))
            return String(decoding: plain, as: UTF8.self)
        }

        /// The bytes of the value as they stand in the text; of a string between its quotes.
        package var text: String {
            String(decoding: document.bytes[Int(node.start)..<Int(node.end)], as: UTF8.self)
        }

        /// Whether a number has neither a fraction nor an exponent.
        package var isIntegral: Bool {
            for byte in document.bytes[Int(node.start)..<Int(node.end)]
            where byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
                return false
            }
            return node.kind == .number
        }

        /// The exact integer; nil for other kinds, for `1.5` and `1e3`, and outside the type.
        package func integer<T: FixedWidthInteger>(as type: T.Type = T.self) -> T? {
            guard node.kind == .number else { return nil }
            var position = Int(node.start)
            let isNegative = document.bytes[position] == UInt8(ascii: "-")
            if isNegative { position += 1 }
            var result: T = 0
            while position < Int(node.end) {
                let byte = document.bytes[position]
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                let digit = T(truncatingIfNeeded: byte - UInt8(ascii: "0"))
                let (tens, overflow) = result.multipliedReportingOverflow(by: 10)
                let (sum, overflowOfSum) =
                    isNegative
                    ? tens.subtractingReportingOverflow(digit)
                    : tens.addingReportingOverflow(digit)
                guard !overflow, !overflowOfSum else { return nil }
                result = sum
                position += 1
            }
            return result
        }

        /// The elements of an array.
        package var array: [Value]? {
            guard node.kind == .array else { return nil }
            var elements: [Value] = []
            elements.reserveCapacity(Int(node.count))
            var next = index + 1
            while next < Int(node.next) {
                elements.append(Value(document: document, index: next))
                next = Int(document.nodes[next].next)
            }
            return elements
        }

        package var object: Object? {
            guard node.kind == .object else { return nil }
            return Object(value: self)
        }

        // MARK: Places

        /// The line of the value in its text, counted from 1.
        package var line: Int { Place(of: Int(node.start), in: document.bytes).line }
        /// The column of the value in its text, counted from 1.
        package var column: Int { Place(of: Int(node.start), in: document.bytes).column }

        /// Where the value stands in the whole, such as `mounts[3].destination`.
        ///
        /// It is found by descending from the root: only errors need it, reading pays nothing.
        package var path: String {
            var path = ""
            var container = 0
            while container != index {
                let isObject = document.nodes[container].kind == .object
                var child = container + 1
                var position = 0
                while true {
                    let key = child
                    if isObject { child += 1 }
                    if Int(document.nodes[child].next) > index || (isObject && key == index) {
                        path += step(isObject ? key : nil, position, after: path)
                        if key == index { return path }
                        break
                    }
                    child = Int(document.nodes[child].next)
                    position += 1
                }
                container = child
            }
            return path
        }

        /// The path of a member of this object, whether it exists or not.
        package func path(to key: StaticString) -> String {
            let own = path
            return own.isEmpty ? key.description : "\(own).\(key.description)"
        }

        private func step(_ key: Int?, _ position: Int, after path: String) -> String {
            guard let key else { return "[\(position)]" }
            let name = Value(document: document, index: key).string ?? ""
            return path.isEmpty ? name : "." + name
        }
    }
}

/// The bytes of a checked string with its escapes undone.
func unescaped(_ bytes: [UInt8], from start: Int, to end: Int) -> [UInt8] {
    var plain: [UInt8] = []
    plain.reserveCapacity(end - start)
    var position = start
    while position < end {
        guard bytes[position] == UInt8(ascii: "\\") else {
            plain.append(bytes[position])
            position += 1
            continue
        }
        position += 2
        switch bytes[position - 1] {
        case UInt8(ascii: "b"): plain.append(0x08)
        case UInt8(ascii: "f"): plain.append(0x0C)
        case UInt8(ascii: "n"): plain.append(0x0A)
        case UInt8(ascii: "r"): plain.append(0x0D)
        case UInt8(ascii: "t"): plain.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = hexUnit(bytes, at: position)
            position += 4
            if scalar >= 0xD800, scalar < 0xDC00 {
                let low = hexUnit(bytes, at: position + 2)
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                position += 6
            }
            append(scalar, to: &plain)
        case let other: plain.append(other)
        }
    }
    return plain
}

/// The four checked hexadecimal digits here.
private func hexUnit(_ bytes: [UInt8], at position: Int) -> UInt32 {
    var unit: UInt32 = 0
    for index in position..<(position + 4) { unit = unit << 4 | (hexDigit(bytes[index]) ?? 0) }
    return unit
}

/// Appends a Unicode scalar as UTF-8.
private func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    let tail = { (shift: UInt32) in UInt8(0x80 | scalar >> shift & 0x3F) }
    switch scalar {
    case 0..<0x80: bytes.append(UInt8(scalar))
    case 0x80..<0x800: bytes += [UInt8(0xC0 | scalar >> 6), tail(0)]
    case 0x800..<0x10000: bytes += [UInt8(0xE0 | scalar >> 12), tail(6), tail(0)]
    default: bytes += [UInt8(0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
    }
}

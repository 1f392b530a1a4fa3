/// A number as written: sign, digits, and digits after the point.
///
/// Hexadecimal (`0x1f`) and octal (`017`) whole numbers as GVariant has them.
package struct DecimalNumber: Equatable {
    private let isNegative: Bool
    private let magnitude: UInt64
    /// How many of `magnitude`'s digits stand after the point.
    private let decimals: Int
    package let isWhole: Bool

    package init?(_ text: String) {
        var digits = Array(text.utf8)[...]
        isNegative = digits.first == UInt8(ascii: "-")
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            digits = digits.dropFirst()
        }
        var radix: UInt64 = 10
        if digits.starts(with: "0x".utf8) || digits.starts(with: "0X".utf8) {
            radix = 16
            digits = digits.dropFirst(2)
        } else if digits.count > 1, digits.first == UInt8(ascii: "0"),
            !digits.contains(UInt8(ascii: "."))
        {
            radix = 8
            digits = digits.dropFirst()
        }
        var value: UInt64 = 0
        var decimals = 0
        var point = false
        var count = 0
        for character in digits {
            if character == UInt8(ascii: "."), radix == 10, !point {
                point = true
                continue
            }
            guard let digit = Hex.digit(character), UInt64(digit) < radix else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: radix)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            guard !overflowed, !carried else { return nil }
            value = sum
            count += 1
            if point { decimals += 1 }
        }
        guard count > 0 else { return nil }
        magnitude = value
        self.decimals = decimals
        isWhole = !point
    }

    /// The number as a value of a numeric type; nil where it does not fit.
    package func value(type: String) -> DBusValue? {
        if type == "d" { return .double(double) }
        guard isWhole else { return nil }
        switch type {
        case "y": return unsigned(UInt8.self).map { .byte($0) }
        case "n": return signed(Int16.self).map { .int16($0) }
        case "q": return unsigned(UInt16.self).map { .uint16($0) }
        case "i": return signed(Int32.self).map { .int32($0) }
        case "u": return unsigned(UInt32.self).map { .uint32($0) }
        case "h": return unsigned(UInt32.self).map { .unixFD($0) }
        case "x": return signed(Int64.self).map { .int64($0) }
        case "t": return unsigned(UInt64.self).map { .uint64($0) }
        default: return nil
        }
    }

    private var double: Double {
        var value = Double(magnitude)
        for _ in 0..<decimals { value /= 10 }
        return isNegative ? -value : value
    }

    private func unsigned<T: FixedWidthInteger>(_: T.Type) -> T? {
        isNegative && magnitude != 0 ? nil : T(exactly: magnitude)
    }

    private func signed<T: FixedWidthInteger>(_: T.Type) -> T? {
        guard isNegative else { return T(exactly: magnitude) }
        guard magnitude <= UInt64(1) << 63 else { return nil }
        return T(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    }
}

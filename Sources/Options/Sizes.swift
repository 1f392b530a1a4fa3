/// Numbers with units as the command line writes them.
///
/// Integer arithmetic only.
package enum Quantity {
    /// Bytes: "268435456", "256M", "256MiB", "1.5g".
    ///
    /// Units are of 1024. "-1" is no limit. nil: no such number, or one above `Int64.max`.
    package static func size(_ text: String) -> Int64? {
        if text == "-1" { return -1 }
        var rest = Substring(text)
        guard let number = Decimal(parsing: &rest) else { return nil }
        guard let shift = shift(ofUnit: rest) else { return nil }
        return number.scaled(by: 1 << shift)
    }

    private static func shift(ofUnit unit: Substring) -> Int64? {
        switch unit {
        case "", "b", "B": 0
        case "k", "K", "kb", "KB", "kB", "Kb", "ki", "Ki", "kib", "KiB": 10
        case "m", "M", "mb", "MB", "Mb", "mi", "Mi", "mib", "MiB": 20
        case "g", "G", "gb", "GB", "Gb", "gi", "Gi", "gib", "GiB": 30
        case "t", "T", "tb", "TB", "Tb", "ti", "Ti", "tib", "TiB": 40
        case "p", "P", "pb", "PB", "Pb", "pi", "Pi", "pib", "PiB": 50
        default: nil
        }
    }

    /// A number of CPUs ("0.5", "2") as microseconds of CPU time in a period of 100000.
    ///
    /// nil: no such number, or less than the kernel's least quota of 1000.
    package static func cpuQuota(_ text: String) -> Int64? {
        var rest = Substring(text)
        guard let number = Decimal(parsing: &rest), rest.isEmpty else { return nil }
        guard let quota = number.scaled(by: cpuPeriod), quota >= 1000 else { return nil }
        return quota
    }

    /// The period that ``cpuQuota(_:)`` counts in, microseconds: the kernel's default.
    package static let cpuPeriod: Int64 = 100_000

    /// A length of time ("5s", "500ms", "1m30s", "2h") in milliseconds.
    package static func milliseconds(_ text: String) -> Int64? {
        var rest = Substring(text)
        var total: Int64 = 0
        repeat {
            guard let number = Decimal(parsing: &rest) else { return nil }
            let unit = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
            rest = rest.dropFirst(unit.count)
            let factor: Int64
            switch unit {
            case "ms": factor = 1
            case "s": factor = 1000
            case "m": factor = 60_000
            case "h": factor = 3_600_000
            default: return nil
            }
            guard let part = number.scaled(by: factor) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        } while !rest.isEmpty
        return total
    }

    /// An unsigned number of decimal digits, strictly: no sign, no spaces, nothing behind it.
    package static func identifier(_ text: some StringProtocol) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return UInt32(text)
    }
}

/// A decimal fraction without a sign: `digits / 10^places`.
private struct Decimal {
    private var digits: UInt64 = 0
    private var scale: UInt64 = 1

    /// Takes digits, and a point with up to nine digits behind it, off the front of a text.
    init?(parsing text: inout Substring) {
        var sawDigit = false
        var isFraction = false
        while let byte = text.utf8.first {
            if byte == UInt8(ascii: "."), !isFraction, sawDigit {
                isFraction = true
            } else if byte >= 48, byte <= 57 {
                sawDigit = true
                let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
                let (sum, more) = product.addingReportingOverflow(UInt64(byte - 48))
                guard !overflow, !more, scale < 1_000_000_000 else { return nil }
                digits = sum
                if isFraction { scale *= 10 }
            } else {
                break
            }
            text = text.dropFirst()
        }
        guard sawDigit else { return nil }
    }

    func scaled(by factor: Int64) -> Int64? {
        let product = digits.multipliedFullWidth(by: UInt64(factor))
        guard product.high < scale else { return nil }
        return Int64(exactly: scale.dividingFullWidth(product).quotient)
    }
}

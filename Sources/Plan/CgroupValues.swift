/// Conversions of OCI's values, which are cgroup v1's, to those of cgroup v2.
enum CgroupValues {
    /// cpu.shares (2 to 262144) as a cpu.weight (1 to 10000); 0, "unset", is nil.
    ///
    /// The curve is the one that runc, crun and systemd agreed on: with l = log2(shares) the
    /// weight is ceil(10^((l² + 125l) / 612 - 7/34)). It takes the smallest, the default and the
    /// largest of the one to those of the other: 2 to 1, 1024 to 100, 262144 to 10000.
    static func weight(shares: UInt64) -> UInt64? {
        if shares == 0 { return nil }
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        // There is no libm here: the least weight whose logarithm reaches the exponent is looked
        // for. Both sides are multiplied by 612; what the last bits may err is forgiven, so that
        // 1024 shares are exactly 100.
        let l = log2(shares)
        let goal = l * l + 125 * l - 126
        var low: UInt64 = 1
        var high: UInt64 = 10_000
        while low < high {
            let middle = (low + high) / 2
            let reached = 612 * log10of2 * log2(middle)
            if reached + 1e-9 >= goal { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private static let log10of2 = 0.301029995663981195

    /// The binary logarithm, by squaring: each square beyond 2 is a 1 in the fraction.
    private static func log2(_ number: UInt64) -> Double {
        let zeros = number.leadingZeroBitCount
        var result = Double(63 - zeros)
        var mantissa = number << UInt64(zeros)
        var bit = 0.5
        for _ in 0..<48 {
            let square = mantissa.multipliedFullWidth(by: mantissa).high
            let isBeyondTwo = square >> 63 == 1
            mantissa = isBeyondTwo ? square : square << 1
            if isBeyondTwo { result += bit }
            bit /= 2
        }
        return result
    }

    /// blkio.weight (10 to 1000) as an io.weight (1 to 10000).
    static func ioWeight(blkio weight: UInt16) -> UInt64 {
        1 + (UInt64(weight) - 10) * 9999 / 990
    }

    /// A limit as text; -1 is none.
    static func text(_ limit: Int64) -> String {
        limit < 0 ? "max" : String(limit)
    }

    /// What memory.swap.max gets: OCI's `swap` counts memory too.
    ///
    /// - Returns: bytes, -1 for no limit, nil where nothing is to be written.
    static func swapMax(swap: Int64, limit: Int64) -> Int64? {
        switch swap {
        case -1: -1
        // Memory without a limit takes swap along, as the v1 controller did.
        case 0: limit == -1 ? -1 : nil
        default: max(0, swap - limit)
        }
    }
}

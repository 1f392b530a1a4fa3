// The formats of the statistics files (Documentation/admin-guide/cgroup-v2.rst, "Format"). Pure.
// What a newer kernel adds is kept or passed over; a line that is not in the format is passed over.

/// Reads a number, or "max", which is `UInt64.max`.
func parseLimit(_ text: some Sequence<UInt8>) -> UInt64? {
    let bytes = Array(text)
    if bytes == Array("max".utf8) { return UInt64.max }
    return parseNumber(bytes)
}

/// Reads a decimal number without a sign.
func parseNumber(_ text: some Sequence<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var isEmpty = true
    for byte in text {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        guard !overflowed, !carried else { return nil }
        value = sum
        isEmpty = false
    }
    return isEmpty ? nil : value
}

/// The lines of a file, each split into its words.
func words(of text: String) -> [[[UInt8]]] {
    var lines: [[[UInt8]]] = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
        var words: [[UInt8]] = []
        for word in line.split(separator: UInt8(ascii: " ")) { words.append(Array(word)) }
        lines.append(words)
    }
    return lines
}

/// The text without white space at its ends.
func trimmed(_ text: String) -> String {
    var bytes = Array(text.utf8)[...]
    let blanks = Array(" \n\t".utf8)
    while let last = bytes.last, blanks.contains(last) { bytes = bytes.dropLast() }
    while let first = bytes.first, blanks.contains(first) { bytes = bytes.dropFirst() }
    return String(decoding: bytes, as: UTF8.self)
}

extension Counter {
    /// Reads a flat keyed file: `NAME VALUE` lines.
    static func parse(_ text: String) -> [Counter] {
        var counters: [Counter] = []
        for line in words(of: text) where line.count == 2 {
            guard let value = parseLimit(line[1]) else { continue }
            counters.append(Counter(name: String(decoding: line[0], as: UTF8.self), value: value))
        }
        return counters
    }

    /// Reads `NAME=VALUE`.
    static func parse(pair: [UInt8]) -> Counter? {
        let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1)
        guard parts.count == 2, let value = parseLimit(parts[1]) else { return nil }
        return Counter(name: String(decoding: parts[0], as: UTF8.self), value: value)
    }
}

extension [Counter] {
    /// The value of a name; 0 where the kernel does not count it.
    package func value(of name: String) -> UInt64 {
        for counter in self where counter.name == name { return counter.value }
        return 0
    }
}

extension MemoryEvents {
    /// Reads memory.events or memory.events.local.
    package init(_ text: String) {
        let counters = Counter.parse(text)
        low = counters.value(of: "low")
        high = counters.value(of: "high")
        max = counters.value(of: "max")
        oom = counters.value(of: "oom")
        oomKill = counters.value(of: "oom_kill")
        oomGroupKill = counters.value(of: "oom_group_kill")
    }
}

extension CgroupStatistics.CPU {
    /// Reads cpu.stat.
    init(_ text: String) {
        let counters = Counter.parse(text)
        total = counters.value(of: "usage_usec") * 1000
        user = counters.value(of: "user_usec") * 1000
        kernel = counters.value(of: "system_usec") * 1000
        periods = counters.value(of: "nr_periods")
        throttledPeriods = counters.value(of: "nr_throttled")
        throttledTime = counters.value(of: "throttled_usec") * 1000
    }
}

extension CgroupStatistics.IO {
    /// Reads io.stat: `MAJOR:MINOR NAME=VALUE...` lines.
    init(_ text: String) {
        for line in words(of: text) {
            guard let first = line.first else { continue }
            let numbers = first.split(separator: UInt8(ascii: ":"))
            guard numbers.count == 2, let major = parseNumber(numbers[0]),
                let minor = parseNumber(numbers[1])
            else { continue }
            var counters: [Counter] = []
            for pair in line.dropFirst() {
                if let counter = Counter.parse(pair: pair) { counters.append(counter) }
            }
            devices.append(
                Device(
                    major: UInt32(truncatingIfNeeded: major),
                    minor: UInt32(truncatingIfNeeded: minor), counters: counters))
        }
    }
}

extension Pressure {
    /// Reads cpu.pressure, memory.pressure or io.pressure; nil when it has no "some" line.
    init?(_ text: String) {
        var isComplete = false
        for line in words(of: text) {
            guard let kind = line.first else { continue }
            let parsed = Line(line.dropFirst())
            if kind == Array("some".utf8) {
                some = parsed
                isComplete = true
            } else if kind == Array("full".utf8) {
                full = parsed
            }
        }
        guard isComplete else { return nil }
    }
}

extension Pressure.Line {
    fileprivate init(_ pairs: ArraySlice<[UInt8]>) {
        for pair in pairs {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = Self.hundredths(parts[1])
            switch String(decoding: parts[0], as: UTF8.self) {
            case "avg10": avg10 = value
            case "avg60": avg60 = value
            case "avg300": avg300 = value
            case "total": total = parseNumber(parts[1]) ?? 0
            default: break
            }
        }
    }

    /// "12.34" as 1234: the kernel writes two decimals.
    private static func hundredths(_ text: ArraySlice<UInt8>) -> UInt64 {
        parseNumber(text.filter { $0 != UInt8(ascii: ".") }) ?? 0
    }
}

internal import DBus
internal import Plan

/// A property of a unit as systemd takes it: a name and a variant.
struct UnitSetting: Equatable {
    let name: String
    let value: DBusValue

    init(_ name: String, _ value: DBusValue) {
        self.name = name
        self.value = value
    }

    /// The array of (name, variant) that StartTransientUnit and SetUnitProperties take.
    static func wire(_ settings: [UnitSetting]) -> DBusValue {
        var items: [DBusValue] = []
        for setting in settings {
            items.append(.structure([.string(setting.name), .variant(setting.value)]))
        }
        return .array(of: "(sv)", items)
    }
}

/// Translates limits into properties, so that systemd, which may write the files anew at any
/// time, writes the same there (systemd.resource-control(5)).
///
/// Pure. What has no property stands in the files alone; systemd leaves it there.
enum SystemdProperties {
    /// The properties that stand for these writes, later writes of one property winning.
    static func settings(for writes: [CgroupWrite]) throws(CgroupFailure) -> [UnitSetting] {
        var settings: [UnitSetting] = []
        for write in writes {
            for setting in try translate(write) {
                settings.removeAll { $0.name == setting.name }
                settings.append(setting)
            }
        }
        return settings
    }

    /// Files with one number, or "max".
    private static let numbers: [(file: String, property: String)] = [
        ("memory.max", "MemoryMax"), ("memory.high", "MemoryHigh"), ("memory.low", "MemoryLow"),
        ("memory.min", "MemoryMin"), ("memory.swap.max", "MemorySwapMax"),
        ("cpu.weight", "CPUWeight"), ("pids.max", "TasksMax"),
    ]

    private static func translate(_ write: CgroupWrite) throws(CgroupFailure) -> [UnitSetting] {
        for entry in numbers where entry.file == write.file {
            // A value that is not a number is for the kernel to refuse, when it is written.
            guard let value = parseLimit(write.value.utf8) else { return [] }
            // systemd knows no TasksMax of 0; that of 1 lets the container's only process fork neither.
            let least: UInt64 = entry.file == "pids.max" ? 1 : 0
            return [UnitSetting(entry.property, .uint64(max(value, least)))]
        }
        switch write.file {
        case "cpu.max": return quota(write.value)
        case "cpuset.cpus": return try mask(write, "AllowedCPUs")
        case "cpuset.mems": return try mask(write, "AllowedMemoryNodes")
        case "io.weight": return weight(write.value)
        case "io.bfq.weight":
            // systemd converts to that file itself.
            guard let fallback = write.fallback, fallback.file == "io.weight" else { return [] }
            return weight(fallback.value)
        default: return []
        }
    }

    /// "QUOTA PERIOD", microseconds, as time a second.
    ///
    /// systemd keeps whole percents: rounded up, so that it never allows less than was asked for.
    private static func quota(_ value: String) -> [UnitSetting] {
        let parts = value.utf8.split(separator: UInt8(ascii: " "))
        guard let first = parts.first, let quota = parseLimit(first) else { return [] }
        let period = parts.count > 1 ? parseNumber(parts[1]) ?? 0 : 100_000
        guard period > 0 else { return [] }
        var perSecond = UInt64.max
        if quota != UInt64.max {
            let (product, overflowed) = quota.multipliedReportingOverflow(by: 1_000_000)
            guard !overflowed else { return [] }
            let percent: UInt64 = 10_000
            perSecond = (product / period + percent - 1) / percent * percent
        }
        let quotaSetting = UnitSetting("CPUQuotaPerSecUSec", .uint64(perSecond))
        guard parts.count > 1 else { return [quotaSetting] }
        return [UnitSetting("CPUQuotaPeriodUSec", .uint64(period)), quotaSetting]
    }

    /// The default weight; weights of devices have no property that takes numbers.
    private static func weight(_ value: String) -> [UnitSetting] {
        var words = value.utf8.split(separator: UInt8(ascii: " "))
        if let first = words.first, first.elementsEqual("default".utf8) { words.removeFirst() }
        guard words.count == 1, let weight = parseNumber(words[0]) else { return [] }
        return [UnitSetting("IOWeight", .uint64(weight))]
    }

    private static func mask(
        _ write: CgroupWrite, _ property: String
    ) throws(CgroupFailure) -> [UnitSetting] {
        guard let bits = CPUList.mask(write.value) else {
            throw CgroupFailure("'\(write.value)' is no list like 0-3,5", origin: write.origin)
        }
        return [UnitSetting(property, .bytes(bits))]
    }

    /// The properties of annotations: `TimeoutStopSec` = `10` becomes `TimeoutStopUSec`.
    static func settings(for properties: [UnitProperty]) throws(CgroupFailure) -> [UnitSetting] {
        var settings: [UnitSetting] = []
        for property in properties {
            let origin = "annotations[org.systemd.property.\(property.name)]"
            guard property.name.utf8.allSatisfy(isLetter), property.name.utf8.count > 2 else {
                throw CgroupFailure("'\(property.name)' names no property", origin: origin)
            }
            do throws(DBusError) {
                let name = property.name.utf8
                if name.suffix(3).elementsEqual("Sec".utf8),
                    !name.suffix(4).elementsEqual("USec".utf8)
                {
                    let stem = String(decoding: Array(name.dropLast(3)), as: UTF8.self)
                    settings.append(
                        UnitSetting(stem + "USec", try microseconds(property.value)))
                } else {
                    settings.append(
                        UnitSetting(property.name, try VariantText.parse(property.value)))
                }
            } catch {
                throw CgroupFailure(error.message, origin: origin)
            }
        }
        return settings
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }

    private static func microseconds(_ text: String) throws(DBusError) -> DBusValue {
        let seconds: Double
        switch try VariantText.parse(text) {
        case .byte(let value): seconds = Double(value)
        case .int16(let value): seconds = Double(value)
        case .uint16(let value): seconds = Double(value)
        case .int32(let value): seconds = Double(value)
        case .uint32(let value): seconds = Double(value)
        case .int64(let value): seconds = Double(value)
        case .uint64(let value): seconds = Double(value)
        case .double(let value): seconds = value
        default: throw DBusError("'\(text)' is no number of seconds")
        }
        let value = seconds * 1_000_000
        guard value >= 0, value < 18e18 else { throw DBusError("\(text) seconds are no time span") }
        return .uint64(UInt64(value))
    }
}

/// Lists of processors or memory nodes, "0-3,5" (cpuset(7), "List format").
enum CPUList {
    /// The kernel's own limit is far below it; it bounds what a hostile list can cost.
    private static let limit: UInt64 = 8192

    /// A bit for each, the lowest first; empty for an empty list, nil for what is no list.
    static func mask(_ list: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for part in trimmed(list).utf8.split(separator: UInt8(ascii: ",")) {
            let ends = part.split(
                separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = parseNumber(ends[0]),
                let last = parseNumber(ends[ends.count - 1]), first <= last, last < limit
            else { return nil }
            for number in Int(first)...Int(last) {
                while bytes.count <= number / 8 { bytes.append(0) }
                bytes[number / 8] |= 1 << UInt8(number % 8)
            }
        }
        return bytes
    }
}

/// The names that systemd gives to a container: `slice:prefix:name`, as engines write cgroupsPath.
struct SystemdName: Equatable {
    /// "machine.slice".
    var slice: String
    /// "libpod-abc.scope"; a name that ends in ".slice" is used as it is.
    var unit: String

    var isSlice: Bool { unit.utf8.reversed().starts(with: ".slice".utf8.reversed()) }

    /// Reads a `cgroupsPath`; missing parts have defaults: the system's or the user's slice, the
    /// prefix "apus", the container's id.
    init(_ cgroupsPath: String, id: String, isRootless: Bool) throws(CgroupFailure) {
        let parts = cgroupsPath.utf8.split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3 || cgroupsPath.isEmpty else {
            throw CgroupFailure(
                "'\(cgroupsPath)' is not of the form slice:prefix:name",
                origin: "linux.cgroupsPath",
                hint: "leave out --systemd-cgroup to use a plain path")
        }
        func part(_ index: Int) -> String {
            index < parts.count ? String(decoding: Array(parts[index]), as: UTF8.self) : ""
        }
        slice = part(0).isEmpty ? (isRootless ? "user.slice" : "system.slice") : part(0)
        let prefix = cgroupsPath.isEmpty ? "apus" : part(1)
        let name = part(2).isEmpty ? id : part(2)
        unit = name
        guard !(prefix + name).utf8.contains(UInt8(ascii: "/")) else {
            throw CgroupFailure(
                "'\(cgroupsPath)' has a name with a slash", origin: "linux.cgroupsPath")
        }
        guard !isSlice else { return }
        unit = Self.escape(prefix.isEmpty ? name : prefix + "-" + name) + ".scope"
        guard unit.utf8.count < 256 else {
            throw CgroupFailure(
                "the unit name '\(unit)' is longer than 255 bytes", origin: "linux.cgroupsPath")
        }
    }

    /// Writes what a unit's name may not have as systemd-escape(1) does: `+` as `\x2b`.
    private static func escape(_ name: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var bytes: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "\\"):
                bytes.append(byte)
            default:
                bytes += Array("\\x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The unit's cgroup below the cgroup of its manager ("" for the system's).
    func path(below managerRoot: String) throws(CgroupFailure) -> String {
        let root = managerRoot == "/" ? "" : managerRoot
        // A slice names its own place; what holds it is in its name.
        if isSlice { return root + (try SystemdName.expand(unit)) }
        return root + (try SystemdName.expand(slice)) + "/" + unit
    }

    /// The path of a slice: "a-b.slice" lies in "a.slice" ("" for the root slice, "-.slice").
    static func expand(_ slice: String) throws(CgroupFailure) -> String {
        if slice == "-.slice" { return "" }
        let suffix = ".slice"
        let bytes = Array(slice.utf8)
        let stem = bytes.dropLast(suffix.utf8.count)
        guard bytes.count > suffix.utf8.count,
            bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8),
            !bytes.contains(UInt8(ascii: "/"))
        else { throw invalid(slice) }
        var path = ""
        var prefix = ""
        for part in stem.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw invalid(slice) }
            prefix += (prefix.isEmpty ? "" : "-") + String(decoding: part, as: UTF8.self)
            path += "/" + prefix + suffix
        }
        return path
    }

    private static func invalid(_ slice: String) -> CgroupFailure {
        CgroupFailure("'\(slice)' is not the name of a slice", origin: "linux.cgroupsPath")
    }
}

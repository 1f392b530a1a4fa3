/// The rules of a container's name, which becomes a file name and part of a cgroup's name.
enum ContainerID {
    /// NAME_MAX.
    static let maximumLength = 255

    /// Refuses what is not `[A-Za-z0-9_+.-]+`, `.`, `..` and what is too long for a file name.
    static func validate(_ id: String) throws(Failure) {
        guard !id.isEmpty else { throw Failure("container id cannot be empty") }
        guard id.utf8.count <= maximumLength else {
            throw Failure("invalid container id: longer than \(maximumLength) bytes")
        }
        guard isValid(id) else { throw Failure("invalid container id format: \"\(id)\"") }
    }

    static func isValid(_ id: String) -> Bool {
        guard !id.isEmpty, id.utf8.count <= maximumLength, id != ".", id != ".." else {
            return false
        }
        for byte in id.utf8 where !isAllowed(byte) { return false }
        return true
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}

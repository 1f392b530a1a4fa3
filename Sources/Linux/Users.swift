internal import CLinux

/// A line of /etc/subuid or /etc/subgid: ids that a user may map into its namespaces.
package struct SubordinateRange: Equatable {
    package let first: UInt32
    package let count: UInt32
}

/// The host's files of users, read without NSS: a static executable has none.
package enum Users {
    private static let limit = 4 << 20

    /// The name of a user id in /etc/passwd; `nil` where it is not there.
    package static func name(uid: UInt32) -> String? {
        guard let bytes = regularFile("/etc/passwd") else { return nil }
        return name(uid: uid, passwd: bytes)
    }

    static func name(uid: UInt32, passwd: [UInt8]) -> String? {
        var rest = passwd[...]
        while !rest.isEmpty {
            let line = rest.prefix { $0 != 0x0a }
            rest = rest[line.endIndex...].dropFirst()
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 3, number(fields[2]) == Int64(uid), !fields[0].isEmpty else {
                continue
            }
            return String(decoding: fields[0], as: UTF8.self)
        }
        return nil
    }

    /// The ranges of "/etc/subuid" or "/etc/subgid" that belong to a user, by name or by number.
    package static func subordinateRanges(_ path: String, uid: UInt32) -> [SubordinateRange] {
        guard let bytes = regularFile(path) else { return [] }
        return subordinateRanges(bytes, owner: name(uid: uid), uid: uid)
    }

    static func subordinateRanges(
        _ bytes: [UInt8], owner: String?, uid: UInt32
    ) -> [SubordinateRange] {
        var ranges: [SubordinateRange] = []
        for line in bytes.split(separator: 0x0a) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count == 3, let first = number(fields[1]), let count = number(fields[2]),
                let first = UInt32(exactly: first), let count = UInt32(exactly: count)
            else { continue }
            let isNamed = owner.map { fields[0].elementsEqual($0.utf8) } ?? false
            guard isNamed || fields[0].elementsEqual("\(uid)".utf8) else { continue }
            ranges.append(SubordinateRange(first: first, count: count))
        }
        return ranges
    }

    /// The contents of a regular file; `nil` where it cannot be read, or is something else.
    private static func regularFile(_ path: String) -> [UInt8]? {
        do throws(Errno) {
            let file = try FileDescriptor.open(path, [.readOnly, .nonBlocking])
            guard try file.status().type == .regular else { return nil }
            return try file.readAll(limit: limit)
        } catch {
            return nil
        }
    }
}

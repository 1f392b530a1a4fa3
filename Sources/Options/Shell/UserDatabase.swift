/// /etc/passwd and /etc/group of a root file system, as text: users by name or number.
///
/// The files are the container's own and may hold anything; a line that is not well formed is
/// passed over.
package struct UserDatabase: Sendable {
    package struct User: Equatable, Sendable {
        package var uid: UInt32
        package var gid: UInt32
        package var name = ""
        package var home = "/"
        package var shell = ""
        /// The groups that list the user by name, in the order of the file.
        package var groups: [UInt32] = []
    }

    private let passwd: [UInt8]
    private let group: [UInt8]

    package init(passwd: [UInt8], group: [UInt8]) {
        self.passwd = passwd
        self.group = group
    }

    /// The user of `USER[:GROUP]`; nil where a name is not known.
    ///
    /// A number need not be known. The group of a number without an entry is 0.
    package func find(_ text: String) -> User? {
        let parts = text.split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, var user = user(name) else { return nil }
        if user.name != "" { user.groups = groups(of: user.name) }
        guard parts.count == 2 else { return user }
        guard let gid = groupID(parts[1]) else { return nil }
        user.gid = gid
        user.groups = []
        return user
    }

    private func user(_ text: Substring) -> User? {
        let number = Quantity.identifier(text)
        for fields in Self.lines(passwd) where fields.count >= 7 {
            guard let uid = Quantity.identifier(fields[2]), let gid = Quantity.identifier(fields[3])
            else { continue }
            guard number == nil ? fields[0] == text : uid == number else { continue }
            let home = fields[5].utf8.starts(with: "/".utf8) ? String(fields[5]) : "/"
            return User(
                uid: uid, gid: gid, name: String(fields[0]), home: home, shell: String(fields[6]))
        }
        return number.map { User(uid: $0, gid: 0, home: $0 == 0 ? "/root" : "/") }
    }

    private func groupID(_ text: Substring) -> UInt32? {
        if let number = Quantity.identifier(text) { return number }
        for fields in Self.lines(group) where fields.count >= 3 && fields[0] == text {
            return Quantity.identifier(fields[2])
        }
        return nil
    }

    private func groups(of name: String) -> [UInt32] {
        var found: [UInt32] = []
        for fields in Self.lines(group) where fields.count >= 4 {
            for member in fields[3].split(separator: ",") where member == name {
                if let gid = Quantity.identifier(fields[2]) { found.append(gid) }
            }
        }
        return found
    }

    private static func lines(_ bytes: [UInt8]) -> [[Substring]] {
        var lines: [[Substring]] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = Substring(decoding: line, as: UTF8.self)
            lines.append(text.split(separator: ":", omittingEmptySubsequences: false))
        }
        return lines
    }
}

/// Ids of the host that an ordinary user may use: subuid(5).
package struct IDRange: Equatable, Sendable {
    package var first: UInt32
    package var count: UInt32

    package init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }
}

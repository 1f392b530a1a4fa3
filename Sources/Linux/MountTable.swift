/// A line of /proc/PID/mountinfo, proc_pid_mountinfo(5).
package struct MountEntry: Equatable {
    package let id: UInt64
    /// The part of the file system that is mounted.
    package let root: String
    package let mountPoint: String
    package let type: String
    /// The options of the file system, which all its mounts share.
    package let options: [String]

    package init(id: UInt64, root: String, mountPoint: String, type: String, options: [String]) {
        self.id = id
        self.root = root
        self.mountPoint = mountPoint
        self.type = type
        self.options = options
    }
}

/// The mounts of a mount namespace as a process sees them, in the kernel's order: of two at one place
/// the later is on top.
package enum MountTable {
    /// Bytes; a host of ten thousand mounts has about three megabytes of it.
    private static let limit = 64 << 20

    /// The mounts of a process; of the caller by default.
    package static func read(pid: Int32? = nil) throws(Errno) -> [MountEntry] {
        let process = pid.map(String.init) ?? "self"
        return parse(
            try BorrowedHandle.workingDirectory.readText("/proc/\(process)/mountinfo", limit: limit)
        )
    }

    /// Lines that are none of the format are passed over.
    package static func parse(_ text: String) -> [MountEntry] {
        var entries: [MountEntry] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            if let entry = entry(line) { entries.append(entry) }
        }
        return entries
    }

    /// One line.
    ///
    /// It is "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE FILE-SYSTEM-OPTIONS".
    private static func entry(_ line: Substring.UTF8View) -> MountEntry? {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard let hyphen = fields.indices.dropFirst(6).first(where: { isHyphen(fields[$0]) }),
            hyphen + 3 < fields.count, let id = UInt64(String(decoding: fields[0], as: UTF8.self))
        else { return nil }
        var options: [String] = []
        for option in fields[hyphen + 3].split(separator: UInt8(ascii: ",")) {
            options.append(String(decoding: option, as: UTF8.self))
        }
        return MountEntry(
            id: id, root: unescaped(fields[3]), mountPoint: unescaped(fields[4]),
            type: String(decoding: fields[hyphen + 1], as: UTF8.self), options: options)
    }

    /// A lone hyphen ends the tags, of which there may be none.
    private static func isHyphen(_ field: Substring.UTF8View) -> Bool {
        field.elementsEqual("-".utf8)
    }

    /// Resolves the octal escapes of white space, backslash and "#".
    private static func unescaped(_ field: Substring.UTF8View) -> String {
        let field = Array(field)
        var bytes: [UInt8] = []
        var index = 0
        while index < field.count {
            if field[index] == UInt8(ascii: "\\"), index + 3 < field.count {
                var value = 0
                for digit in field[(index + 1)...(index + 3)] {
                    value = value * 8 + Int(digit & 7)
                }
                bytes.append(UInt8(truncatingIfNeeded: value))
                index += 4
            } else {
                bytes.append(field[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

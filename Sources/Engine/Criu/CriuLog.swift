/// The log that CRIU leaves in the work directory.
enum CriuLog {
    /// The first error of the log, without time and place in CRIU's sources; nil where there is none.
    ///
    ///     (00.018613) Error (criu/mount.c:1088): mnt: No root for mount 123
    ///
    /// Those after which CRIU itself goes on do not count.
    static func firstError(in log: String) -> String? {
        let mark = Array("Error (".utf8)
        for line in log.utf8.split(separator: UInt8(ascii: "\n")) {
            var rest = line
            if rest.first == UInt8(ascii: "("), let end = rest.firstIndex(of: UInt8(ascii: ")")) {
                rest = rest[rest.index(after: end)...].drop { $0 == 0x20 }
            }
            // A helper process puts its number before it: "    12: Error (...".
            rest = rest.drop { $0 == 0x20 || $0 == UInt8(ascii: ":") || (0x30...0x39).contains($0) }
            guard rest.starts(with: mark) else { continue }
            if let end = rest.firstIndex(of: UInt8(ascii: ")")) {
                rest = rest[rest.index(after: end)...].drop {
                    $0 == UInt8(ascii: ":") || $0 == 0x20
                }
            }
            let text = String(decoding: Array(rest), as: UTF8.self)
            if !text.isEmpty && !isHarmless(text) { return text }
        }
        return nil
    }

    /// Its own limit of open files, and programs that it looks for and can do without.
    private static func isHarmless(_ text: String) -> Bool {
        text.hasPrefix("rlimit: Can't setup RLIMIT_NOFILE") || text.hasPrefix("execvp(\"ip")
            || text.hasSuffix(" -V failed") || text.hasPrefix("exited, status=")
    }
}

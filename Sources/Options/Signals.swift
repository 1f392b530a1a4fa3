/// The signals of Linux by name.
///
/// The numbers are those of every architecture but alpha, MIPS,
/// PA-RISC and SPARC (signal(7)), where this runtime has not been built.
package enum SignalName {
    /// SIGTERM: what `kill` sends unless told otherwise.
    package static let term: Int32 = 15

    /// The first real-time signal that programs may use: libc keeps 32 and 33.
    private static let realtimeFirst: Int32 = 34
    private static let realtimeLast: Int32 = 64

    private static let names: [(name: String, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("BUS", 7),
        ("FPE", 8), ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13),
        ("ALRM", 14), ("TERM", 15), ("STKFLT", 16), ("CHLD", 17), ("CONT", 18), ("STOP", 19),
        ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25),
        ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("PWR", 30), ("SYS", 31),
        ("IOT", 6), ("CLD", 17), ("POLL", 29),
    ]

    /// The number of a signal given as "9", "KILL", "SIGKILL" or "kill", "RTMIN+2", "RTMAX-1".
    package static func number(of text: String) -> Int32? {
        if let number = Quantity.identifier(text) {
            return number <= UInt32(realtimeLast) ? Int32(number) : nil
        }
        var name = Substring(text.uppercased())
        if name.utf8.starts(with: "SIG".utf8) { name = name.dropFirst(3) }
        for entry in names where name == entry.name { return entry.number }
        return realtime(name)
    }

    private static func realtime(_ name: Substring) -> Int32? {
        let isFirst = name.utf8.starts(with: "RTMIN".utf8)
        guard isFirst || name.utf8.starts(with: "RTMAX".utf8) else { return nil }
        let base = isFirst ? realtimeFirst : realtimeLast
        let rest = name.dropFirst(5)
        guard let sign = rest.first else { return base }
        guard sign == (isFirst ? "+" : "-"), let offset = Quantity.identifier(rest.dropFirst())
        else { return nil }
        guard offset <= UInt32(realtimeLast - realtimeFirst) else { return nil }
        return isFirst ? base + Int32(offset) : base - Int32(offset)
    }

    /// All names with their numbers, for the documentation and its test.
    package static var all: [(name: String, number: Int32)] { names }
}

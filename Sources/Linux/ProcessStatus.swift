internal import CLinux

/// What /proc/PID/stat says of a process.
package struct ProcessStatus: Equatable {
    /// At most 15 bytes: that of the program, or what it gave itself.
    package let name: String
    /// The state letter: R, S, D, T, Z, X, ...
    package let state: UInt8
    package let parent: Int32
    package let processGroup: Int32
    package let session: Int32
    /// Clock ticks from boot to the start of the process: with the pid and the boot id its identity.
    package let startTime: UInt64

    /// Whether it has ended: a zombie (Z) or dead (X, x).
    package var hasEnded: Bool {
        state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") || state == UInt8(ascii: "x")
    }

    /// Reads /proc/PID/stat; ESRCH where there is no such process.
    package init(pid: Int32) throws(Errno) {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try BorrowedHandle.workingDirectory.readFile("/proc/\(pid)/stat", limit: 8192)
        } catch .enoent {
            throw .esrch
        }
        guard let status = ProcessStatus(parsing: bytes) else { throw .ebadmsg }
        self = status
    }

    /// Reads the line.
    ///
    /// The name, in parentheses, may hold anything, also parentheses and spaces.
    init?(parsing bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")),
            let start = bytes.firstIndex(of: UInt8(ascii: "(")), start < end
        else { return nil }
        let fields = bytes[(end + 1)...].split { $0 == 0x20 || $0 == 0x0a }
        guard fields.count > 19, let state = fields[0].first, let parent = number(fields[1]),
            let group = number(fields[2]), let session = number(fields[3]),
            let startTime = number(fields[19])
        else { return nil }
        self.state = state
        self.parent = Int32(truncatingIfNeeded: parent)
        processGroup = Int32(truncatingIfNeeded: group)
        self.session = Int32(truncatingIfNeeded: session)
        self.startTime = UInt64(truncatingIfNeeded: startTime)
        name = String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
    }
}

/// A decimal number, with a sign or without; `nil` for anything else.
func number(_ digits: some Sequence<UInt8>) -> Int64? {
    var value: Int64 = 0
    var isNegative = false
    var count = 0
    for digit in digits {
        if digit == UInt8(ascii: "-"), count == 0, !isNegative {
            isNegative = true
            continue
        }
        guard digit >= 0x30, digit <= 0x39 else { return nil }
        let (product, first) = value.multipliedReportingOverflow(by: 10)
        let (sum, second) = product.addingReportingOverflow(Int64(digit - 0x30))
        if first || second { return nil }
        value = sum
        count += 1
    }
    guard count > 0 else { return nil }
    return isNegative ? -value : value
}

internal import CLinux

/// A moment of the realtime clock.
package struct Timestamp: Equatable {
    package let seconds: Int64
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// CLOCK_REALTIME.
    package static func now() -> Timestamp {
        let (seconds, nanoseconds) = read(clock: 0)
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// As Go's time.RFC3339Nano prints it, in UTC: "2026-11-21T17:56:49.0123Z", no zeros at the end.
    package var rfc3339Nano: String {
        // Civil date from days, counted in years that begin in March so that a leap day comes last.
        let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let second = seconds - day * 86400
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let leapDays = dayOfEra / 1460 - dayOfEra / 36524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
        let time =
            "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        var fraction = [UInt8](padded(nanoseconds, 9).utf8)
        while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        let tail = fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self)
        return "\(date)T\(time)\(tail)Z"
    }
}

/// The monotonic clock, and waiting.
package enum MonotonicClock {
    /// CLOCK_MONOTONIC, nanoseconds.
    package static func now() -> Int64 {
        let (seconds, nanoseconds) = read(clock: 1)
        return seconds * 1_000_000_000 + nanoseconds
    }

    /// nanosleep(2); a signal ends it early.
    package static func sleep(nanoseconds: Int64) {
        _ = apus_sleep(nanoseconds)
    }
}

/// Bytes of getrandom(2).
package func randomBytes(_ count: Int) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let received = try retrying {
        unsafe bytes.withUnsafeMutableBytes { unsafe apus_random($0.baseAddress, $0.count) }
    }
    guard received == count else { throw .eio }
    return bytes
}

private func read(clock: Int32) -> (Int64, Int64) {
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    // It cannot fail: both clocks exist, and both places are ours.
    _ = unsafe apus_clock(clock, &seconds, &nanoseconds)
    return (seconds, nanoseconds)
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

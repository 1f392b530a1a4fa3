internal import CLinux

/// Numbers of signals that the runtime itself speaks of (x86, ARM and RISC-V share them).
package enum Signal {
    package static let hangup: Int32 = 1
    package static let interrupt: Int32 = 2
    package static let quit: Int32 = 3
    package static let kill: Int32 = 9
    package static let pipe: Int32 = 13
    package static let terminate: Int32 = 15
    package static let child: Int32 = 17
    package static let `continue`: Int32 = 18
    package static let stop: Int32 = 19
    package static let terminalStop: Int32 = 20
    package static let terminalInput: Int32 = 21
    package static let terminalOutput: Int32 = 22
    package static let urgent: Int32 = 23
    package static let windowChange: Int32 = 28
    package static let badSystemCall: Int32 = 31

    /// The names of signals 1 to 31, without "SIG", at their number.
    package static let names: [StaticString] = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
        "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU",
        "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ]

    private static let minimumRealtime: Int32 = 34
    private static let maximumRealtime: Int32 = 64

    /// Reads "9", "KILL", "SIGKILL", "kill", "RTMIN+3" or "RTMAX-1"; `nil` for anything else.
    package static func parse(_ text: String) -> Int32? {
        if let number = number(text.utf8) {
            return number >= 0 && number <= maximumRealtime ? Int32(number) : nil
        }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name = String(name.dropFirst(3)) }
        switch name {
        case "": return nil
        case "IOT": return 6
        case "CLD": return child
        case "POLL": return 29
        default: break
        }
        for (index, known) in names.enumerated() where known.description == name {
            return Int32(index)
        }
        guard name.hasPrefix("RTMIN") || name.hasPrefix("RTMAX") else { return nil }
        let base = name.hasPrefix("RTMIN") ? minimumRealtime : maximumRealtime
        var digits = [UInt8](name.utf8.dropFirst(5))
        if digits.isEmpty { return base }
        if digits[0] == UInt8(ascii: "+") { digits.removeFirst() }
        guard let offset = number(digits), offset >= -30, offset <= 30 else { return nil }
        let signal = base + Int32(offset)
        return signal >= minimumRealtime && signal <= maximumRealtime ? signal : nil
    }
}

/// A set of signals.
package struct SignalSet: Equatable {
    /// Bit n-1 stands for signal n.
    package private(set) var mask: UInt64

    package init(mask: UInt64 = 0) {
        self.mask = mask
    }

    package static let all = SignalSet(mask: ~0)

    package func contains(_ signal: Int32) -> Bool { mask & bit(signal) != 0 }

    package mutating func insert(_ signal: Int32) { mask |= bit(signal) }

    package mutating func remove(_ signal: Int32) { mask &= ~bit(signal) }

    /// Blocks exactly these signals in this thread (rt_sigprocmask); those that were blocked before.
    @discardableResult
    package func block() throws(Errno) -> SignalSet {
        var old: UInt64 = 0
        _ = try check(unsafe apus_signal_mask(2, mask, &old))
        return SignalSet(mask: old)
    }

    /// The signals that this thread blocks.
    package static func blocked() throws(Errno) -> SignalSet {
        var old: UInt64 = 0
        _ = try check(unsafe apus_signal_mask(0, 0, &old))
        return SignalSet(mask: old)
    }

    private func bit(_ signal: Int32) -> UInt64 { 1 << UInt64(signal - 1) }
}

/// A signal and the process that sent it.
package struct ReceivedSignal: Equatable {
    package let number: Int32
    /// 0: the kernel, or a process of a pid namespace that is not seen from here.
    package let sender: Int32
}

// @usableFromInline: see FileDescriptor.

/// Signals as something to read and poll (signalfd(2)); they are blocked as long as it lives.
@usableFromInline
package struct SignalReader: ~Copyable {
    package let handle: FileDescriptor
    private let before: SignalSet

    /// Blocks every signal, and reads all of them.
    package init() throws(Errno) {
        let nonBlockingCloseOnExec: Int32 = 0o2_004_000
        let reader = FileDescriptor(
            owning: try check(apus_signalfd(SignalSet.all.mask, nonBlockingCloseOnExec)))
        before = try SignalSet.all.block()
        handle = reader
    }

    deinit {
        _ = try? before.block()
    }

    /// The next pending signal; `nil` where there is none.
    package func next() throws(Errno) -> ReceivedSignal? {
        var pid: Int32 = 0
        let result = unsafe apus_read_signal(handle.raw, &pid)
        if result == -Errno.eagain.rawValue || result == -Errno.eintr.rawValue { return nil }
        return ReceivedSignal(number: try check(result), sender: pid)
    }
}

/// Ignores a signal in this process (SIG_IGN).
package func ignoreSignal(_ signal: Int32) throws(Errno) {
    _ = try check(apus_ignore_signal(signal))
}

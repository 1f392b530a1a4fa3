internal import CLinux

/// POLL* of poll(2).
package struct PollEvents: OptionSet {
    package let rawValue: Int16

    package init(rawValue: Int16) {
        self.rawValue = rawValue
    }

    package static let readable = PollEvents(rawValue: 0x1)
    package static let priority = PollEvents(rawValue: 0x2)
    package static let writable = PollEvents(rawValue: 0x4)
    /// Only ever reported, never asked for.
    package static let error = PollEvents(rawValue: 0x8)
    package static let hangup = PollEvents(rawValue: 0x10)
    package static let invalid = PollEvents(rawValue: 0x20)
}

/// The handles that one poll(2) waits for.
///
/// It borrows them: each must stay open as long as it is listed.
package struct PollSet {
    private var entries: [apus_poll] = []

    package init() {}

    /// Adds a handle, and says under which index its events are found.
    @discardableResult
    package mutating func add(
        _ handle: borrowing some Handle & ~Copyable, _ events: PollEvents
    ) -> Int {
        entries.append(apus_poll(fd: handle.raw, events: events.rawValue, revents: 0))
        return entries.count - 1
    }

    /// Changes what is waited for; `nil` leaves the handle out, and reports nothing of it.
    package mutating func set(
        _ index: Int, _ handle: borrowing some Handle & ~Copyable, _ events: PollEvents?
    ) {
        entries[index].fd = events == nil ? -1 : handle.raw
        entries[index].events = events?.rawValue ?? 0
        entries[index].revents = 0
    }

    /// What the last wait found for the handle added as `index`.
    package subscript(index: Int) -> PollEvents {
        PollEvents(rawValue: entries[index].revents)
    }

    /// ppoll(2); how many handles have events.
    ///
    /// A signal does not end it.
    ///
    /// - Parameter deadline: of `MonotonicClock`, nanoseconds; `nil` waits for ever.
    package mutating func wait(until deadline: Int64? = nil) throws(Errno) -> Int {
        while true {
            var left: Int64 = -1
            if let deadline { left = max(0, deadline - MonotonicClock.now()) }
            let result = unsafe entries.withUnsafeMutableBufferPointer {
                unsafe apus_poll($0.baseAddress, $0.count, left)
            }
            if result == -Errno.eintr.rawValue { continue }
            return Int(try check(result))
        }
    }
}

extension Handle where Self: ~Copyable {
    /// Waits until one of `events`, an error or a hangup; an empty set where the deadline passed first.
    package func poll(
        _ events: PollEvents, until deadline: Int64? = nil
    ) throws(Errno) -> PollEvents {
        var set = PollSet()
        set.add(self, events)
        _ = try set.wait(until: deadline)
        return set[0]
    }
}

/// The two ends of pipe2(2).
package struct Pipe: ~Copyable {
    package let reading: FileDescriptor
    package let writing: FileDescriptor

    /// Closes this process's writing end and keeps the other.
    package consuming func takeReading() -> FileDescriptor { reading }

    package init(isNonBlocking: Bool = false) throws(Errno) {
        var ends: [Int32] = [-1, -1]
        let closeOnExec: Int32 = 0o2_000_000
        let flags = isNonBlocking ? closeOnExec | 0o4000 : closeOnExec
        _ = try check(
            unsafe ends.withUnsafeMutableBufferPointer { unsafe apus_pipe($0.baseAddress, flags) })
        reading = FileDescriptor(owning: ends[0])
        writing = FileDescriptor(owning: ends[1])
    }
}

internal import CLinux

/// IN_* of inotify(7).
package struct WatchEvents: OptionSet {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let modified = WatchEvents(rawValue: 0x2)
    package static let movedFrom = WatchEvents(rawValue: 0x40)
    package static let movedTo = WatchEvents(rawValue: 0x80)
    package static let created = WatchEvents(rawValue: 0x100)
    package static let deleted = WatchEvents(rawValue: 0x200)
    package static let selfDeleted = WatchEvents(rawValue: 0x400)
    /// Events were lost; only ever reported.
    package static let overflow = WatchEvents(rawValue: 0x4000)
    /// The watch is gone; only ever reported.
    package static let ignored = WatchEvents(rawValue: 0x8000)
}

/// Files that are watched (inotify_init1(2)); its handle is readable when something happened.
package struct Watcher: ~Copyable {
    package let handle: FileDescriptor

    package init() throws(Errno) {
        let nonBlockingCloseOnExec: Int32 = 0o2_004_000
        handle = FileDescriptor(owning: try check(apus_inotify(nonBlockingCloseOnExec)))
    }

    /// inotify_add_watch(2); the number by which events name it.
    package func add(_ path: String, _ events: WatchEvents) throws(Errno) -> Int32 {
        try check(unsafe apus_inotify_watch(handle.raw, path, events.rawValue))
    }

    /// What has happened since the last call; does not wait.
    package func events() throws(Errno) -> [(watch: Int32, events: WatchEvents)] {
        var found: [(watch: Int32, events: WatchEvents)] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count: Int
            do throws(Errno) { count = try handle.read(into: &buffer) } catch .eagain {
                return found
            }
            // struct inotify_event: watch, mask, cookie, length of the name (4 bytes each), name.
            var start = 0
            while start + 16 <= count {
                let watch = Int32(bitPattern: word(buffer, at: start))
                found.append((watch, WatchEvents(rawValue: word(buffer, at: start + 4))))
                start += 16 + Int(word(buffer, at: start + 12))
            }
        }
    }
}

/// A number of the machine's byte order (every machine of the runtime is little-endian).
private func word(_ bytes: [UInt8], at start: Int) -> UInt32 {
    UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16
        | UInt32(bytes[start + 3]) << 24
}

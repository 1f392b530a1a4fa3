internal import DBus
internal import Linux

/// A connection to a bus on which systemd listens, the system's or the user's.
///
/// Every wait has a deadline: a bus or a systemd that hangs must not hang its callers.
struct Bus: ~Copyable {
    private let socket: FileDescriptor
    private let address: String
    private var serial: UInt32 = 0
    /// Received, not yet taken apart.
    private var buffer: [UInt8] = []
    /// Signals that came while something else was awaited.
    private var signals: [DBusMessage] = []

    /// For one answer, nanoseconds.
    private static let timeout: Int64 = 25_000_000_000
    /// For being let in, nanoseconds: the bus alone answers that.
    private static let loginTimeout: Int64 = 10_000_000_000

    /// Connects and logs in as the caller.
    static func connect(isUser: Bool) throws(CgroupFailure) -> Bus {
        let candidates = try BusAddress.candidates(isUser: isUser)
        var connected: FileDescriptor?
        var problem = Errno.enoent
        var place = ""
        for candidate in candidates where connected == nil {
            place = candidate.text
            do throws(Errno) {
                connected = try FileDescriptor.connect(candidate.socketName)
            } catch {
                problem = error
            }
        }
        guard let socket = connected else {
            throw BusAddress.unreachable(problem, at: place, isUser: isUser)
        }
        var bus = Bus(socket: socket, address: place)
        try bus.greet()
        _ = try bus.call(
            "Hello", on: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus",
            of: "org.freedesktop.DBus")
        return bus
    }

    private init(socket: consuming FileDescriptor, address: String) {
        self.socket = socket
        self.address = address
    }

    // MARK: - Calls

    /// A call of systemd's manager.
    mutating func manager(
        _ member: String, _ body: [DBusValue] = []
    ) throws(CgroupFailure) -> [DBusValue] {
        try call(
            member, on: "/org/freedesktop/systemd1", interface: "org.freedesktop.systemd1.Manager",
            of: "org.freedesktop.systemd1", body)
    }

    /// A property of one of systemd's objects.
    mutating func property(
        _ name: String, of path: String, interface: String
    ) throws(CgroupFailure) -> DBusValue {
        let body = try call(
            "Get", on: path, interface: "org.freedesktop.DBus.Properties",
            of: "org.freedesktop.systemd1", [.string(interface), .string(name)])
        guard case .variant(let value)? = body.first else {
            throw CgroupFailure("systemd answered without the property \(name)")
        }
        return value
    }

    /// Makes the bus pass on systemd's announcements of finished jobs.
    mutating func subscribe() throws(CgroupFailure) {
        _ = try call(
            "AddMatch", on: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus",
            of: "org.freedesktop.DBus",
            [
                .string(
                    "type='signal',sender='org.freedesktop.systemd1',"
                        + "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'")
            ])
        _ = try manager("Subscribe")
    }

    /// Waits for the end of a job: "done", "failed", "timeout", "canceled", "dependency", ...
    mutating func awaitJob(
        _ job: String, of unit: String, milliseconds: Int
    ) throws(CgroupFailure) -> String {
        let deadline = MonotonicClock.now() + Int64(milliseconds) * 1_000_000
        while true {
            var pending: [DBusMessage] = []
            swap(&pending, &signals)
            for signal in pending where signal.member == "JobRemoved" && signal.body.count == 4 {
                guard signal.body[1].text == job, let result = signal.body[3].text else { continue }
                return result
            }
            let message = try receive(
                until: deadline, for: "systemd to finish the job of \(unit)")
            if message.kind == .signal { signals.append(message) }
        }
    }

    /// Sends a call and returns the body of its answer.
    ///
    /// - Throws: a `CgroupFailure` whose operation begins with the error's name.
    private mutating func call(
        _ member: String, on path: String, interface: String, of destination: String,
        _ body: [DBusValue] = []
    ) throws(CgroupFailure) -> [DBusValue] {
        serial += 1
        let message = DBusMessage.call(
            member, on: path, interface: interface, of: destination, serial: serial, body: body)
        try send(message.encoded())
        let deadline = MonotonicClock.now() + Self.timeout
        while true {
            let answer = try receive(until: deadline, for: "an answer to \(member)")
            if answer.kind == .signal { signals.append(answer) }
            guard answer.replySerial == serial else { continue }
            if answer.kind == .methodReturn { return answer.body }
            guard answer.kind == .error else { continue }
            throw CgroupFailure(
                (answer.errorName ?? "an unnamed error") + ": " + (answer.body.first?.text ?? ""),
                path: address, hint: Self.hint(answer.errorName ?? ""))
        }
    }

    private static func hint(_ error: String) -> String {
        switch error {
        case "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
            "org.freedesktop.DBus.Error.AccessDenied":
            "the system's systemd obeys root alone; use the user's, or leave out --systemd-cgroup"
        case "org.freedesktop.DBus.Error.ServiceUnknown",
            "org.freedesktop.DBus.Error.NameHasNoOwner":
            "systemd is not on this bus; leave out --systemd-cgroup"
        default: ""
        }
    }

    // MARK: - Bytes

    private mutating func greet() throws(CgroupFailure) {
        try send(DBusGreeting.request(uid: BusAddress.callerID()))
        let deadline = MonotonicClock.now() + Self.loginTimeout
        var end: Int?
        while end == nil {
            guard buffer.count < 4096 else {
                throw CgroupFailure("the bus answers without an end", path: address)
            }
            try receiveMore(until: deadline, for: "the bus to accept the caller")
            end = buffer.firstIndex(of: UInt8(ascii: "\n"))
        }
        guard let end else { return }
        let line = trimmed(String(decoding: buffer[..<end].filter { $0 != 13 }, as: UTF8.self))
        buffer.removeFirst(end + 1)
        do throws(DBusError) {
            try DBusGreeting.check(answer: line)
        } catch {
            throw CgroupFailure(error.message, path: address)
        }
        try send(DBusGreeting.begin)
    }

    private func send(_ bytes: [UInt8]) throws(CgroupFailure) {
        do throws(Errno) {
            var rest = bytes
            while !rest.isEmpty { rest.removeFirst(try socket.send(rest)) }
        } catch {
            throw CgroupFailure("talk to the bus", error, path: address)
        }
    }

    private mutating func receive(
        until deadline: Int64, for what: String
    ) throws(CgroupFailure) -> DBusMessage {
        while true {
            do throws(DBusError) {
                if buffer.count >= DBusMessage.fixedSize {
                    let length = try DBusMessage.length(
                        fixedPart: Array(buffer.prefix(DBusMessage.fixedSize)))
                    if buffer.count >= length {
                        let bytes = Array(buffer.prefix(length))
                        buffer.removeFirst(length)
                        return try DBusMessage.decode(bytes)
                    }
                }
            } catch {
                throw CgroupFailure("the bus sent \(error.message)", path: address)
            }
            try receiveMore(until: deadline, for: what)
        }
    }

    private mutating func receiveMore(
        until deadline: Int64, for what: String
    ) throws(CgroupFailure) {
        do throws(Errno) {
            guard !(try socket.poll(.readable, until: deadline)).isEmpty else {
                throw Errno.etimedout
            }
            // A handle that comes along is closed with the message.
            let received = try socket.receive(limit: 16384)
            guard !received.bytes.isEmpty else { throw Errno.econnreset }
            buffer += received.bytes
        } catch {
            throw CgroupFailure("wait for \(what)", error, path: address)
        }
    }
}

/// Where the bus is, and as whom the caller is known there.
enum BusAddress {
    struct Candidate: Equatable {
        /// For connect(2): a path, or an abstract name after a NUL.
        let socketName: String
        let text: String
    }

    static func candidates(isUser: Bool) throws(CgroupFailure) -> [Candidate] {
        let variable = isUser ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"
        guard let list = environment(variable) else {
            guard isUser else { return [path("/run/dbus/system_bus_socket")] }
            let directory = environment("XDG_RUNTIME_DIR") ?? "/run/user/\(callerID())"
            return [path(directory + "/bus")]
        }
        do throws(DBusError) {
            var candidates: [Candidate] = []
            for address in try DBusAddress.parse(list) {
                switch address {
                case .path(let name): candidates.append(path(name))
                case .abstract(let name):
                    candidates.append(Candidate(socketName: "\0" + name, text: "@" + name))
                }
            }
            return candidates
        } catch {
            throw CgroupFailure(error.message, path: variable)
        }
    }

    private static func path(_ name: String) -> Candidate {
        Candidate(socketName: name, text: name)
    }

    /// The caller's uid as processes outside its user namespace see it.
    static func callerID() -> UInt32 {
        let uid = CurrentProcess.effectiveUID
        let text = try? BorrowedHandle.workingDirectory.readText("/proc/self/uid_map")
        return text.flatMap { outerID(of: uid, map: $0) } ?? uid
    }

    /// Looks an id up in a uid_map: lines of inner first id, outer first id, count.
    static func outerID(of uid: UInt32, map: String) -> UInt32? {
        for line in words(of: map) where line.count == 3 {
            guard let inner = parseNumber(line[0]), let outer = parseNumber(line[1]),
                let count = parseNumber(line[2]), UInt64(uid) >= inner,
                UInt64(uid) - inner < count
            else { continue }
            return UInt32(exactly: outer + UInt64(uid) - inner)
        }
        return nil
    }

    /// A variable of the environment the runtime was started with.
    private static func environment(_ name: String) -> String? {
        let bytes = try? BorrowedHandle.workingDirectory.readFile(
            "/proc/self/environ", limit: 4 << 20)
        guard let bytes else { return nil }
        let prefix = Array((name + "=").utf8)
        for entry in bytes.split(separator: 0)
        where entry.starts(with: prefix) && entry.count > prefix.count {
            return String(decoding: entry.dropFirst(prefix.count), as: UTF8.self)
        }
        return nil
    }

    static func unreachable(_ errno: Errno, at place: String, isUser: Bool) -> CgroupFailure {
        let advice =
            isUser
            ? "loginctl enable-linger, and a login session (XDG_RUNTIME_DIR) or "
                + "DBUS_SESSION_BUS_ADDRESS; or leave out --systemd-cgroup"
            : "is this host run by systemd? otherwise leave out --systemd-cgroup"
        return CgroupFailure("connect to systemd's bus", errno, path: place, hint: advice)
    }
}

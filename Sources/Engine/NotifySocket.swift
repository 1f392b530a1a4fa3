internal import Linux

/// What the container says to its service manager, sd_notify(3), passed on by the runtime: the
/// manager would take nothing from a process it does not know.
///
/// `create` makes a directory of the state that is mounted on /run/notify, and `start` the socket in
/// it, before the program runs that may need it.
struct NotifySocket: ~Copyable {
    static let directoryName = "notify"
    private static let name = "notify.sock"
    /// What is passed on of the container's own; its MAINPID and handles mean nothing outside.
    private static let passed = ["READY=", "STATUS=", "ERRNO=", "EXTEND_TIMEOUT_USEC="]
    /// How long the manager may take to have read everything, nanoseconds.
    private static let patience: Int64 = 5_000_000_000

    /// The container's socket.
    let handle: FileDescriptor
    /// The manager's, connected.
    private let manager: FileDescriptor

    /// Binds the container's socket.
    ///
    /// - Parameter address: NOTIFY_SOCKET of the runtime: a path, or "@" and an abstract name.
    /// - Returns: nil where the container was not created with one.
    static func bind(
        in directory: borrowing ContainerDirectory, to address: String
    ) throws(Failure) -> NotifySocket? {
        do throws(Errno) {
            let place: FileDescriptor
            do throws(Errno) {
                place = try directory.handle.open(directoryName, [.directory, .noFollow])
            } catch .enoent {
                return nil
            }
            do throws(Errno) { try place.unlink(name) } catch .enoent {}
            // For every user of the container; the way to it is the container's mount.
            let mask = CurrentProcess.setUmask(0)
            defer { CurrentProcess.setUmask(mask) }
            let handle = try FileDescriptor.listen(place.procPath + "/" + name, .datagram)
            return NotifySocket(handle: handle, manager: try connect(address))
        } catch {
            throw Failure("connect the container to the service manager", error, path: address)
                .at("NOTIFY_SOCKET")
        }
    }

    private static func connect(_ address: String) throws(Errno) -> FileDescriptor {
        let isAbstract = address.utf8.first == UInt8(ascii: "@")
        let path = isAbstract ? "\0" + String(address.dropFirst()) : address
        return try FileDescriptor.connect(path, .datagram)
    }

    /// Reads one message of the container, and passes on what the manager should know.
    ///
    /// - Parameter process: the container's, which READY makes the service's main process.
    /// - Returns: whether the container is ready.
    func relay(mainProcess process: Int32?) throws(Errno) -> Bool {
        let message = try handle.receive(limit: 4096)
        var text = ""
        var isReady = false
        for line in message.bytes.split(separator: UInt8(ascii: "\n")) {
            for word in Self.passed where line.starts(with: word.utf8) {
                text += String(decoding: line, as: UTF8.self) + "\n"
            }
            if line.elementsEqual("READY=1".utf8) { isReady = true }
        }
        if isReady, let process { text = "MAINPID=\(process)\n" + text }
        if !text.isEmpty { _ = try manager.send(Array(text.utf8)) }
        return isReady
    }

    /// Waits until the container is ready, or its process has ended.
    func relay(until process: borrowing ProcessHandle) throws(Errno) {
        var polled = PollSet()
        let message = polled.add(handle, .readable)
        polled.add(process.handle, .readable)
        while true {
            _ = try polled.wait()
            guard !polled[message].isEmpty else { return }
            if try relay(mainProcess: process.pid) { return try synchronize() }
        }
    }

    /// Waits until the manager has read everything, sd_notify_barrier(3): it closes the handle then.
    ///
    /// From a process that has ended it would take nothing.
    private func synchronize() throws(Errno) {
        let pipe = try Pipe()
        _ = try manager.send(Array("BARRIER=1".utf8), handles: [pipe.writing.borrowed])
        let reading = pipe.takeReading()
        _ = try reading.poll([], until: MonotonicClock.now() + Self.patience)
    }
}

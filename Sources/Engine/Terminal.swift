internal import Linux

/// The user's terminal in raw mode; put back as it was when this goes out of scope.
///
/// Signals are read and not delivered while it lives (`SignalReader`), so that none ends the runtime
/// before that.
struct RawTerminal: ~Copyable {
    private let terminal: BorrowedHandle
    private let settings: TerminalSettings

    /// nil where the handle is no terminal.
    init?(_ terminal: BorrowedHandle) {
        guard let settings = try? TerminalSettings(of: terminal) else { return nil }
        self.terminal = terminal
        self.settings = settings
        enter()
    }

    deinit {
        leave()
    }

    func enter() {
        try? settings.makeRaw(terminal)
    }

    func leave() {
        try? settings.restore(to: terminal)
    }
}

/// Bytes on their way from one handle to another: at most one buffer of them, so that a slow reader
/// slows the writer down.
struct Transfer {
    private static let bufferSize = 16384

    private var buffer = [UInt8](repeating: 0, count: bufferSize)
    private var start = 0
    private var end = 0
    /// The source has ended, or failed.
    private(set) var isSourceDone = false
    /// The target takes no more; what comes is thrown away, so that the writer is not held up.
    private var isTargetDone = false

    var isEmpty: Bool { start == end }
    var wantsRead: Bool { isEmpty && !isSourceDone }

    /// Reads once; says whether anything came.
    mutating func fill(from source: borrowing some Handle & ~Copyable) -> Bool {
        do throws(Errno) {
            let count = try source.read(into: &buffer)
            if count == 0 { isSourceDone = true }
            start = 0
            end = isTargetDone ? 0 : count
            return count > 0
        } catch .eagain {
            return false
        } catch {
            // EIO: a hangup, or a background process at its terminal.
            isSourceDone = true
            return false
        }
    }

    /// Writes once.
    mutating func drain(to target: borrowing some Handle & ~Copyable) {
        do throws(Errno) {
            start += try target.write(buffer, from: start, to: end)
        } catch .eagain {
        } catch {
            isTargetDone = true
            start = end
        }
    }

    /// A pty's master reports an end when no process has it open; another may open it later.
    mutating func reopen() {
        isSourceDone = false
    }
}

/// Waits in the foreground for a container's process: passes on signals, and the user's terminal.
///
/// Make it before the process is started, so that no signal is lost in between.
struct Foreground: ~Copyable {
    private let signals: SignalReader
    /// The user's side of the container's terminal.
    private let input: BorrowedHandle
    private let output: FileDescriptor

    /// Blocks all signals, which from now on are read.
    init(
        input: BorrowedHandle = .standardInput, output: BorrowedHandle = .standardOutput
    ) throws(Errno) {
        self.input = input
        let own = try Foreground.reopened(output)
        signals = try SignalReader()
        self.output = own
    }

    /// The output as an open file of our own where possible: O_NONBLOCK is shared by all who inherited it.
    private static func reopened(_ output: BorrowedHandle) throws(Errno) -> FileDescriptor {
        let status = try output.status()
        // Opening the master of a pty anew makes another pty.
        let isMaster = status.specialDevice == DeviceNumber(major: 5, minor: 2)
        if status.type == .characterDevice && !isMaster || status.type == .fifo,
            let own = try? FileDescriptor.open(output.procPath, [.writeOnly, .nonBlocking])
        {
            return own
        }
        return try output.duplicate()
    }

    /// Waits for `process`, a child, to end, and reaps it.
    ///
    /// Other children that end are reaped too.
    ///
    /// - Parameter master: the container's terminal, where it has one and the user's is connected to it.
    func wait(
        for process: borrowing ProcessHandle, master: consuming FileDescriptor? = nil,
        notify: consuming NotifySocket? = nil
    ) throws(Errno) -> ExitStatus {
        guard let master else {
            try waitWithoutTerminal(for: process, notify)
            return try process.wait()
        }
        try? master.setNonBlocking(true)
        let terminal = RawTerminal(input)
        resize(master)
        try pump(process, master, terminal, notify)
        return try process.wait()
    }

    /// Watches the socket on which the container says that it is ready.
    private func add(_ notify: borrowing NotifySocket?, to polled: inout PollSet) -> Int? {
        switch notify {
        case .some(let notify): polled.add(notify.handle, .readable)
        case .none: nil
        }
    }

    /// The manager knows this process as the service's main one, so it learns of no other.
    private func relay(_ notify: borrowing NotifySocket?) {
        switch notify {
        case .some(let notify): _ = try? notify.relay(mainProcess: nil)
        case .none: break
        }
    }

    private func waitWithoutTerminal(
        for process: borrowing ProcessHandle, _ notify: borrowing NotifySocket?
    ) throws(Errno) {
        var polled = PollSet()
        let message = add(notify, to: &polled)
        let end = polled.add(process.handle, .readable)
        let signal = polled.add(signals.handle, .readable)
        while true {
            _ = try polled.wait()
            if !polled[end].isEmpty { return }
            if let message, !polled[message].isEmpty { relay(notify) }
            guard !polled[signal].isEmpty else { continue }
            while let received = try signals.next() {
                try handle(received, process)
            }
        }
    }

    /// Acts on a signal that has nothing to do with the terminal.
    private func handle(
        _ received: ReceivedSignal, _ process: borrowing ProcessHandle
    ) throws(Errno) {
        switch received.number {
        case Signal.child:
            reapOthers(than: process.pid)
        case Signal.urgent:
            break
        case Signal.pipe where received.sender == CurrentProcess.pid:
            // Of a write of our own.
            break
        case Signal.terminalStop where input.isTerminal:
            // ^Z of the user's shell: both stop, and both go on when the shell says so. SIGCONT comes
            // as a signal to pass on.
            try forward(received.number, to: process)
            try Linux.kill(pid: CurrentProcess.pid, signal: Signal.stop)
        default:
            try forward(received.number, to: process)
        }
    }

    private func forward(_ signal: Int32, to process: borrowing ProcessHandle) throws(Errno) {
        do throws(Errno) {
            try process.send(signal: signal)
        } catch .esrch {
            // It has ended; the wait finds that next.
        }
    }

    /// Reaps what has become our child: a process of the container whose parent ended.
    private func reapOthers(than pid: Int32) {
        while let event = try? waitForAnyChild([.ended, .doNotWait, .keep]) {
            guard case .ended(let other, _) = event, other != pid,
                let process = try? ProcessHandle(pid: other)
            else { return }
            _ = try? process.wait()
        }
    }

    private func resize(_ master: borrowing FileDescriptor) {
        guard let size = try? input.windowSize(), size.rows > 0, size.columns > 0 else { return }
        try? master.setWindowSize(size)
    }
}

// MARK: - The terminal

extension Foreground {
    /// How long a master that nobody has open is left alone, nanoseconds.
    private static let reopenInterval: Int64 = 50_000_000

    /// Copies in both directions until the process has ended and its output is written.
    private func pump(
        _ process: borrowing ProcessHandle, _ master: borrowing FileDescriptor,
        _ terminal: borrowing RawTerminal?, _ notify: borrowing NotifySocket?
    ) throws(Errno) {
        var toContainer = Transfer()
        var fromContainer = Transfer()
        var polled = PollSet()
        let signal = polled.add(signals.handle, .readable)
        let end = polled.add(process.handle, .readable)
        let user = polled.add(input, .readable)
        let screen = polled.add(output, .writable)
        let console = polled.add(master, .readable)
        let message = add(notify, to: &polled)
        while true {
            polled.set(user, input, toContainer.wantsRead ? .readable : nil)
            polled.set(screen, output, fromContainer.isEmpty ? nil : .writable)
            var wanted: PollEvents = fromContainer.wantsRead ? .readable : []
            if !toContainer.isEmpty { wanted.insert(.writable) }
            // A hangup is always reported: a master that is asked for nothing is left out.
            polled.set(console, master, wanted.isEmpty || fromContainer.isSourceDone ? nil : wanted)
            let pause = fromContainer.isSourceDone
            let found = try polled.wait(
                until: pause ? MonotonicClock.now() + Foreground.reopenInterval : nil)
            if pause, found == 0 { fromContainer.reopen() }
            if !polled[signal].isEmpty { try handleSignals(process, master, terminal) }
            if let message, !polled[message].isEmpty { relay(notify) }
            if !polled[user].isEmpty { _ = toContainer.fill(from: input) }
            if !polled[screen].isEmpty { fromContainer.drain(to: output) }
            if polled[console].contains(.writable) { toContainer.drain(to: master) }
            if fromContainer.wantsRead, !polled[console].subtracting(.writable).isEmpty {
                _ = fromContainer.fill(from: master)
            }
            if !polled[end].isEmpty { break }
        }
        try finish(&fromContainer, master)
    }

    /// Writes what the container's processes wrote before the end of the first.
    ///
    /// A process that still runs may go on writing for ever, so what is there now is all. A signal
    /// that would end a program ends this.
    private func finish(
        _ transfer: inout Transfer, _ master: borrowing FileDescriptor
    ) throws(Errno) {
        var polled = PollSet()
        let signal = polled.add(signals.handle, .readable)
        polled.add(output, .writable)
        transfer.reopen()
        while !transfer.isEmpty || transfer.fill(from: master) || !transfer.isSourceDone {
            if transfer.isEmpty { return }
            _ = try polled.wait()
            transfer.drain(to: output)
            guard !polled[signal].isEmpty else { continue }
            while let received = try signals.next() {
                switch received.number {
                case Signal.hangup, Signal.interrupt, Signal.quit, Signal.terminate: return
                default: break
                }
            }
        }
    }

    private func handleSignals(
        _ process: borrowing ProcessHandle, _ master: borrowing FileDescriptor,
        _ terminal: borrowing RawTerminal?
    ) throws(Errno) {
        while let received = try signals.next() {
            switch received.number {
            case Signal.windowChange:
                resize(master)
            case Signal.terminalStop where input.isTerminal:
                // Sent by somebody: in raw mode ^Z is the container's.
                leave(terminal)
                try handle(received, process)
                enter(terminal)
                resize(master)
            default:
                try handle(received, process)
            }
        }
    }

    private func leave(_ terminal: borrowing RawTerminal?) {
        switch terminal {
        case .some(let raw): raw.leave()
        case .none: break
        }
    }

    private func enter(_ terminal: borrowing RawTerminal?) {
        switch terminal {
        case .some(let raw): raw.enter()
        case .none: break
        }
    }
}

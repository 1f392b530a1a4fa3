internal import CInit
internal import Linux
internal import Plan

/// What the init stage says to the runtime; struct apus_message of CInit.h.
enum InitMessage: Equatable {
    /// It has come to a checkpoint in this step, and waits for `proceed`.
    case request(Checkpoint, step: Int)
    /// The step of this index of the plan failed; `text` is the path or program concerned. It ends.
    case failure(step: Int, Errno, text: String)
    /// As `failure`, but it goes on.
    case warning(step: Int, Errno, text: String)
    /// It goes on as this process, a brother (see `InitProcess.follow`).
    case process(pid: Int32)
    /// The hook of this step failed, and so did the container; `text` is the hook's output.
    case hookFailure(step: Int, HookEnd, text: String)

    /// How a hook inside the container failed.
    enum HookEnd: Equatable {
        case ended(ExitStatus)
        /// It could not be started, or ETIMEDOUT: it was killed at the end of its time.
        case failed(Errno)
    }
}

extension InitMessage {
    /// The size of struct apus_message.
    static let headSize = 16
    /// The most that one packet holds, bytes.
    static let sizeLimit = headSize + Int(APUS_TEXT_MAX)

    /// Reads one message at the start of `bytes`; nil where they are none.
    ///
    /// - Returns: the message, and its size in bytes.
    static func read(_ bytes: ArraySlice<UInt8>) -> (message: InitMessage, size: Int)? {
        guard bytes.count >= headSize else { return nil }
        let step = Int(word(bytes, 1))
        let value = word(bytes, 2)
        let textSize = Int(word(bytes, 3))
        let start = bytes.startIndex + headSize
        guard textSize >= 0, textSize <= Int(APUS_TEXT_MAX), textSize <= bytes.endIndex - start
        else { return nil }
        let text = String(decoding: bytes[start..<start + textSize], as: UTF8.self)
        guard
            let message = InitMessage(kind: word(bytes, 0), step: step, value: value, text: text)
        else { return nil }
        return (message, headSize + textSize)
    }

    /// All messages of a stream, as the report of the gate is one; an incomplete one at the end is left out.
    static func readAll(_ bytes: [UInt8]) -> [InitMessage] {
        var messages: [InitMessage] = []
        var rest = bytes[...]
        while let (message, size) = read(rest) {
            messages.append(message)
            rest = rest.dropFirst(size)
        }
        return messages
    }

    private init?(kind: Int32, step: Int, value: Int32, text: String) {
        switch kind {
        case Int32(APUS_REQUEST.rawValue):
            guard let checkpoint = Checkpoint(rawValue: Int(value)) else { return nil }
            self = .request(checkpoint, step: step)
        case Int32(APUS_FAILURE.rawValue):
            self = .failure(step: step, Errno(value), text: text)
        case Int32(APUS_WARNING.rawValue):
            self = .warning(step: step, Errno(value), text: text)
        case Int32(APUS_PROCESS.rawValue):
            guard value > 0 else { return nil }
            self = .process(pid: value)
        case Int32(APUS_HOOK.rawValue):
            self = .hookFailure(step: step, HookEnd(value), text: text)
        default: return nil
        }
    }

    /// The number at `index` of the head, in the machine's order (little-endian, all of them).
    private static func word(_ bytes: ArraySlice<UInt8>, _ index: Int) -> Int32 {
        let start = bytes.startIndex + 4 * index
        let value =
            UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16
            | UInt32(bytes[start + 3]) << 24
        return Int32(bitPattern: value)
    }

    /// The answer to a request.
    static func proceed(_ checkpoint: Checkpoint) -> [UInt8] {
        var bytes: [UInt8] = []
        let words = [Int32(APUS_PROCEED.rawValue), -1, Int32(checkpoint.rawValue), 0]
        for word in words {
            let bits = UInt32(bitPattern: word)
            for shift in [0, 8, 16, 24] as [UInt32] {
                bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
            }
        }
        return bytes
    }
}

extension InitMessage.HookEnd {
    /// Reads a wait status, or -errno.
    init(_ value: Int32) {
        if value < 0 {
            self = .failed(Errno(-value))
        } else if value & 0x7f == 0 {
            self = .ended(.exited(value >> 8 & 0xff))
        } else {
            self = .ended(.signaled(value & 0x7f))
        }
    }
}

/// What comes of waiting for the init stage.
struct InitEvent: ~Copyable {
    /// nil: there will be no further message.
    ///
    /// The init stage has ended, or has executed the container's program (`InitProcess.process` tells which).
    let message: InitMessage?
    /// The handle that came along: the terminal's master, the seccomp listener, a tree.
    private var handle: FileDescriptor?

    init(_ message: InitMessage?, handle: consuming FileDescriptor? = nil) {
        self.message = message
        self.handle = handle
    }

    /// Moves the handle out; EPROTO where none came.
    consuming func takeHandle() throws(Errno) -> FileDescriptor {
        guard let handle else { throw .eproto }
        return handle
    }
}

extension InitProcess {
    /// Waits for the next message of the init stage, or for its end.
    ///
    /// There is no deadline: what is waited for is a process of our own, and its death ends the wait
    /// even where something else still holds its end of the socket. EPROTO: the message makes no sense.
    func receive() throws(Errno) -> InitEvent {
        var polled = PollSet()
        let socket = polled.add(sync, .readable)
        polled.add(process.handle, .readable)
        _ = try polled.wait()
        // What it said before its end comes first.
        guard !polled[socket].isEmpty else { return InitEvent(nil) }
        let received: ReceivedMessage
        do throws(Errno) {
            received = try sync.receive(limit: InitMessage.sizeLimit)
        } catch .econnreset {
            return InitEvent(nil)
        }
        if received.bytes.isEmpty { return InitEvent(nil) }
        guard !received.isTruncated,
            let (message, size) = InitMessage.read(received.bytes[...]),
            size == received.bytes.count
        else { throw .eproto }
        return InitEvent(message, handle: received.takeHandle())
    }

    /// Lets the init stage go on from a checkpoint; EPIPE where it has ended.
    func proceed(from checkpoint: Checkpoint) throws(Errno) {
        _ = try sync.send(InitMessage.proceed(checkpoint))
    }
}

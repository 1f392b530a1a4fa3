internal import Engine
internal import JSON
internal import Linux
internal import Options

/// Where errors and warnings become text: on standard error, and in the file of `--log`.
///
/// Engines read both (spec/errors.md): a failed call leaves exactly one object of level error in
/// the log, and nothing else is there unless `--debug` asked for it.
final class Log {
    private enum Level: String {
        case error
        case warning
        case debug
    }

    private let path: String?
    private let isJSON: Bool
    private let showsWarnings: Bool
    /// Whether what the program does is told, too.
    let showsSteps: Bool
    private var file: FileDescriptor?

    init(options: Arguments) {
        let path = options.value("log")
        self.path = path == "" ? nil : path
        isJSON = options.value("log-format") == "json"
        let level = options.value("log-level")
        showsSteps = options.has("debug") || level == "debug"
        showsWarnings = showsSteps || level == "info" || level == "warning"
    }

    /// Opens the file, so that a call whose errors nobody could read fails before it does anything.
    func open() throws(Failure) {
        guard let path else { return }
        do throws(Errno) {
            file = try FileDescriptor.open(path, [.writeOnly, .create, .append], mode: 0o644)
        } catch {
            throw Failure("open the log", error, path: path)
        }
    }

    /// The reason why the call fails.
    func error(_ message: String) { report(.error, message) }

    /// Something a person may want to know; the call goes on.
    func warning(_ message: String) {
        guard showsWarnings else { return }
        report(.warning, message)
    }

    /// What the program does: a line of the log, which people see only where there is no file for it.
    func step(_ message: String) {
        let line = line(.debug, message)
        if let number = file?.raw { return append(line, to: BorrowedHandle(number)) }
        append(line, to: .standardError)
    }

    private func report(_ level: Level, _ message: String) {
        if file == nil, path != nil { try? open() }
        let line = line(level, message)
        if let number = file?.raw { append(line, to: BorrowedHandle(number)) }
        // With a file the form of standard error is for people, and for conmon, which shows it.
        let note = level == .error ? message : "warning: " + message
        let text = isJSON && file == nil ? line : "\(Program.name): \(note)\n"
        append(text, to: .standardError)
    }

    /// Appends in one write, so that lines of several processes do not mix.
    private func append(_ text: String, to file: BorrowedHandle) {
        do throws(Errno) {
            try file.writeAll(text)
        } catch {
            // There is no place left to say so.
        }
    }

    private func line(_ level: Level, _ message: String) -> String {
        let time = Timestamp.now().rfc3339Nano
        var writer = JSONWriter()
        guard isJSON else {
            writer.string(message)
            let quoted = String(decoding: writer.finish(), as: UTF8.self)
            return "time=\"\(time)\" level=\(level.rawValue) msg=\(quoted)\n"
        }
        writer.beginObject()
        writer.key("level")
        writer.string(level.rawValue)
        writer.key("msg")
        writer.string(message)
        writer.key("time")
        writer.string(time)
        writer.endObject()
        return String(decoding: writer.finish(), as: UTF8.self) + "\n"
    }
}

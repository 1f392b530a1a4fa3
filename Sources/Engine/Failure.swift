internal import Cgroups
package import Linux
internal import OCI

/// Why a verb failed: where, doing what, and what the kernel said.
///
/// Rendered by `message`, once.
package struct Failure: Error {
    /// What asked for it: a place in config.json ("mounts[3]"), or the container; "" where the
    /// operation says all.
    package var origin = ""
    /// What was tried, or, without an errno, the whole of what is wrong.
    package var operation: String
    package var errno: Errno?
    /// The path or program that the errno is about.
    package var path = ""
    /// What a person can do about it.
    package var hint = ""
    /// The command's exit code.
    package var exitCode: Int32 = 1
    /// What went wrong while the failure was being cleaned up.
    package var aftermath: [String] = []

    package init(_ operation: String) {
        self.operation = operation
    }

    package init(_ operation: String, _ errno: Errno, path: String = "") {
        self.operation = operation
        self.errno = errno
        self.path = path
    }

    /// The failure in one line: `mounts[3]: bind /nope -> /y: ENOENT (/nope): missing`.
    ///
    /// The words after the errno are part of the interface: engines look for them. What podman and
    /// docker take for a missing program (`no such file`, `not found`: exit code 127) stands only where
    /// the program is missing, so ENOENT of anything else is worded in another way than the kernel's.
    package var message: String {
        var text = origin
        Self.append(operation, to: &text)
        if let errno {
            Self.append(path.isEmpty ? errno.name : "\(errno.name) (\(path))", to: &text)
            Self.append(errno == .enoent ? "missing" : errno.message, to: &text)
        }
        let hint = hint.isEmpty && errno == .enosys ? Self.kernelHint : hint
        if !hint.isEmpty { text += "; " + hint }
        for further in aftermath { text += "; then " + further }
        return Self.oneLine(text)
    }

    private static func append(_ part: String, to text: inout String) {
        guard !part.isEmpty else { return }
        if !text.isEmpty { text += ": " }
        text += part
    }

    /// What a call that is not there means.
    static let kernelHint =
        "Linux 5.14 or newer is needed, and no seccomp filter that forbids its calls"

    /// At most this many bytes of a message are shown: conmon and the shim keep no more.
    private static let limit = 8000

    /// Control characters become spaces: a log line, and the JSON in it, is one line.
    private static func oneLine(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if bytes.count == limit { break }
            bytes.append(byte < 0x20 || byte == 0x7f ? 0x20 : byte)
        }
        while bytes.last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Failure {
    /// The container is not there.
    ///
    /// containerd and podman take "does not exist" as success of delete.
    static func unknown(_ id: String) -> Failure {
        Failure("container \"\(id)\" does not exist")
    }

    static func damaged(_ id: String, _ reason: String) -> Failure {
        var failure = Failure("container \"\(id)\": its record is damaged (\(reason))")
        failure.hint = "delete --force kills what is left of it and removes it"
        return failure
    }

    /// The same failure, told about a part of what was asked.
    func at(_ origin: String) -> Failure {
        var located = self
        if located.origin.isEmpty { located.origin = origin }
        return located
    }

    package func withExitCode(_ code: Int32) -> Failure {
        var changed = self
        changed.exitCode = code
        return changed
    }
}

/// Runs a system call and, where it fails, says what was being done.
func attempt<Value: ~Copyable>(
    _ operation: @autoclosure () -> String, path: @autoclosure () -> String = "",
    _ body: () throws(Errno) -> Value
) throws(Failure) -> Value {
    do {
        return try body()
    } catch {
        throw Failure(operation(), error, path: path())
    }
}

extension Failure {
    init(_ failure: CgroupFailure) {
        self.init(failure.operation)
        origin = failure.origin
        errno = failure.errno
        path = failure.path
        if errno == nil, !path.isEmpty { operation += " (\(path))" }
        hint = failure.hint
    }

    init(_ error: ConfigError, in file: String) {
        self.init(error.message)
        origin = error.path.isEmpty ? file : error.path
    }
}

/// Runs an operation on a cgroup whose failure becomes one of the verb.
func cgroupFailing<Value: ~Copyable>(
    _ body: () throws(CgroupFailure) -> Value
) throws(Failure) -> Value {
    do throws(CgroupFailure) {
        return try body()
    } catch {
        throw Failure(error)
    }
}

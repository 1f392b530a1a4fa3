internal import CLinux

/// A handle of the kernel, owned or borrowed: what the calls of this module work on.
package protocol Handle: ~Copyable {
    /// The number.
    var raw: Int32 { get }
}

/// A handle and its only owner: closed when it goes out of scope.
///
/// Every handle made by this module is close-on-exec.
// Embedded Swift shows the deinit of a package type to other modules only with this attribute.
@usableFromInline
package struct FileDescriptor: ~Copyable, Handle {
    package private(set) var raw: Int32

    /// Takes over a number that nobody else will close.
    package init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        if raw >= 0 { _ = apus_close_handle(raw) }
    }

    // Embedded Swift knows no `discard` in a package type: -1 stands for a handle that was given away.

    /// The number, which from now on is the caller's to close.
    package consuming func release() -> Int32 {
        let number = raw
        raw = -1
        return number
    }

    /// close(2), with its error: a file system may report only here that a write failed.
    package consuming func close() throws(Errno) {
        let number = raw
        raw = -1
        _ = try check(apus_close_handle(number))
    }
}

/// A handle that somebody else owns: stdio, a number given by the caller.
package struct BorrowedHandle: Handle, Equatable {
    package let raw: Int32

    package init(_ raw: Int32) {
        self.raw = raw
    }

    package static let standardInput = BorrowedHandle(0)
    package static let standardOutput = BorrowedHandle(1)
    package static let standardError = BorrowedHandle(2)

    /// Where relative paths begin (AT_FDCWD); only for calls that take a path.
    package static let workingDirectory = BorrowedHandle(-100)
}

extension Handle where Self: ~Copyable {
    /// The same handle without its ownership; it must not outlive the owner.
    package var borrowed: BorrowedHandle { BorrowedHandle(raw) }

    /// The name by which another path reaches this handle: "/proc/self/fd/N".
    package var procPath: String { "/proc/self/fd/\(raw)" }

    /// A second number for the same open file (F_DUPFD_CLOEXEC), at least `minimum`.
    package func duplicate(atLeast minimum: Int32 = 3) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try check(apus_duplicate(raw, minimum, 1)))
    }

    /// Makes `number` refer to the same open file, whatever it was before (dup3(2)); inherited by exec.
    package func replace(number: Int32) throws(Errno) {
        _ = try retrying { apus_duplicate_to(raw, number, 0) }
    }

    /// Whether the number is an open handle at all (F_GETFD).
    package var isOpen: Bool { apus_get_descriptor_flags(raw) >= 0 }

    /// Whether the handle is closed by exec (FD_CLOEXEC).
    package func closeOnExec() throws(Errno) -> Bool {
        try check(apus_get_descriptor_flags(raw)) & 1 != 0
    }

    package func setCloseOnExec(_ isSet: Bool) throws(Errno) {
        _ = try check(apus_set_descriptor_flags(raw, isSet ? 1 : 0))
    }

    /// Sets or clears O_NONBLOCK of the open file, which other processes may share.
    package func setNonBlocking(_ isSet: Bool) throws(Errno) {
        let nonBlocking: Int32 = 0o4000
        let flags = try check(apus_get_status_flags(raw))
        _ = try check(
            apus_set_status_flags(raw, isSet ? flags | nonBlocking : flags & ~nonBlocking))
    }
}

/// Opens /dev/null on those of the handles 0, 1 and 2 that are closed.
///
/// Otherwise the next file opened would take such a number, and be written to as if it were stdio.
package func reopenStandardHandles() throws(Errno) {
    while true {
        let null = try BorrowedHandle.workingDirectory.open("/dev/null", [.readWrite])
        guard null.raw <= 2 else { return }
        let number = null.release()
        try BorrowedHandle(number).setCloseOnExec(false)
    }
}

internal import CLinux

/// An error number of the kernel.
package struct Errno: Error, Hashable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The symbolic name, "ENOENT"; "E<number>" where the number has none.
    package var name: String {
        guard let entry else { return "E\(rawValue)" }
        return entry.name.description
    }

    /// The text of strerror(3), beginning in lower case: "no such file or directory".
    package var message: String {
        guard let entry else { return "error \(rawValue)" }
        return entry.message.description
    }

    private var entry: (name: StaticString, message: StaticString)? {
        guard rawValue > 0, rawValue < errnoTable.count else { return nil }
        let entry = errnoTable[Int(rawValue)]
        return entry.name.utf8CodeUnitCount == 0 ? nil : entry
    }
}

extension Errno {
    package static let eperm = Errno(1)
    package static let enoent = Errno(2)
    package static let esrch = Errno(3)
    package static let eintr = Errno(4)
    package static let eio = Errno(5)
    package static let enxio = Errno(6)
    package static let e2big = Errno(7)
    package static let enoexec = Errno(8)
    package static let ebadf = Errno(9)
    package static let echild = Errno(10)
    package static let eagain = Errno(11)
    package static let enomem = Errno(12)
    package static let eacces = Errno(13)
    package static let ebusy = Errno(16)
    package static let eexist = Errno(17)
    package static let exdev = Errno(18)
    package static let enodev = Errno(19)
    package static let enotdir = Errno(20)
    package static let eisdir = Errno(21)
    package static let einval = Errno(22)
    package static let emfile = Errno(24)
    package static let enotty = Errno(25)
    package static let etxtbsy = Errno(26)
    package static let efbig = Errno(27)
    package static let enospc = Errno(28)
    package static let espipe = Errno(29)
    package static let erofs = Errno(30)
    package static let epipe = Errno(32)
    package static let erange = Errno(34)
    package static let enametoolong = Errno(36)
    package static let enosys = Errno(38)
    package static let enotempty = Errno(39)
    package static let eloop = Errno(40)
    package static let enodata = Errno(61)
    package static let etime = Errno(62)
    package static let eproto = Errno(71)
    package static let ebadmsg = Errno(74)
    package static let eoverflow = Errno(75)
    package static let emsgsize = Errno(90)
    package static let eopnotsupp = Errno(95)
    package static let econnreset = Errno(104)
    package static let etimedout = Errno(110)
    package static let econnrefused = Errno(111)
    package static let estale = Errno(116)
    package static let ecanceled = Errno(125)
    package static let eusers = Errno(87)
}

/// A result of the shim as a value, or the error that it stands for.
@inline(__always)
func check<Result: SignedInteger>(_ result: Result) throws(Errno) -> Result {
    guard result < 0 else { return result }
    throw Errno(Int32(-result))
}

/// As `check`, for calls that are begun anew when a signal interrupts them.
@inline(__always)
func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        if result != -Result(Errno.eintr.rawValue) { return try check(result) }
    }
}

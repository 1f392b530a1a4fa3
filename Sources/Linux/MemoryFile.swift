internal import CLinux

/// F_SEAL_*: what can never again be done to a memory file.
package struct Seals: OptionSet {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let seal = Seals(rawValue: 1)
    package static let shrink = Seals(rawValue: 2)
    package static let grow = Seals(rawValue: 4)
    package static let write = Seals(rawValue: 8)
    package static let all: Seals = [.seal, .shrink, .grow, .write]
}

extension FileDescriptor {
    /// memfd_create(2): an empty file in memory that can be sealed.
    ///
    /// - Parameter isExecutable: MFD_EXEC or MFD_NOEXEC_SEAL (Linux 6.3); earlier kernels know neither
    ///   and make every memory file executable.
    package static func memoryFile(
        name: String, isExecutable: Bool
    ) throws(Errno) -> FileDescriptor {
        let closeOnExec: UInt32 = 1
        let allowSealing: UInt32 = 2
        let kind: UInt32 = isExecutable ? 0x10 : 0x8
        let flags = closeOnExec | allowSealing
        let result = unsafe apus_memfd(name, flags | kind)
        guard result == -Errno.einval.rawValue else {
            return FileDescriptor(owning: try check(result))
        }
        return FileDescriptor(owning: try check(unsafe apus_memfd(name, flags)))
    }

    /// A sealed memory file that holds `bytes`.
    package static func sealed(
        name: String, _ bytes: [UInt8], isExecutable: Bool = false
    ) throws(Errno) -> FileDescriptor {
        let file = try memoryFile(name: name, isExecutable: isExecutable)
        try file.writeAll(bytes)
        try file.seal(.all)
        try file.seek(to: 0)
        return file
    }

    /// A sealed memory file that holds `count` bytes at `start`, executable.
    @unsafe package static func sealedImage(
        name: String, start: UnsafeRawPointer, count: Int
    ) throws(Errno) -> FileDescriptor {
        let file = try memoryFile(name: name, isExecutable: true)
        var done = 0
        while done < count {
            done += try retrying { unsafe apus_write(file.raw, start + done, count - done) }
        }
        try file.seal(.all)
        return file
    }

    /// A sealed copy of this process's own executable.
    package static func sealedCopyOfExecutable(name: String) throws(Errno) -> FileDescriptor {
        let file = try memoryFile(name: name, isExecutable: true)
        let executable = try open("/proc/self/exe", .readOnly)
        while try retrying({ apus_sendfile(file.raw, executable.raw, 1 << 30) }) > 0 {}
        try file.seal(.all)
        return file
    }
}

extension Handle where Self: ~Copyable {
    /// F_ADD_SEALS.
    package func seal(_ seals: Seals) throws(Errno) {
        _ = try check(apus_add_seals(raw, seals.rawValue))
    }

    /// F_GET_SEALS; EINVAL where the file is none that can be sealed.
    package func seals() throws(Errno) -> Seals {
        Seals(rawValue: try check(apus_get_seals(raw)))
    }
}

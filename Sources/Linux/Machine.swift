internal import CLinux

/// System calls that there is no substitute for, and no cleaning up without.
package enum MissingCall {
    /// The name of the first that the kernel lacks, or a seccomp filter forbids; nil: all are there.
    package static var first: String? {
        let index = Int(apus_missing_call())
        return index < 0 ? nil : names[index]
    }

    private static let names = ["openat2", "pidfd_open", "pidfd_send_signal", "mount_setattr"]
}

/// A kernel's version, of which only the first two numbers are ever compared.
package struct KernelRelease: Comparable {
    package let major: Int
    package let minor: Int

    package init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads the head of a release, "6.1.0-21-amd64".
    package init?(release: String) {
        let parts = release.utf8.split(separator: UInt8(ascii: "."), maxSplits: 2)
        guard parts.count >= 2, let major = number(parts[0]),
            let minor = number(parts[1].prefix { $0 >= 0x30 && $0 <= 0x39 })
        else { return nil }
        self.init(major: Int(major), minor: Int(minor))
    }

    package static func < (left: KernelRelease, right: KernelRelease) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

/// The machine and its kernel (uname(2)).
package struct Machine {
    package let nodeName: String
    package let release: String
    /// "x86_64", "aarch64", ...
    package let architecture: String

    package init() throws(Errno) {
        var names = apus_names()
        _ = try check(unsafe apus_names(&names))
        nodeName = text(unsafe withUnsafeBytes(of: &names.node) { unsafe [UInt8]($0) })
        release = text(unsafe withUnsafeBytes(of: &names.release) { unsafe [UInt8]($0) })
        architecture = text(unsafe withUnsafeBytes(of: &names.machine) { unsafe [UInt8]($0) })
    }

    package var kernel: KernelRelease? { KernelRelease(release: release) }

    /// The id of this boot: pids and start times of another one mean nothing.
    package static func bootID() throws(Errno) -> String {
        try boot.get()
    }

    /// Read once: a process does not outlive its boot.
    private static let boot = Result { () throws(Errno) in
        try BorrowedHandle.workingDirectory.readText("/proc/sys/kernel/random/boot_id")
    }
}

/// The text before the first NUL.
private func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}

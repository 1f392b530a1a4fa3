internal import CSeccomp
package import OCI

/// Seccomp filters: OCI's profile in, a BPF program out.
///
/// It makes no system call.
///
/// What a profile means is libseccomp's meaning, since profiles are written against it:
///
/// * The conditions of a rule must all hold; the rules of a system call are alternatives. Only
///   when a rule names an argument twice is each of its conditions a rule of its own, as in runc.
/// * A rule whose action is the default action is skipped.
/// * The first rule without conditions decides a system call, whatever comes after or before.
/// * Of rules with conditions the more telling one is tried first, see `Chain.precedes`. Equal
///   conditions with different actions are an error.
/// * x86's socketcall(2) and ipc(2) get the rules of the calls behind them; a rule cannot see
///   those calls' arguments there.
/// * Foreign system call interfaces end the thread, as do x32 calls unless x32 is listed.
///
/// As in runc, calls with numbers above all those that the profile names fail with ENOSYS, when
/// the default would be some refusal: programs then use the older call (moby issue 42681).
package enum Seccomp {
    /// A compiled profile.
    package struct Filter: Equatable {
        /// The `struct sock_filter` array in the host's byte order.
        package var program: [UInt8]
        /// SECCOMP_FILTER_FLAG_* for seccomp(2).
        package var flags: UInt32
        /// Whether a listener gets the notify handle; `flags` then has NEW_LISTENER.
        package var notifies: Bool
        /// Names that no system call has; they are ignored.
        package var warnings: [ConfigWarning]
    }

    /// Compiles a profile that `Spec.validate` accepted.
    package static func compile(
        _ profile: Spec.Seccomp, host: HostArchitecture = .current
    ) throws(ConfigError) -> Filter {
        var compiler = Compiler(profile, host: host)
        try compiler.addRules()
        let program = compiler.assemble()
        guard program.count <= 4096 * 8 else {
            throw ConfigError(
                path: "linux.seccomp",
                message: "needs \(program.count / 8) instructions, the kernel accepts 4096")
        }
        return Filter(
            program: program, flags: kernelFlags(of: profile), notifies: profile.notifies,
            warnings: compiler.warnings)
    }

    /// The flags for seccomp(2).
    ///
    /// Without `flags` runc asks for SPEC_ALLOW, and so do we.
    private static func kernelFlags(of profile: Spec.Seccomp) -> UInt32 {
        var flags: UInt32 = 0
        for flag in profile.flags ?? [.specAllow] {
            switch flag {
            // A handle and TSYNC together would need another flag; init has one thread anyway.
            case .tsync: flags |= profile.notifies ? 0 : 1
            case .log: flags |= 2
            case .specAllow: flags |= 4
            // The kernel accepts it with a listener only.
            case .waitKillableRecv: flags |= profile.notifies ? 32 : 0
            }
        }
        return profile.notifies ? flags | 8 : flags
    }
}

extension Spec.Seccomp {
    /// Whether some rule asks a listener.
    package var notifies: Bool {
        for rule in syscalls where rule.action == .notify { return true }
        return false
    }
}

/// The machine the filter is for.
package enum HostArchitecture {
    case intel, arm

    package static var current: HostArchitecture {
        #if arch(x86_64)
            .intel
        #elseif arch(arm64)
            .arm
        #endif
    }
}

/// A system call interface: how a filter recognizes it, and where its numbers stand.
struct Interface {
    let architecture: Spec.Seccomp.Architecture
    /// AUDIT_ARCH_* of linux/audit.h.
    let audit: UInt32
    let column: apus_syscall_column
    /// What is added to the numbers of the table.
    var bit: UInt32 = 0
    /// Whether arguments have 64 bits.
    var isWide = true

    static let x32Bit: UInt32 = 0x4000_0000

    /// All that a host's processes can call through, its own first.
    static func all(of host: HostArchitecture) -> [Interface] {
        switch host {
        case .intel:
            [
                Interface(
                    architecture: .amd64, audit: 0xC000_003E, column: APUS_COLUMN_X86_64),
                Interface(
                    architecture: .x86, audit: 0x4000_0003, column: APUS_COLUMN_X86,
                    isWide: false),
                Interface(
                    architecture: .x32, audit: 0xC000_003E, column: APUS_COLUMN_X32,
                    bit: x32Bit, isWide: false),
            ]
        case .arm:
            [Interface(architecture: .aarch64, audit: 0xC000_00B7, column: APUS_COLUMN_AARCH64)]
        }
    }
}

/// The return values of a filter: linux/seccomp.h.
enum Return {
    static let killThread: UInt32 = 0
    static let errno: UInt32 = 0x0005_0000
    static let noSuchCall = errno | 38

    /// The value of an action; errno and trace carry a number, EPERM when none is given.
    static func value(of action: Spec.Seccomp.Action, _ number: UInt32?) -> UInt32 {
        switch action {
        case .kill, .killThread: killThread
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .errno: errno | (number ?? 1) & 0xFFFF
        case .trace: 0x7FF0_0000 | (number ?? 1) & 0xFFFF
        case .log: 0x7FFC_0000
        case .notify: 0x7FC0_0000
        case .allow: 0x7FFF_0000
        }
    }
}

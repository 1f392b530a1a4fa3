package import OCI

extension Seccomp {
    /// The filter of `apus shell`: what programs of a distribution use, and not what reaches into
    /// the kernel or out of the container.
    ///
    /// Calls that a capability guards are let through when the container has it, since the
    /// kernel then does the checking. Everything else fails with EPERM, unknown calls with ENOSYS.
    package static func defaultProfile(capabilities: [String]) -> Spec.Seccomp {
        var profile = Spec.Seccomp()
        profile.defaultAction = .errno
        profile.architectures = [.amd64, .x86, .x32, .aarch64]
        profile.syscalls = [rule(.allow, allowed)]
        for (capability, names) in guarded where capabilities.contains(capability) {
            profile.syscalls.append(rule(.allow, names))
        }
        profile.syscalls += personalities
        profile.syscalls += sockets
        profile.syscalls += terminals
        if capabilities.contains("CAP_SYS_ADMIN") {
            profile.syscalls.append(rule(.allow, ["clone", "clone3"]))
        } else {
            profile.syscalls += clones
        }
        return profile
    }

    private static func rule(
        _ action: Spec.Seccomp.Action, _ names: [String], errno: UInt32? = nil,
        _ args: [Spec.Seccomp.Argument] = []
    ) -> Spec.Seccomp.Rule {
        var rule = Spec.Seccomp.Rule()
        rule.names = names
        rule.action = action
        rule.errnoRet = errno
        rule.args = args
        return rule
    }

    private static func argument(
        _ index: UInt32, _ op: Spec.Seccomp.Operator, _ value: UInt64, _ valueTwo: UInt64? = nil
    ) -> Spec.Seccomp.Argument {
        var argument = Spec.Seccomp.Argument()
        argument.index = index
        argument.op = op
        argument.value = value
        argument.valueTwo = valueTwo
        return argument
    }

    /// All namespaces but time, whose flag means something else to clone.
    private static let namespaceFlags: UInt64 = 0x7E02_0000

    /// New processes and threads, but no namespaces: those open kernel code that only root had.
    ///
    /// clone3 has its flags in memory, where a filter cannot look: ENOSYS makes callers use clone.
    private static var clones: [Spec.Seccomp.Rule] {
        [
            rule(.allow, ["clone"], [argument(0, .maskedEqual, namespaceFlags, 0)]),
            rule(.errno, ["clone3"], errno: 38),
        ]
    }

    /// The execution domains of ordinary Linux programs: Linux and Linux32, with and without
    /// UNAME26, and the question which one is set.
    private static var personalities: [Spec.Seccomp.Rule] {
        let values: [UInt64] = [0, 8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF]
        return values.map { rule(.allow, ["personality"], [argument(0, .equal, $0)]) }
    }

    /// All families but AF_VSOCK (40), which talks to the hypervisor past every namespace, and
    /// AF_ALG (38), kernel cryptography with a history of holes.
    ///
    /// Programs of 32 bits on x86 can still reach them through socketcall, whose arguments no
    /// filter sees.
    private static var sockets: [Spec.Seccomp.Rule] {
        [
            rule(.allow, ["socket"], [argument(0, .less, 38)]),
            rule(.allow, ["socket"], [argument(0, .equal, 39)]),
            rule(.allow, ["socket"], [argument(0, .greater, 40)]),
        ]
    }

    /// Device control, but not putting characters into a terminal that others read: TIOCSTI, and
    /// TIOCLINUX, which pastes on the console (CVE-2016-10124).
    ///
    /// EIO is what the kernel says when it has TIOCSTI disabled; it looks at 32 bits of the number.
    private static var terminals: [Spec.Seccomp.Rule] {
        let word: UInt64 = 0xFFFF_FFFF
        return [
            rule(.errno, ["ioctl"], errno: 5, [argument(1, .maskedEqual, word, 0x5412)]),
            rule(.errno, ["ioctl"], errno: 5, [argument(1, .maskedEqual, word, 0x541C)]),
            rule(.allow, ["ioctl"], [argument(1, .greaterOrEqual, 0)]),
        ]
    }
}

import CSeccomp
import Foundation
import OCI
import Testing

@testable import Seccomp

private let enosys: UInt32 = 0x0005_0000 | 38

private func rule(
    _ action: Spec.Seccomp.Action, _ names: [String], errno: UInt32? = nil,
    _ args: [(UInt32, Spec.Seccomp.Operator, UInt64, UInt64?)] = []
) -> Spec.Seccomp.Rule {
    var rule = Spec.Seccomp.Rule()
    rule.names = names
    rule.action = action
    rule.errnoRet = errno
    for (index, op, value, second) in args {
        var argument = Spec.Seccomp.Argument()
        argument.index = index
        argument.op = op
        argument.value = value
        argument.valueTwo = second
        rule.args.append(argument)
    }
    return rule
}

private func profile(
    _ rules: [Spec.Seccomp.Rule], default action: Spec.Seccomp.Action = .errno,
    architectures: [Spec.Seccomp.Architecture] = [.amd64, .x86, .x32]
) -> Spec.Seccomp {
    var profile = Spec.Seccomp()
    profile.defaultAction = action
    profile.architectures = architectures
    profile.syscalls = rules
    return profile
}

@Suite("Seccomp names") struct NamesTests {
    private func names() -> [String] {
        (0..<Int32(apus_syscall_count)).map { row in
            unsafe withUnsafeBytes(of: apus_syscall_at(row).name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
    }

    @Test("Every row of the table is found by its name")
    func find() {
        for (row, name) in names().enumerated() {
            var name = name
            let found = name.withUTF8 { unsafe apus_syscall_find($0.baseAddress, UInt($0.count)) }
            #expect(found == row)
        }
        for name in ["", "rea", "readx", "zzz", String(repeating: "a", count: 99)] {
            var name = name
            let found = name.withUTF8 { unsafe apus_syscall_find($0.baseAddress, UInt($0.count)) }
            #expect(found == -1)
        }
    }

    @Test("The numbers are libseccomp's, where it knows the name")
    func numbers() throws {
        let oracle = try #require(Oracle())
        var compared = 0
        for (row, name) in names().enumerated() {
            for (column, arch) in [
                (APUS_COLUMN_X86_64, Oracle.amd64), (APUS_COLUMN_X86, Oracle.x86),
                (APUS_COLUMN_X32, Oracle.x32), (APUS_COLUMN_AARCH64, 0xC000_00B7),
            ] {
                let theirs = oracle.number(of: name, arch) & ~0x4000_0000
                guard oracle.number(of: name, arch) >= 0 else { continue }
                #expect(
                    apus_syscall_number(Int32(row), Int32(column.rawValue)) == theirs, "\(name)")
                compared += 1
            }
        }
        #expect(compared > 1200)
    }
}

@Suite("Seccomp programs") struct ProgramTests {
    /// All numbers of the three interfaces, and strangers.
    private static let numbers: [UInt32] =
        Array(0..<600) + (0..<600).map { $0 | 0x4000_0000 }
        + [1000, 0x3FFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, UInt32.max]

    /// The numbers of names, of one interface.
    private func numbers(_ names: [String], _ column: apus_syscall_column) -> [UInt32] {
        names.compactMap { name in
            var name = name
            let row = name.withUTF8 { unsafe apus_syscall_find($0.baseAddress, UInt($0.count)) }
            let number = row < 0 ? -1 : apus_syscall_number(row, Int32(column.rawValue))
            guard number >= 0 else { return nil }
            return UInt32(number) | (column == APUS_COLUMN_X32 ? 0x4000_0000 : 0)
        }
    }

    /// Argument lists that meet and miss every condition of a profile.
    private func arguments(of profile: Spec.Seccomp) -> [[UInt64]] {
        var lists: [[UInt64]] = [
            [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], [UInt64](repeating: .max, count: 6),
            [1, 2, 3, 4, 5, 6], [2, 16, 9, 0, 0, 0], [16, 3, 9, 0, 0, 0],
        ]
        for rule in profile.syscalls {
            for argument in rule.args {
                for value in [argument.value, argument.valueTwo ?? argument.value] {
                    for value in [value, value &+ 1, value &- 1, value | 1 << 32, ~value] {
                        for base in lists.prefix(4) {
                            var list = base
                            list[Int(argument.index)] = value
                            lists.append(list)
                        }
                    }
                }
            }
        }
        return lists
    }

    /// Compares our program with libseccomp's; says how many calls were compared.
    ///
    /// All numbers are tried with few arguments, those that the profile names with many.
    private func compare(_ profile: Spec.Seccomp, all: Bool = false) throws -> Int? {
        let oracle = try #require(Oracle())
        guard let theirs = oracle.compile(profile) else { return nil }
        let ours = BPF(try Seccomp.compile(profile, host: .intel).program)
        let hidesNew = ![.allow, .log, .trace].contains(profile.defaultAction)
        let lists = arguments(of: profile)
        let names = Array(Set(profile.syscalls.flatMap(\.names)))
        var compared = 0
        for (audit, column, arch) in [
            (Oracle.amd64, APUS_COLUMN_X86_64, Spec.Seccomp.Architecture.amd64),
            (Oracle.x86, APUS_COLUMN_X86, .x86), (Oracle.amd64, APUS_COLUMN_X32, .x32),
            (0xC000_00B7, APUS_COLUMN_AARCH64, .aarch64),
        ] {
            let named = numbers(names, column) + (arch == .x86 ? [102, 117] : [])
            let isListed = arch == .amd64 || profile.architectures.contains(arch)
            let last = numbers(names, column).max()
            for number in all ? Self.numbers : named + [0, 300, 0x4000_0000, UInt32.max] {
                // x86_64 and x32 share their audit number.
                if audit == Oracle.amd64, (number >= 0x4000_0000) != (arch == .x32) { continue }
                let isNew = hidesNew && isListed && arch != .aarch64 && number > last ?? .max
                for list in named.contains(number) && !all ? lists : Array(lists.prefix(3)) {
                    let call = Call(number: number, audit: audit, arguments: list)
                    let expected = isNew ? enosys : theirs.run(call)?.value
                    let found = ours.run(call)?.value
                    compared += 1
                    guard found != expected else { continue }
                    Issue.record(
                        "\(call): \(String(describing: found)), not \(String(describing: expected))"
                    )
                    return compared
                }
            }
        }
        return compared
    }

    @Test(
        "A default filter means what libseccomp's means",
        arguments: [
            [Spec.Seccomp.Architecture](), [.amd64], [.amd64, .x86], [.amd64, .x86, .x32],
        ])
    func ordinary(_ architectures: [Spec.Seccomp.Architecture]) throws {
        let oracle = try #require(Oracle())
        var ordinary = Seccomp.defaultProfile(capabilities: [])
        ordinary.architectures = architectures
        for index in ordinary.syscalls.indices {
            // An older libseccomp knows less.
            ordinary.syscalls[index].names.removeAll {
                oracle.number(of: $0, Oracle.amd64) == -1 || $0 == "map_shadow_stack"
            }
        }
        ordinary.syscalls.removeAll { $0.names.isEmpty }
        #expect(try #require(try compare(ordinary, all: true)) > 5_000)
    }

    @Test("Every operator, on 32 and 64 bits", arguments: Spec.Seccomp.Operator.allCases)
    func operators(_ op: Spec.Seccomp.Operator) throws {
        for value: UInt64 in [0, 1, 0xFFFF_FFFF, 0x1_0000_0000, 0x1_0000_0005, .max] {
            for index: UInt32 in [0, 5] {
                let profile = profile([
                    rule(.allow, ["read", "getpid"]),
                    rule(.allow, ["openat"], [(index, op, value, value & 0xFF00_00FF)]),
                ])
                #expect(try compare(profile) != nil)
            }
        }
    }

    @Test("Several conditions, several rules, actions and defaults")
    func combinations() throws {
        let socket: [Spec.Seccomp.Rule] = [
            rule(.allow, ["socketcall"]),
            rule(.errno, ["socket"], errno: 22, [(0, .equal, 16, nil), (2, .equal, 9, nil)]),
            rule(.allow, ["socket"], [(2, .notEqual, 9, nil)]),
            rule(.allow, ["socket"], [(0, .notEqual, 16, nil)]),
            rule(.allow, ["socket"], [(2, .notEqual, 9, nil)]),
        ]
        let mixed: [Spec.Seccomp.Rule] = [
            rule(.allow, ["read", "write", "semop", "connect", "shmget"]),
            rule(.trap, ["kill"], [(1, .equal, 9, nil)]),
            rule(.log, ["kill"], [(1, .equal, 15, nil)]),
            rule(.trace, ["ptrace"], errno: 7),
            rule(.killProcess, ["reboot"]),
            rule(.errno, ["setns"], errno: 1), rule(.allow, ["setns"]),
            rule(.allow, ["dup3"], [(0, .equal, 3, nil)]), rule(.errno, ["dup3"], errno: 5),
            rule(.allow, ["dup2"]), rule(.errno, ["dup2"], errno: 5, [(0, .equal, 3, nil)]),
            rule(.allow, ["mmap"], [(2, .equal, 1, nil), (2, .equal, 3, nil), (3, .less, 9, nil)]),
            rule(.allow, ["clone"], [(0, .maskedEqual, 0x7E02_0000, 0)]),
        ]
        for action: Spec.Seccomp.Action in [
            .errno, .allow, .killProcess, .log, .trace, .trap, .kill,
        ] {
            for architectures: [Spec.Seccomp.Architecture] in [[.amd64], [.amd64, .x86, .x32]] {
                #expect(
                    try compare(profile(mixed, default: action, architectures: architectures))
                        != nil)
            }
            // libseccomp 2.5.4 shares blocks wrongly when there are several interfaces.
            #expect(
                try compare(profile(socket, default: action, architectures: [.amd64])) != nil)
        }
    }

    /// What the words of a profile mean, with one action and no argument named twice.
    private func isAllowed(
        _ profile: Spec.Seccomp, _ name: String, _ call: Call, isWide: Bool
    )
        -> Bool
    {
        profile.syscalls.contains { rule in
            rule.names.contains(name)
                && rule.args.allSatisfy { argument in
                    let bits: UInt64 = isWide ? .max : 0xFFFF_FFFF
                    let found = call.arguments[Int(argument.index)] & bits
                    let value = argument.value & bits
                    switch argument.op {
                    case .equal: return found == value
                    case .notEqual: return found != value
                    case .less: return found < value
                    case .lessOrEqual: return found <= value
                    case .greater: return found > value
                    case .greaterOrEqual: return found >= value
                    case .maskedEqual:
                        return found & value == (argument.valueTwo ?? 0) & value
                    }
                }
        }
    }

    @Test("Random profiles of one action, read literally")
    func random() throws {
        var random = SystemRandomNumberGenerator()
        let names = ["read", "socket", "semop", "openat", "clone", "prctl", "ioctl", "mq_open"]
        let values: [UInt64] = [0, 1, 2, 9, 16, 0x7E02_0000, 0xFFFF_FFFF, 0x1_0000_0000]
        var compared = 0
        for _ in 0..<25 {
            var rules: [Spec.Seccomp.Rule] = []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                var args: [(UInt32, Spec.Seccomp.Operator, UInt64, UInt64?)] = []
                for index in 0..<UInt32(6) where Int.random(in: 0..<4, using: &random) == 0 {
                    let op = Spec.Seccomp.Operator.allCases.randomElement(using: &random)
                    let value = values.randomElement(using: &random)
                    args.append((index, op ?? .equal, value ?? 0, value.map { $0 & 0xF }))
                }
                rules.append(
                    rule(.allow, [names.randomElement(using: &random) ?? "read"], args))
            }
            let profile = profile(rules)
            let ours = BPF(try Seccomp.compile(profile, host: .intel).program)
            for name in Set(rules.flatMap(\.names)) {
                for (audit, column) in [
                    (Oracle.amd64, APUS_COLUMN_X86_64), (Oracle.x86, APUS_COLUMN_X86),
                    (Oracle.amd64, APUS_COLUMN_X32),
                ] {
                    for number in numbers([name], column) {
                        for list in arguments(of: profile) {
                            let call = Call(number: number, audit: audit, arguments: list)
                            let isAllowed = isAllowed(
                                profile, name, call, isWide: column == APUS_COLUMN_X86_64)
                            let found = ours.run(call)?.value
                            compared += 1
                            if found != (isAllowed ? 0x7FFF_0000 : 0x0005_0001) {
                                Issue.record("\(name) \(call) \(String(describing: found))")
                                return
                            }
                        }
                    }
                }
            }
        }
        #expect(compared > 1000)
    }

    @Test("A tree is shallow and short")
    func shape() throws {
        let program = BPF(
            try Seccomp.compile(Seccomp.defaultProfile(capabilities: []), host: .intel).program)
        #expect(program.count < 700)
        var longest = 0
        for number: UInt32 in 0..<500 {
            let call = Call(number: number, audit: Oracle.amd64)
            longest = max(longest, try #require(program.run(call)).steps)
        }
        // personality has five rules, most calls none.
        #expect(longest < 40)
        #expect(try #require(program.run(Call(number: 39, audit: Oracle.amd64))).steps < 16)
    }

    @Test("Flags") func flags() throws {
        var profile = profile([rule(.allow, ["read"])])
        #expect(try Seccomp.compile(profile).flags == 4)
        profile.flags = []
        #expect(try Seccomp.compile(profile).flags == 0)
        profile.flags = [.tsync, .log, .waitKillableRecv]
        #expect(try Seccomp.compile(profile).flags == 3)
        profile.syscalls.append(rule(.notify, ["mkdir"]))
        let filter = try Seccomp.compile(profile)
        #expect(filter.flags == 2 | 8 | 32)
        #expect(filter.notifies)
    }

    @Test("Unknown names are one warning, contradictions an error")
    func messages() throws {
        let filter = try Seccomp.compile(profile([rule(.allow, ["read", "nosuch", "neither"])]))
        #expect(
            filter.warnings.map(\.description)
                == ["linux.seccomp: unknown system calls: nosuch, neither"])
        let condition: [(UInt32, Spec.Seccomp.Operator, UInt64, UInt64?)] = [(0, .equal, 1, nil)]
        #expect(throws: ConfigError.self) {
            _ = try Seccomp.compile(
                profile([
                    rule(.allow, ["kill"], condition), rule(.errno, ["kill"], errno: 3, condition),
                ]))
        }
    }

    @Test("The default filter keeps namespaces and terminals")
    func defaults() throws {
        let plain = BPF(
            try Seccomp.compile(Seccomp.defaultProfile(capabilities: []), host: .intel).program)
        let admin = BPF(
            try Seccomp.compile(
                Seccomp.defaultProfile(capabilities: ["CAP_SYS_ADMIN"]), host: .intel
            ).program)
        func value(_ program: BPF, _ number: UInt32, _ args: [UInt64] = []) -> UInt32? {
            let rest = [UInt64](repeating: 0, count: 6 - args.count)
            return program.run(
                Call(number: number, audit: Oracle.amd64, arguments: args + rest))?.value
        }
        let (allow, eperm): (UInt32, UInt32) = (0x7FFF_0000, 0x0005_0001)
        #expect(value(plain, 56, [0x11]) == allow)
        #expect(value(plain, 56, [0x1000_0011]) == eperm)
        #expect(value(admin, 56, [0x1000_0011]) == allow)
        #expect(value(plain, 435) == enosys)
        #expect(value(admin, 435) == allow)
        #expect(value(plain, 16, [0, 0x5412]) == 0x0005_0005)
        #expect(value(plain, 16, [0, 0xF_0000_5412]) == 0x0005_0005)
        #expect(value(plain, 16, [0, 0x5413]) == allow)
        #expect(value(plain, 41, [1]) == allow)
        #expect(value(plain, 41, [38]) == eperm)
        #expect(value(plain, 41, [40]) == eperm)
        #expect(value(plain, 165) == eperm)
        #expect(value(admin, 165) == allow)
        #expect(value(plain, 425) == eperm)
        #expect(value(plain, 600) == enosys)
    }
}

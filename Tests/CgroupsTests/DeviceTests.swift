import Testing

@testable import Cgroups
@testable import DBus
@testable import Linux
@testable import Plan

/// The kernel's machine, as far as the filter uses it: an independent reading of the instruction
/// set (Documentation/bpf/standardization/instruction-set.rst).
private struct Machine {
    enum Fault: Error { case outOfProgram, unknownInstruction(UInt8), tooManySteps, badMemory }

    /// - Returns: register 0 at the end: whether access is allowed.
    static func run(_ words: [UInt64], context: [UInt32]) throws -> UInt64 {
        var registers = [UInt64](repeating: 0xDEAD_BEEF_DEAD_BEEF, count: 11)
        var next = 0
        for _ in 0..<10_000 {
            guard words.indices.contains(next) else { throw Fault.outOfProgram }
            let word = words[next]
            next += 1
            let code = UInt8(truncatingIfNeeded: word)
            let to = Int(word >> 8 & 0xF)
            let from = Int(word >> 12 & 0xF)
            let offset = Int(Int16(truncatingIfNeeded: word >> 16))
            let immediate = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: word >> 32)))
            switch code {
            case 0x61:
                guard from == 1, offset % 4 == 0, context.indices.contains(offset / 4) else {
                    throw Fault.badMemory
                }
                registers[to] = UInt64(context[offset / 4])
            case 0xBF: registers[to] = registers[from]
            case 0xB7: registers[to] = immediate
            case 0x57: registers[to] &= immediate
            case 0x77: registers[to] >>= immediate
            case 0x15: if registers[to] == immediate { next += offset }
            case 0x55: if registers[to] != immediate { next += offset }
            case 0x16:
                if UInt32(truncatingIfNeeded: registers[to])
                    == UInt32(truncatingIfNeeded: immediate)
                {
                    next += offset
                }
            case 0x56:
                if UInt32(truncatingIfNeeded: registers[to])
                    != UInt32(truncatingIfNeeded: immediate)
                {
                    next += offset
                }
            case 0x95: return registers[0]
            default: throw Fault.unknownInstruction(code)
            }
        }
        throw Fault.tooManySteps
    }
}

extension DeviceRule {
    /// "+c 1:3 rwm", "-a *:* rwm", as runc's documentation and cgroup v1 write rules.
    fileprivate init(_ text: String) {
        let parts = text.dropFirst().split(separator: " ")
        let numbers = parts[1].split(separator: ":").map { UInt32($0) }
        self.init(
            isAllowed: text.first == "+",
            kind: parts[0] == "c" ? .character : parts[0] == "b" ? .block : .all,
            major: numbers[0], minor: numbers[1], reads: parts[2].contains("r"),
            writes: parts[2].contains("w"), makes: parts[2].contains("m"))
    }
}

private func rules(_ texts: [String]) -> [DeviceRule] { texts.map { DeviceRule($0) } }

/// Up to eight rules, few enough of a kind to meet each other.
private func randomRules(_ random: inout SystemRandomNumberGenerator) -> [String] {
    var texts: [String] = []
    for _ in 0..<Int.random(in: 0...8, using: &random) {
        let major = ["*", "1", "2"].randomElement(using: &random) ?? "*"
        let minor = ["*", "1", "2"].randomElement(using: &random) ?? "*"
        texts.append(
            (Bool.random(using: &random) ? "+" : "-")
                + (["a", "b", "c"].randomElement(using: &random) ?? "a")
                + " \(major):\(minor) "
                + (["r", "w", "m", "rw", "rwm", "rwm"].randomElement(using: &random) ?? "r"))
    }
    return texts
}

@Suite struct `Device filter` {
    private func allows(
        _ texts: [String], _ kind: Character, _ major: UInt32, _ minor: UInt32, _ access: String
    ) throws -> Bool {
        var bits: UInt32 = 0
        if access.contains("m") { bits |= 1 }
        if access.contains("r") { bits |= 2 }
        if access.contains("w") { bits |= 4 }
        let type: UInt32 = kind == "b" ? 1 : 2
        let filter = DeviceFilter(rules(texts))
        return try Machine.run(filter.words, context: [bits << 16 | type, major, minor]) == 1
    }

    @Test func `Without rules all is denied`() throws {
        #expect(try !allows([], "c", 1, 3, "r"))
        #expect(DeviceFilter([]).instructions.count == 10)
    }

    @Test func `A rule about everything ends the matter`() throws {
        #expect(try allows(["-a *:* rwm", "+a *:* rwm"], "b", 8, 0, "rwm"))
        #expect(try !allows(["+a *:* rwm", "-a *:* rwm"], "b", 8, 0, "r"))
        // Nothing is left of what came before.
        #expect(
            DeviceFilter(rules(["+c 1:3 rwm", "-a *:* rwm"]))
                == DeviceFilter(rules(["-a *:* rwm"])))
    }

    @Test func `The last rule that fits decides`() throws {
        let order = ["-a *:* rwm", "+c 10:200 rwm", "-c 10:229 rwm", "+c 10:229 rwm"]
        #expect(try allows(order, "c", 10, 229, "rw"))
        #expect(try allows(order, "c", 10, 200, "rw"))
        #expect(try !allows(order, "c", 10, 201, "r"))
        #expect(try !allows(order, "b", 10, 200, "r"))
    }

    @Test func `Access is decided a letter at a time`() throws {
        let parts = ["-a *:* rwm", "+c 5:1 r", "+c 5:1 w"]
        #expect(try allows(parts, "c", 5, 1, "rw"))
        #expect(try !allows(parts, "c", 5, 1, "rwm"))
        let without = ["+a *:* rwm", "-b 8:0 w"]
        #expect(try allows(without, "b", 8, 0, "r"))
        #expect(try !allows(without, "b", 8, 0, "rw"))
        #expect(try !allows(without, "b", 8, 0, "w"))
        #expect(try allows(without, "c", 8, 0, "rw"))
    }

    @Test func `Numbers and types may be left open`() throws {
        let open = ["-a *:* rwm", "+c 136:* rw", "+b *:7 r", "+a 9:9 m"]
        #expect(try allows(open, "c", 136, 1_048_575, "rw"))
        #expect(try !allows(open, "c", 137, 0, "r"))
        #expect(try allows(open, "b", 77, 7, "r"))
        #expect(try !allows(open, "b", 77, 8, "r"))
        #expect(try allows(open, "b", 9, 9, "m"))
        #expect(try allows(open, "c", 9, 9, "m"))
    }

    @Test func `Numbers of 32 bits are compared whole`() throws {
        let high = ["-a *:* rwm", "+c 4294967295:2147483648 r"]
        #expect(try allows(high, "c", .max, 1 << 31, "r"))
        #expect(try !allows(high, "c", .max - 1, 1 << 31, "r"))
    }

    @Test func `A rule that later ones cover costs nothing`() {
        let once = ["-a *:* rwm", "+c 1:3 rwm", "+c 1:5 rwm"]
        let twice = ["-a *:* rwm", "+c 1:5 r", "+c 1:3 rwm", "+c 1:3 rwm", "+c 1:5 rwm"]
        #expect(DeviceFilter(rules(once)) == DeviceFilter(rules(twice)))
    }

    @Test func `What rules have in common is asked once`() {
        #expect(DeviceFilter(DeviceRule.defaults).instructions.count <= 24)
        let apart = ["-a *:* rwm", "+c 1:3 rwm", "+b 1:3 rwm"]
        #expect(DeviceFilter(rules(apart)) == DeviceFilter(rules(["-a *:* rwm", "+a 1:3 rwm"])))
    }

    /// It takes no instruction that cannot be reached, and no path that it cannot prove.
    @Test func `The kernel takes every filter`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let texts = randomRules(&random)
            do throws(Errno) {
                _ = try DeviceProgram(instructions: DeviceFilter(rules(texts)).words)
            } catch .eperm {
                // Only root may ask.
                return
            } catch {
                Issue.record("\(texts): \(error.name)")
            }
        }
    }

    /// Against the plainest reading of the rules, for many rules and every access.
    @Test func `It agrees with a walk over the rules`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let texts = randomRules(&random)
            for (kind, access) in [("b", "r"), ("c", "rw"), ("c", "rwm"), ("b", "m")] {
                for (major, minor) in [(1, 1), (1, 2), (2, 1), (3, 3)] as [(UInt32, UInt32)] {
                    let expected = access.allSatisfy { letter in
                        texts.last { text in
                            let parts = text.dropFirst().split(separator: " ")
                            let numbers = parts[1].split(separator: ":")
                            return (parts[0] == "a" || parts[0] == kind)
                                && (numbers[0] == "*" || numbers[0] == "\(major)")
                                && (numbers[1] == "*" || numbers[1] == "\(minor)")
                                && parts[2].contains(letter)
                        }?.first == "+"
                    }
                    #expect(
                        try allows(texts, Character(kind), major, minor, access) == expected,
                        "\(texts): \(kind) \(major):\(minor) \(access)")
                }
            }
        }
    }
}

@Suite struct `systemd's device list` {
    private func list(_ texts: [String]) -> [DeviceAccess]? {
        SystemdDevices.allowList(rules(texts))
    }

    @Test func `Allowed devices are listed`() {
        let settings = SystemdDevices.settings(
            for: rules([
                "-a *:* rwm", "+c 1:3 rwm", "+c 136:* rw", "+b *:* m", "+b 8:0 r", "+c 1:3 rwm",
            ]))
        #expect(settings.first == UnitSetting("DevicePolicy", .string("strict")))
        let items: [(String, String)] = [
            ("/dev/char/1:3", "rwm"), ("char-136", "rw"), ("block-*", "m"), ("/dev/block/8:0", "r"),
        ]
        #expect(
            settings.last
                == UnitSetting(
                    "DeviceAllow",
                    .array(of: "(ss)", items.map { .structure([.string($0.0), .string($0.1)]) })))
    }

    @Test func `A denial takes back what it covers`() {
        #expect(list(["-a *:* rwm", "+c 1:3 rwm", "-c 1:3 rwm", "+c 1:5 r"])?.count == 1)
    }

    @Test func `What a list cannot say is left to the filter`() {
        let auto = [UnitSetting("DevicePolicy", .string("auto"))]
        for texts in [
            ["+a *:* rwm"], ["+a *:* rwm", "-c 1:3 r"], ["-a *:* rwm", "+c 1:* rwm", "-c 1:3 rwm"],
            ["-a *:* rwm", "+c *:3 rwm"], ["-a *:* rwm", "+a 1:3 rwm"],
        ] {
            #expect(SystemdDevices.settings(for: rules(texts)) == auto, "\(texts)")
        }
    }

    @Test func `Without rules nothing is said`() {
        #expect(SystemdDevices.settings(for: []).isEmpty)
    }
}

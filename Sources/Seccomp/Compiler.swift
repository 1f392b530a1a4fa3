internal import CSeccomp
internal import OCI

/// Gathers a profile's rules by interface and number.
struct Compiler {
    private let profile: Spec.Seccomp
    private let host: HostArchitecture
    private let defaultReturn: UInt32
    private(set) var tables: [Table] = []
    private var unknownNames: [String] = []

    init(_ profile: Spec.Seccomp, host: HostArchitecture) {
        self.profile = profile
        self.host = host
        defaultReturn = Return.value(of: profile.defaultAction, profile.defaultErrnoRet)
        for (index, interface) in Interface.all(of: host).enumerated()
        where index == 0 || profile.architectures.contains(interface.architecture) {
            tables.append(Table(interface))
        }
    }

    mutating func addRules() throws(ConfigError) {
        for (index, rule) in profile.syscalls.enumerated() {
            let value = Return.value(of: rule.action, rule.errnoRet)
            let chains = Chain.all(of: rule, value)
            for var name in rule.names {
                let row = name.withUTF8 { bytes in
                    unsafe apus_syscall_find(bytes.baseAddress, UInt(bytes.count))
                }
                guard row >= 0 else {
                    unknownNames.append(name)
                    continue
                }
                for table in tables.indices {
                    tables[table].note(row)
                    guard value != defaultReturn else { continue }
                    guard tables[table].add(row, value, chains) else {
                        throw ConfigError(
                            path: "linux.seccomp.syscalls[\(index)]",
                            message: "\(name) has another action for the same conditions before")
                    }
                }
            }
        }
    }

    var warnings: [ConfigWarning] {
        guard let first = unknownNames.first else { return [] }
        var list = first
        for name in unknownNames.dropFirst() { list += ", " + name }
        return [ConfigWarning(path: "linux.seccomp", message: "unknown system calls: \(list)")]
    }

    // MARK: The program

    /// Whether calls newer than the profile fail with ENOSYS: not where the default lets them
    /// through, nor where a tracer decides.
    private var hidesNewCalls: Bool {
        switch profile.defaultAction {
        case .allow, .log, .trace: false
        default: true
        }
    }

    /// The program: by interface, then by number through a balanced tree, then by arguments.
    func assemble() -> [UInt8] {
        var assembler = Assembler()
        var sections: [(audit: UInt32, label: Int)] = []
        for table in tables where table.interface.bit == 0 {
            sections.append((table.interface.audit, section(of: table, &assembler)))
        }
        var entry = assembler.ret(Return.killThread)
        for section in sections.reversed() {
            entry = assembler.jump(.equal, section.audit, section.label, entry)
        }
        _ = assembler.load(Assembler.architecture, then: entry)
        return assembler.bytes
    }

    /// What a section begins with: loads the number and tells x32 from x86_64.
    private func section(of table: Table, _ assembler: inout Assembler) -> Int {
        guard table.interface.architecture == .amd64 else {
            return assembler.load(Assembler.number, then: search(table, &assembler))
        }
        let x32: Int
        if let other = tables.first(where: { $0.interface.architecture == .x32 }) {
            x32 = search(other, &assembler)
        } else {
            // -1 is what a tracer leaves of a call it suppressed: not an x32 call.
            let refused = assembler.ret(Return.killThread)
            x32 = assembler.jump(.equal, UInt32.max, assembler.ret(defaultReturn), refused)
        }
        let native = search(table, &assembler)
        let choice = assembler.jump(.greaterOrEqual, Interface.x32Bit, x32, native)
        return assembler.load(Assembler.number, then: choice)
    }

    /// Finds what applies to the number in the accumulator.
    private func search(_ table: Table, _ assembler: inout Assembler) -> Int {
        let ranges = table.ranges(defaultReturn)
        let tree = tree(ranges[...], table, &assembler)
        guard hidesNewCalls, let last = table.last else { return tree }
        return assembler.jump(
            .greater, last | table.interface.bit, assembler.ret(Return.noSuchCall), tree)
    }

    private func tree(
        _ ranges: ArraySlice<Table.Range>, _ table: Table, _ assembler: inout Assembler
    ) -> Int {
        guard ranges.count > 1 else {
            return leaf(ranges[ranges.startIndex].slot, table, &assembler)
        }
        let middle = ranges.startIndex + ranges.count / 2
        let above = tree(ranges[middle...], table, &assembler)
        let below = tree(ranges[..<middle], table, &assembler)
        return assembler.jump(.greaterOrEqual, ranges[middle].start, above, below)
    }

    private func leaf(_ slot: Table.Slot, _ table: Table, _ assembler: inout Assembler) -> Int {
        switch slot {
        case .none: return assembler.ret(defaultReturn)
        case .always(let value): return assembler.ret(value)
        case .chains(let index):
            var next = assembler.ret(defaultReturn)
            for chain in table.chains[index].reversed() {
                next = assembler.test(chain, isWide: table.interface.isWide, otherwise: next)
            }
            return next
        }
    }
}

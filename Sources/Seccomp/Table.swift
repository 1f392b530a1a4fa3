internal import CSeccomp
internal import OCI

/// What a profile says about every system call of one interface.
struct Table {
    /// What happens to one number.
    enum Slot: Equatable {
        /// The default action.
        case none
        case always(UInt32)
        /// The alternatives at this index of `chains`.
        case chains(Int)
    }

    /// Successive numbers with the same fate, up to the start of the next range.
    struct Range {
        let start: UInt32
        let slot: Slot
    }

    let interface: Interface
    private(set) var chains: [[Chain]] = []
    /// The highest number that the profile names.
    private(set) var last: UInt32?
    private var slots = [Slot](repeating: .none, count: 640)

    /// The numbers of x86's socketcall(2) and ipc(2).
    private static let multiplexers = [
        (column: APUS_COLUMN_SOCKETCALL, number: 102), (column: APUS_COLUMN_IPC, number: 117),
    ]

    init(_ interface: Interface) {
        self.interface = interface
    }

    private func number(_ row: Int32, _ column: apus_syscall_column) -> Int {
        Int(apus_syscall_number(row, Int32(column.rawValue)))
    }

    /// Remembers that the profile names a call.
    mutating func note(_ row: Int32) {
        let number = number(row, interface.column)
        guard number >= 0 else { return }
        last = max(last ?? 0, UInt32(number))
    }

    /// Adds rules for a call; false when one contradicts an earlier one.
    mutating func add(_ row: Int32, _ value: UInt32, _ new: [Chain]) -> Bool {
        var isConsistent = true
        if interface.architecture == .x86 {
            for (column, multiplexer) in Self.multiplexers {
                let call = number(row, column)
                guard call > 0 else { continue }
                let chains =
                    new.isEmpty ? [Chain(value: value).behind(call)] : new.map { $0.behind(call) }
                isConsistent = add(to: multiplexer, value, chains) && isConsistent
            }
        }
        let number = number(row, interface.column)
        guard number >= 0 else { return isConsistent }
        return add(to: number, value, new) && isConsistent
    }

    private mutating func add(to number: Int, _ value: UInt32, _ new: [Chain]) -> Bool {
        if number >= slots.count {
            slots += [Slot](repeating: .none, count: number + 1 - slots.count)
        }
        switch slots[number] {
        case .always: return true
        case .none where !new.isEmpty:
            slots[number] = .chains(chains.count)
            chains.append([])
        case _ where new.isEmpty:
            slots[number] = .always(value)
            return true
        case .none, .chains: break
        }
        guard case .chains(let index) = slots[number] else { return true }
        for chain in new where !insert(chain, at: index) { return false }
        return true
    }

    /// Puts alternatives in the order in which they are tried.
    private mutating func insert(_ chain: Chain, at index: Int) -> Bool {
        var place = 0
        for existing in chains[index] {
            guard existing.conditions != chain.conditions else {
                return existing.value == chain.value
            }
            if chain.precedes(existing) { break }
            place += 1
        }
        chains[index].insert(chain, at: place)
        return true
    }

    /// All numbers as ranges, in order, with the interface's bit.
    func ranges(_ defaultReturn: UInt32) -> [Range] {
        var ranges: [Range] = []
        ranges.reserveCapacity(256)
        var previous: Slot?
        for (number, slot) in slots.enumerated() where slot != previous {
            ranges.append(Range(start: UInt32(number) | interface.bit, slot: slot))
            previous = slot
        }
        if previous != Slot.none {
            ranges.append(Range(start: UInt32(slots.count) | interface.bit, slot: .none))
        }
        return ranges
    }
}

internal import OCI

/// A comparison of one argument of a system call.
struct Condition: Equatable {
    var index: UInt32
    var op: Spec.Seccomp.Operator
    var value: UInt64
    /// For `maskedEqual`; else all ones.
    var mask = UInt64.max

    init(index: UInt32, op: Spec.Seccomp.Operator, value: UInt64) {
        self.index = index
        self.op = op
        self.value = value
    }

    init(_ argument: Spec.Seccomp.Argument) {
        self.init(index: argument.index, op: argument.op, value: argument.value)
        guard op == .maskedEqual else { return }
        mask = argument.value
        value = (argument.valueTwo ?? 0) & mask
    }

    /// How much a comparison tells: a single value more than a range.
    private var rank: Int {
        switch op {
        case .equal, .notEqual, .maskedEqual: 3
        case .less, .lessOrEqual: 2
        case .greaterOrEqual, .greater: 1
        }
    }

    /// libseccomp's order on one level of its tree: later arguments first, single values before
    /// ranges, then the narrower of two ranges.
    func precedes(_ other: Condition) -> Bool {
        if index != other.index { return index > other.index }
        if rank != other.rank { return rank > other.rank }
        return rank == 2 ? value < other.value : value > other.value
    }
}

/// Conditions that must all hold, and the return value then.
struct Chain: Equatable {
    var conditions: [Condition] = []
    var value: UInt32

    init(value: UInt32) {
        self.value = value
    }

    /// The chains of a rule: one, or one a condition when an argument is named twice.
    static func all(of rule: Spec.Seccomp.Rule, _ value: UInt32) -> [Chain] {
        guard !rule.args.isEmpty else { return [] }
        var named: UInt64 = 0
        var isRepeated = false
        for argument in rule.args {
            let bit: UInt64 = 1 << UInt64(argument.index & 63)
            isRepeated = isRepeated || named & bit != 0
            named |= bit
        }
        var chains: [Chain] = []
        var whole = Chain(value: value)
        for argument in rule.args {
            whole.conditions.append(Condition(argument))
            guard isRepeated else { continue }
            var single = Chain(value: value)
            single.conditions = [Condition(argument)]
            chains.append(single)
        }
        whole.conditions.sort { $0.index < $1.index }
        return isRepeated ? chains : [whole]
    }

    /// The same chain behind a multiplexing call, whose first argument chooses.
    func behind(_ call: Int) -> Chain {
        var chain = self
        chain.conditions = [Condition(index: 0, op: .equal, value: UInt64(call))]
        for condition in conditions where condition.index != 0 {
            chain.conditions.append(condition)
        }
        return chain
    }

    /// Whether this chain is tried before another: by the first condition that differs; of a
    /// chain and a longer one that begins like it, the longer has nothing to add.
    func precedes(_ other: Chain) -> Bool {
        for (own, others) in zip(conditions, other.conditions) where own != others {
            return own.precedes(others)
        }
        return conditions.count < other.conditions.count
    }
}

/// One option of the program or of a verb, as data.
///
/// The parser, the help, the completions, the manual pages and spec/cli.md are all made from
/// these values, so that none of them can say something else than the others.
package struct Option: Sendable, Equatable {
    /// What follows the option's name.
    package enum Shape: Sendable, Equatable {
        /// Nothing, or `=true` and `=false`.
        case flag
        /// One value; a later one replaces an earlier one.
        case value
        /// One value each time, and all of them count.
        case list
    }

    /// The long name, without dashes.
    package let name: String
    /// One letter, or "" where there is none.
    package let short: String
    package let shape: Shape
    /// What the value is called in the help.
    ///
    /// It also says how the value is completed: see ``Completion``.
    package let placeholder: String
    package let help: String
    /// Accepted but not shown: kept for engines that still use it.
    package let isHidden: Bool

    /// An option without a value.
    package static func flag(
        _ name: String, _ short: String = "", _ help: String, hidden: Bool = false
    ) -> Option {
        Option(
            name: name, short: short, shape: .flag, placeholder: "", help: help, isHidden: hidden)
    }

    /// An option with one value.
    package static func value(
        _ name: String, _ short: String = "", _ placeholder: String, _ help: String,
        hidden: Bool = false
    ) -> Option {
        Option(
            name: name, short: short, shape: .value, placeholder: placeholder, help: help,
            isHidden: hidden)
    }

    /// An option that may be given several times.
    package static func list(
        _ name: String, _ short: String = "", _ placeholder: String, _ help: String
    ) -> Option {
        Option(
            name: name, short: short, shape: .list, placeholder: placeholder, help: help,
            isHidden: false)
    }

    /// The option as the help shows it: `--bundle DIR, -b DIR`.
    package var synopsis: String {
        let value = placeholder == "" ? "" : " " + placeholder
        return "--" + name + value + (short == "" ? "" : ", -" + short + value)
    }
}

/// What a verb takes besides options.
package struct Operand: Sendable, Equatable {
    package enum Count: Sendable {
        case one
        case optional
        case any
    }

    package let name: String
    package let count: Count

    package static func one(_ name: String) -> Operand { Operand(name: name, count: .one) }
    package static func optional(_ name: String) -> Operand {
        Operand(name: name, count: .optional)
    }
    package static func any(_ name: String) -> Operand { Operand(name: name, count: .any) }

    /// The operand as the help shows it: `<container-id>`, `[signal]`, `[arguments...]`.
    package var synopsis: String {
        switch count {
        case .one: "<" + name + ">"
        case .optional: "[" + name + "]"
        case .any: "[" + name + "...]"
        }
    }
}

/// A verb of the command line, as data.
package struct Verb: Sendable {
    /// Every verb; the command's own switch over this has a case for each.
    package enum Name: String, CaseIterable, Sendable {
        case create, run, start, exec, state, kill, delete, list, ps
        case pause, resume, update, events, stats
        case checkpoint, restore
        case shell, explain, spec, features, help
    }

    /// Where somebody else's command line begins, whose options are not ours.
    package enum Tail: Sendable {
        /// Nowhere: options may stand anywhere.
        case operands
        /// Behind the first operand: `exec ID ls -l`.
        case behindFirst
        /// At the second operand or behind `--`: `shell DIR --memory 1G ls -l`.
        case fromSecond
    }

    package let name: Name
    package let summary: String
    package let operands: [Operand]
    package let options: [Option]
    package let tail: Tail
    /// Paragraphs of the manual page.
    package let details: [String]
    /// Command lines, without the program's name.
    package let examples: [String]

    package init(
        _ name: Name, _ summary: String, operands: [Operand] = [], options: [Option] = [],
        tail: Tail = .operands, details: [String] = [], examples: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.operands = operands
        self.options = options
        self.tail = tail
        self.details = details
        self.examples = examples
    }

    /// How many operands the verb needs at least.
    package var minimum: Int {
        var count = 0
        for operand in operands where operand.count == .one { count += 1 }
        return count
    }

    /// How many operands the verb takes at most; nil where there is no limit.
    package var maximum: Int? {
        for operand in operands where operand.count == .any { return nil }
        return operands.count
    }

    /// The command line in short: `apus create [options] <container-id>`.
    package var synopsis: String {
        var text = Program.name + " " + name.rawValue
        if !options.isEmpty { text += " [options]" }
        for operand in operands { text += " " + operand.synopsis }
        return text
    }
}

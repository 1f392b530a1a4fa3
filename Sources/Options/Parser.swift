/// A command line that the tables do not allow.
package struct UsageError: Error, Equatable, Sendable {
    package let message: String
    /// Of the program, see ExitCode.
    package let exitCode: Int32

    package init(_ message: String, exitCode: Int32 = ExitCode.failure) {
        self.message = message
        self.exitCode = exitCode
    }

    package static func unknownCommand(_ name: String) -> UsageError {
        UsageError(
            "No help topic for '\(name)': there is no such command",
            exitCode: ExitCode.unknownCommand)
    }
}

/// A parsed command line.
package struct Arguments: Sendable {
    /// The verb, or nil for `apus`, `apus --help` and `apus --version`.
    package internal(set) var verb: Verb.Name?
    /// What is no option, in order.
    package internal(set) var operands: [String] = []
    /// `--help` or `-h` was given.
    package internal(set) var wantsHelp = false
    /// Options in the order given, with their values; "true" or "false" for a flag.
    private(set) var given: [(name: String, value: String)] = []

    package init() {}

    /// Whether a flag is set; the last one given wins.
    package func has(_ name: String) -> Bool { value(name) == "true" }

    /// The value of an option, nil when it was not given; the last one given wins.
    package func value(_ name: String) -> String? {
        for entry in given.reversed() where entry.name == name { return entry.value }
        return nil
    }

    /// All values of an option, in the order given.
    package func values(_ name: String) -> [String] {
        var found: [String] = []
        for entry in given where entry.name == name { found.append(entry.value) }
        return found
    }

    mutating func note(_ name: String, _ value: String) { given.append((name, value)) }
}

/// Reads command lines by the tables.
///
/// Accepted are `--name value`, `--name=value`, the same with one dash (go-runc says
/// `-no-subreaper`), `-n value`, `-nvalue`, several letters of flags together, and `--` as the
/// end of options. Options may stand before and after the operands, except where the operands
/// are somebody's command line (``Verb/Tail``). Options of the program may also follow
/// the verb.
package struct Parser {
    private let words: [String]
    private var next = 0
    private var result = Arguments()
    private var table: Verb?

    private init(_ words: [String]) { self.words = words }

    /// Parses the words that follow the program's name.
    package static func parse(_ words: [String]) throws(UsageError) -> Arguments {
        var arguments = Arguments()
        try parse(words, into: &arguments)
        return arguments
    }

    /// The same; where a word is not understood, `arguments` holds what was read before it.
    package static func parse(
        _ words: [String], into arguments: inout Arguments
    ) throws(UsageError) {
        var parser = Parser(words)
        defer { arguments = parser.result }
        try parser.run()
    }

    private mutating func run() throws(UsageError) {
        var onlyOperands = false
        while next < words.count {
            let word = words[next]
            next += 1
            if onlyOperands || !Parser.isOption(word) {
                try takeOperand(word)
            } else if word == "--" {
                onlyOperands = true
                if table?.tail == .fromSecond, result.operands.count == 1 { takeRest() }
            } else {
                try takeOption(word)
            }
        }
        try checkCount()
    }

    /// A lone "-" is an operand: it names standard input.
    private static func isOption(_ word: String) -> Bool {
        word.utf8.first == UInt8(ascii: "-") && word.utf8.count > 1
    }

    private mutating func takeOperand(_ word: String) throws(UsageError) {
        guard table != nil else {
            guard let name = Verb.Name(rawValue: word) else {
                throw .unknownCommand(word)
            }
            result.verb = name
            table = Verb.table(of: name)
            return
        }
        result.operands.append(word)
        switch (table?.tail, result.operands.count) {
        case (.behindFirst, 1):
            // No program is called "--": it only says that a command line begins.
            if next < words.count, words[next] == "--" { next += 1 }
            takeRest()
        case (.fromSecond, 2): takeRest()
        default: break
        }
    }

    /// Takes the words that are left as operands.
    private mutating func takeRest() {
        result.operands.append(contentsOf: words[next...])
        next = words.count
    }

    private mutating func takeOption(_ word: String) throws(UsageError) {
        let dashes = word.utf8.starts(with: [45, 45]) ? 2 : 1
        let body = word.utf8.dropFirst(dashes)
        let equals = body.firstIndex(of: UInt8(ascii: "="))
        let name = String(Substring(body[..<(equals ?? body.endIndex)]))
        let attached = equals.map { String(Substring(body[body.index(after: $0)...])) }
        if name == "help" || name == "h" {
            result.wantsHelp = attached != "false"
        } else if let option = find(name) {
            try take(option, as: word, attached: attached)
        } else if dashes == 1 {
            try takeLetters(Substring(body), of: word)
        } else {
            throw UsageError("flag provided but not defined: \(word)")
        }
    }

    private mutating func take(
        _ option: Option, as word: String, attached: String?
    ) throws(UsageError) {
        if option.shape == .flag {
            result.note(option.name, try boolean(attached ?? "true", of: option))
        } else if let attached {
            result.note(option.name, attached)
        } else if next < words.count {
            result.note(option.name, words[next])
            next += 1
        } else {
            throw UsageError("flag needs an argument: \(word)")
        }
    }

    /// `-dt`, `-nVALUE`: letters of flags, the last one may take the rest as its value.
    private mutating func takeLetters(_ letters: Substring, of word: String) throws(UsageError) {
        var rest = letters
        while let letter = rest.popFirst() {
            guard let option = find(String(letter)), option.short == String(letter) else {
                throw UsageError("flag provided but not defined: \(word)")
            }
            guard option.shape == .flag else {
                return try take(option, as: word, attached: rest.isEmpty ? nil : String(rest))
            }
            result.note(option.name, "true")
        }
    }

    private func boolean(_ text: String, of option: Option) throws(UsageError) -> String {
        switch text {
        case "true", "t", "T", "TRUE", "True", "1": return "true"
        case "false", "f", "F", "FALSE", "False", "0": return "false"
        default:
            throw UsageError("invalid boolean value \"\(text)\" for --\(option.name)")
        }
    }

    /// The option of a long or short name: of the verb, else of the program.
    private func find(_ name: String) -> Option? {
        if let table, let option = Parser.find(name, in: table.options) { return option }
        return Parser.find(name, in: Program.options)
    }

    private static func find(_ name: String, in options: [Option]) -> Option? {
        guard name != "" else { return nil }
        for option in options where option.name == name || option.short == name { return option }
        return nil
    }

    private func checkCount() throws(UsageError) {
        guard let table, !result.wantsHelp else { return }
        let count = result.operands.count
        if count < table.minimum {
            throw UsageError("missing argument \(table.operands[count].synopsis)")
        }
        if let maximum = table.maximum, count > maximum {
            throw UsageError("unexpected argument '\(result.operands[maximum])'")
        }
    }
}

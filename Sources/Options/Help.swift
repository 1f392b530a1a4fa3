/// The help texts, made from the tables.
package enum Help {
    /// The widest left column; a longer option gets a line of its own.
    private static let column = 34

    /// The help of the program.
    package static func program() -> String {
        var text = heading("NAME", "\(Program.name) - \(Program.summary)")
        text += heading(
            "USAGE", "\(Program.name) [global options] command [command options] [arguments...]")
        text += heading("VERSION", Program.version)
        text += "COMMANDS:\n"
        for name in Verb.Name.allCases {
            text += row(name.rawValue, Verb.table(of: name).summary, column: 14)
        }
        text += "\nGLOBAL OPTIONS:\n" + rows(Program.options)
        return text + "\nThe help of a command: \(Program.name) COMMAND --help\n"
    }

    /// The help of a verb.
    package static func verb(_ name: Verb.Name) -> String {
        let verb = Verb.table(of: name)
        var text = heading("NAME", "\(Program.name) \(name.rawValue) - \(verb.summary)")
        text += heading("USAGE", verb.synopsis)
        for paragraph in verb.details { text += wrapped(paragraph, indent: 3) + "\n" }
        if !verb.examples.isEmpty {
            text += "EXAMPLES:\n"
            for example in verb.examples { text += "   \(Program.name) \(example)\n" }
            text += "\n"
        }
        return text + "OPTIONS:\n" + rows(verb.options) + row("--help, -h", "print this help")
    }

    private static func heading(_ title: String, _ line: String) -> String {
        title + ":\n   " + line + "\n\n"
    }

    private static func rows(_ options: [Option]) -> String {
        var text = ""
        for option in options where !option.isHidden { text += row(option.synopsis, option.help) }
        return text
    }

    private static func row(_ left: String, _ right: String, column: Int = column) -> String {
        var text = "   " + left
        let width = left.utf8.count
        if width + 2 > column {
            text += "\n   " + spaces(column)
        } else {
            text += spaces(column - width)
        }
        return text + hanging(right, indent: column + 3) + "\n"
    }

    package static func spaces(_ count: Int) -> String {
        String(repeating: " ", count: max(0, count))
    }

    /// A paragraph of lines of at most 96 columns, each indented.
    private static func wrapped(_ text: String, indent: Int) -> String {
        spaces(indent) + hanging(text, indent: indent) + "\n"
    }

    /// A paragraph whose first line has its indentation already.
    private static func hanging(_ text: String, indent: Int) -> String {
        var result = ""
        var width = indent
        for word in text.split(separator: " ") {
            let length = word.utf8.count
            if width > indent, width + 1 + length > 96 {
                result += "\n" + spaces(indent)
                width = indent
            } else if width > indent {
                result += " "
                width += 1
            }
            result += String(word)
            width += length
        }
        return result
    }
}

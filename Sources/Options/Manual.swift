/// Manual pages (roff, man(7)) and the tables of spec/cli.md, made from the option tables.
package enum Manual {
    /// The page of the program: apus(8).
    package static func program() -> String {
        var page = head(Program.name, Program.summary)
        page += ".SH SYNOPSIS\n.B \(Program.name)\n"
        page += roff("[global options] command [command options] [arguments...]") + "\n"
        page += ".SH DESCRIPTION\n" + paragraphs(Program.details)
        page += ".SH COMMANDS\n"
        for name in Verb.Name.allCases {
            let verb = Verb.table(of: name)
            page += ".TP\n.BR \(Program.name)\\-\(name.rawValue) (8)\n" + roff(verb.summary) + "\n"
        }
        page += ".SH OPTIONS\n" + rows(Program.options)
        page += ".SH EXIT STATUS\n"
        for row in ExitCode.table {
            page += ".TP\n.B \(roff(row.code))\n" + roff(row.meaning) + "\n"
        }
        return page
    }

    /// The page of a verb: apus-create(8).
    package static func verb(_ name: Verb.Name) -> String {
        let verb = Verb.table(of: name)
        var page = head("\(Program.name)-\(name.rawValue)", verb.summary)
        page += ".SH SYNOPSIS\n.B " + roff(verb.synopsis) + "\n"
        if !verb.details.isEmpty { page += ".SH DESCRIPTION\n" + paragraphs(verb.details) }
        page += ".SH OPTIONS\n" + rows(verb.options)
        page += ".TP\n\\fB\\-\\-help\\fR, \\fB\\-h\\fR\nprint the help\n"
        if !verb.examples.isEmpty {
            page += ".SH EXAMPLES\n.nf\n"
            for example in verb.examples { page += roff("\(Program.name) \(example)") + "\n" }
            page += ".fi\n"
        }
        return page + ".SH SEE ALSO\n.BR \(Program.name) (8)\n"
    }

    private static func head(_ title: String, _ summary: String) -> String {
        ".\\\" Generated from the option tables (make share)\n"
            + ".TH \"\(title.uppercased())\" 8 \"\" \"\(Program.name) \(Program.version)\"\n"
            + ".SH NAME\n" + roff(title) + " \\- " + roff(summary) + "\n"
    }

    private static func paragraphs(_ texts: [String]) -> String {
        var result = ""
        for (index, text) in texts.enumerated() {
            result += (index == 0 ? "" : ".PP\n") + roff(text) + "\n"
        }
        return result
    }

    private static func rows(_ options: [Option]) -> String {
        var result = ""
        for option in options where !option.isHidden {
            let value = option.placeholder == "" ? "" : " \\fI" + roff(option.placeholder) + "\\fR"
            result += ".TP\n\\fB" + roff("--" + option.name) + "\\fR" + value
            if option.short != "" { result += ", \\fB" + roff("-" + option.short) + "\\fR" + value }
            result += "\n" + roff(option.help) + "\n"
        }
        return result
    }

    /// A text whose dashes and backslashes stay what they are, and which starts no request.
    private static func roff(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case ".", "'": result += result == "" ? "\\&" + String(character) : String(character)
            default: result.append(character)
            }
        }
        return result
    }

    /// The generated part of spec/cli.md: options of the program and of each verb, exit codes.
    package static func markdown() -> String {
        var text = "## Global options\n\n" + markdownTable(Program.options)
        text += "\n## Exit codes\n\n| code | meaning |\n|---|---|\n"
        for row in ExitCode.table { text += "| \(row.code) | \(row.meaning) |\n" }
        text += "\n## Commands\n"
        for name in Verb.Name.allCases {
            let verb = Verb.table(of: name)
            text += "\n### \(name.rawValue)\n\n`\(verb.synopsis)`: \(verb.summary).\n"
            for paragraph in verb.details { text += "\n" + paragraph + "\n" }
            if !verb.options.isEmpty { text += "\n" + markdownTable(verb.options) }
        }
        return text
    }

    private static func markdownTable(_ options: [Option]) -> String {
        var text = "| option | meaning |\n|---|---|\n"
        for option in options {
            let help = option.isHidden ? option.help + " (not shown in the help)" : option.help
            text += "| `" + escaped(option.synopsis) + "` | " + escaped(help) + " |\n"
        }
        return text
    }

    /// A bar would end the cell, even inside a code span.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character == "|" { result += "\\" }
            result.append(character)
        }
        return result
    }
}

/// The exit codes of the command.
package enum ExitCode {
    package static let success: Int32 = 0
    /// Anything that went wrong, a wrong command line included.
    package static let failure: Int32 = 1
    /// A command that there is not.
    package static let unknownCommand: Int32 = 3
    /// `exec`: the process could not be started.
    package static let execFailure: Int32 = 255

    package static let table: [(code: String, meaning: String)] = [
        ("0", "done; of delete --force and kill --all, also: there was nothing left to do"),
        ("1", "an error, or a command line that is not understood"),
        ("3", "a command that there is not"),
        ("255", "exec: the process could not be started"),
        ("n", "run, exec and shell in the foreground: the exit code of the process"),
        ("128+n", "run, exec and shell in the foreground: the process was ended by signal n"),
    ]
}

/// One generated file.
package struct SharedFile {
    /// The path below spec/.
    package let path: String
    package let text: String

    /// All files of spec/completions and spec/man.
    package static func all() -> [SharedFile] {
        let name = Program.name
        var files = [
            SharedFile(path: "completions/\(name).bash", text: Completions.bash()),
            SharedFile(path: "completions/_\(name)", text: Completions.zsh()),
            SharedFile(path: "completions/\(name).fish", text: Completions.fish()),
            SharedFile(path: "man/\(name).8", text: Manual.program()),
        ]
        for verb in Verb.Name.allCases {
            files.append(
                SharedFile(path: "man/\(name)-\(verb.rawValue).8", text: Manual.verb(verb)))
        }
        return files
    }
}

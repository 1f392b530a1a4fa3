/// What a value can be completed to; read off its placeholder in the table.
package enum Completion: Equatable {
    case nothing
    case files
    case directories
    /// One of some words: the placeholder "text|json".
    case words([String])
    case containers
    case verbs

    /// The completion of an option's value.
    package init(placeholder: String) {
        switch placeholder {
        case "FILE", "SOCKET": self = .files
        case "DIR": self = .directories
        default:
            let words = placeholder.split(separator: "|").map { String($0) }
            self = words.count > 1 ? .words(words) : .nothing
        }
    }

    /// The completion of a verb's first operand.
    package init(operand: Operand?) {
        switch operand?.name {
        case "container-id": self = .containers
        case "DIR": self = .directories
        case "command": self = .verbs
        default: self = .nothing
        }
    }
}

/// Programs for the completion of command lines, made from the tables.
///
/// They start the runtime for one thing only: the IDs of containers.
package enum Completions {
    /// The bash completion.
    package static func bash() -> String {
        var text = """
            # bash completion for \(Program.name); generated from the option tables (make share)
            _\(Program.name)() {
                local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD - 1]}" verb="" i
                COMPREPLY=()
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case "${COMP_WORDS[i]}" in
            \(patterns(Program.options, indent: 12))) ((i++)) ;;
                        -*) ;;
                        *) verb="${COMP_WORDS[i]}"; break ;;
                    esac
                done
                case "$verb:$prev" in

            """
        text += values("", Program.options)
        for name in Verb.Name.allCases {
            text += values(name.rawValue, Verb.table(of: name).options)
        }
        text += """
                esac
                case "$verb" in
                    "") _\(Program.name)_words "\(words(Program.options)) \(verbs())" ;;

            """
        for name in Verb.Name.allCases {
            let verb = Verb.table(of: name)
            let pad = Help.spaces(12)
            text += Help.spaces(8) + name.rawValue + ")\n"
            text += pad + "if [[ $cur == -* ]]; then\n"
            text += pad + "    _\(Program.name)_words \"\(words(verb.options)) --help\"\n"
            text += pad + "else\n"
            text += pad + "    " + bashAction(Completion(operand: verb.operands.first)) + "\n"
            text += pad + "fi ;;\n"
        }
        return text + """
                esac
            }
            _\(Program.name)_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
            _\(Program.name)_containers() { _\(Program.name)_words "$(\(Program.name) list -q 2>/dev/null)"; }
            complete -F _\(Program.name) \(Program.name)

            """
    }

    private static func bashAction(_ completion: Completion) -> String {
        switch completion {
        case .nothing: ":"
        case .files: "COMPREPLY=($(compgen -f -- \"$cur\"))"
        case .directories: "COMPREPLY=($(compgen -d -- \"$cur\"))"
        case .words(let words): "_\(Program.name)_words \"\(joined(words, " "))\""
        case .containers: "_\(Program.name)_containers"
        case .verbs: "_\(Program.name)_words \"\(verbs())\""
        }
    }

    /// The case branches that complete the values of a verb's options.
    private static func values(_ verb: String, _ options: [Option]) -> String {
        var text = ""
        for option in options where option.shape != .flag && !option.isHidden {
            var pattern = verb + ":--" + option.name
            if option.short != "" { pattern += "|" + verb + ":-" + option.short }
            let action = bashAction(Completion(placeholder: option.placeholder))
            text += Help.spaces(8) + pattern + ") " + action + "; return ;;\n"
        }
        return text
    }

    /// The options that take the next word as their value, as a pattern.
    private static func patterns(_ options: [Option], indent: Int) -> String {
        var names: [String] = []
        for option in options where option.shape != .flag {
            names.append("--" + option.name)
            if option.short != "" { names.append("-" + option.short) }
        }
        return Help.spaces(indent) + joined(names, "|")
    }

    private static func words(_ options: [Option]) -> String {
        var names: [String] = []
        for option in options where !option.isHidden { names.append("--" + option.name) }
        return joined(names, " ")
    }

    private static func verbs() -> String {
        var names: [String] = []
        for name in Verb.Name.allCases { names.append(name.rawValue) }
        return joined(names, " ")
    }

    static func joined(_ words: [String], _ separator: String) -> String {
        var text = ""
        for word in words { text += (text == "" ? "" : separator) + word }
        return text
    }
}

extension Completions {
    /// The zsh completion.
    package static func zsh() -> String {
        var text = """
            #compdef \(Program.name)
            # zsh completion for \(Program.name); generated from the option tables (make share)
            _\(Program.name)_containers() {
                compadd -- ${(f)"$(\(Program.name) list -q 2>/dev/null)"}
            }
            local context state line
            local -a verbs
            verbs=(

            """
        for name in Verb.Name.allCases {
            text += "    '" + name.rawValue + ":" + quoted(Verb.table(of: name).summary) + "'\n"
        }
        text += ")\n_arguments -C \\\n" + specs(Program.options)
        text += """
                '1:command:->verb' \\
                '*::argument:->rest'
            case $state in
                verb) _describe command verbs ;;
                rest)
                    case $line[1] in

            """
        for name in Verb.Name.allCases {
            let verb = Verb.table(of: name)
            text += Help.spaces(12) + name.rawValue + ") _arguments \\\n" + specs(verb.options)
            text += "    '1:argument:" + zshAction(Completion(operand: verb.operands.first)) + "'"
            text += verb.tail == .operands ? "" : " '*::command:_normal'"
            text += " ;;\n"
        }
        return text + """
                    esac ;;
            esac

            """
    }

    private static func specs(_ options: [Option]) -> String {
        var text = ""
        for option in options where !option.isHidden {
            let many = option.shape == .list ? "*" : ""
            var tail = "[" + quoted(option.help) + "]"
            if option.shape != .flag {
                let action = zshAction(Completion(placeholder: option.placeholder))
                tail += ":" + quoted(option.placeholder) + ":" + action
            }
            text += "    '" + many + "--" + option.name + tail + "' \\\n"
            if option.short != "" { text += "    '" + many + "-" + option.short + tail + "' \\\n" }
        }
        return text
    }

    private static func zshAction(_ completion: Completion) -> String {
        switch completion {
        case .nothing: " "
        case .files: "_files"
        case .directories: "_files -/"
        case .words(let words): "(" + joined(words, " ") + ")"
        case .containers: "_\(Program.name)_containers"
        case .verbs: "(" + verbs() + ")"
        }
    }

    /// A text inside single quotes and brackets of _arguments.
    private static func quoted(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "'": result += "'\\''"
            case "[", "]", ":", "\\": result += "\\" + String(character)
            default: result.append(character)
            }
        }
        return result
    }

    /// The fish completion.
    package static func fish() -> String {
        let complete = "complete -c \(Program.name)"
        var text = """
            # fish completion for \(Program.name); generated from the option tables (make share)
            function __\(Program.name)_containers
                \(Program.name) list -q 2>/dev/null
            end
            set -l verbs \(verbs())
            \(complete) -f

            """
        let noVerb = " -n \"not __fish_seen_subcommand_from $verbs\""
        for option in Program.options { text += complete + noVerb + fishOption(option) }
        for name in Verb.Name.allCases {
            let verb = Verb.table(of: name)
            let summary = fishQuoted(verb.summary)
            text += complete + noVerb + " -a " + name.rawValue + " -d " + summary + "\n"
            let seen = " -n \"__fish_seen_subcommand_from \(name.rawValue)\""
            for option in verb.options { text += complete + seen + fishOption(option) }
            let operand = fishAction(Completion(operand: verb.operands.first))
            if operand != "" { text += complete + seen + operand + "\n" }
        }
        return text
    }

    private static func fishOption(_ option: Option) -> String {
        guard !option.isHidden else { return " -l " + option.name + "\n" }
        var text = " -l " + option.name
        if option.short != "" { text += " -s " + option.short }
        if option.shape != .flag {
            text += " -r" + fishAction(Completion(placeholder: option.placeholder))
        }
        return text + " -d " + fishQuoted(option.help) + "\n"
    }

    private static func fishAction(_ completion: Completion) -> String {
        switch completion {
        case .nothing: ""
        case .files: " -F"
        case .directories: " -a \"(__fish_complete_directories)\""
        case .words(let words): " -a \"" + joined(words, " ") + "\""
        case .containers: " -a \"(__\(Program.name)_containers)\""
        case .verbs: " -a \"$verbs\""
        }
    }

    private static func fishQuoted(_ text: String) -> String {
        var result = "'"
        for character in text {
            if character == "'" || character == "\\" { result += "\\" }
            result.append(character)
        }
        return result + "'"
    }
}

import Testing

@testable import Options

/// A command line and what it must be read as.
struct Line: Sendable, CustomTestStringConvertible {
    var words: [String]
    var verb: Verb.Name?
    var operands: [String] = []
    var options: [[String]] = []

    init(
        _ line: String, _ verb: Verb.Name?, _ operands: [String] = [], _ options: [[String]] = []
    ) {
        words = line.split(separator: " ").map { String($0) }
        self.verb = verb
        self.operands = operands
        self.options = options
    }

    var testDescription: String { words.joined(separator: " ") }
}

@Suite("Parser")
struct ParserTests {
    static let accepted: [Line] = [
        Line("", nil),
        Line("--version", nil, [], [["version", "true"]]),
        Line("-v", nil, [], [["version", "true"]]),
        Line("state web", .state, ["web"]),
        Line("create -b dir web", .create, ["web"], [["bundle", "dir"]]),
        Line("create -bdir web", .create, ["web"], [["bundle", "dir"]]),
        Line("create --bundle=dir web", .create, ["web"], [["bundle", "dir"]]),
        Line("create -bundle dir web", .create, ["web"], [["bundle", "dir"]]),
        Line("create web --bundle dir", .create, ["web"], [["bundle", "dir"]]),
        Line("create --bundle= web", .create, ["web"], [["bundle", ""]]),
        Line("create --bundle a=b web", .create, ["web"], [["bundle", "a=b"]]),
        Line("create -- -web", .create, ["-web"]),
        Line(
            "restore -no-subreaper -d web", .restore, ["web"],
            [
                ["no-subreaper", "true"], ["detach", "true"],
            ]),
        Line("-root /run/x list", .list, [], [["root", "/run/x"]]),
        Line("list --root /run/x", .list, [], [["root", "/run/x"]]),
        Line("run --detach=false web", .run, ["web"], [["detach", "false"]]),
        Line("run --no-pivot=1 web", .run, ["web"], [["no-pivot", "true"]]),
        Line("exec web ls --detach -l", .exec, ["web", "ls", "--detach", "-l"]),
        Line("exec web -- ls -- x", .exec, ["web", "ls", "--", "x"]),
        Line("exec -- web ls -l", .exec, ["web", "ls", "-l"]),
        Line("exec -dt web sh", .exec, ["web", "sh"], [["detach", "true"], ["tty", "true"]]),
        Line(
            "exec -te A=1 -e B=2 web sh", .exec, ["web", "sh"],
            [
                ["tty", "true"], ["env", "A=1", "B=2"],
            ]),
        Line("exec -u1000:5 web sh", .exec, ["web", "sh"], [["user", "1000:5"]]),
        Line(
            "exec --process p.json --detach web", .exec, ["web"],
            [
                ["process", "p.json"], ["detach", "true"],
            ]),
        Line("update --memory-swap -1 web", .update, ["web"], [["memory-swap", "-1"]]),
        Line("update --resources=- web", .update, ["web"], [["resources", "-"]]),
        Line("update -r - web", .update, ["web"], [["resources", "-"]]),
        Line("ps --format json web", .ps, ["web"], [["format", "json"]]),
        Line("ps web -o pid", .ps, ["web", "-o", "pid"]),
        Line("kill --all web 9", .kill, ["web", "9"], [["all", "true"]]),
        Line("kill web 9 --all", .kill, ["web", "9"], [["all", "true"]]),
        Line("shell dir", .shell, ["dir"]),
        Line(
            "shell dir --memory 1M ls -l --read-only", .shell,
            ["dir", "ls", "-l", "--read-only"], [["memory", "1M"]]),
        Line(
            "shell dir -x -- ls -- -l", .shell, ["dir", "ls", "--", "-l"],
            [
                ["ephemeral", "true"]
            ]),
        Line("shell dir -- -- x", .shell, ["dir", "--", "x"]),
        Line("explain shell dir --memory 1M", .explain, ["shell", "dir", "--memory", "1M"]),
        Line(
            "--systemd-cgroup create --bundle b --pid-file p c", .create, ["c"],
            [
                ["systemd-cgroup", "true"], ["bundle", "b"], ["pid-file", "p"],
            ]),
        Line(
            "--root r --log l --log-format json delete --force c", .delete, ["c"],
            [
                ["root", "r"], ["log", "l"], ["log-format", "json"], ["force", "true"],
            ]),
    ]

    @Test("accepts", arguments: accepted)
    func accepts(line: Line) throws {
        let arguments = try Parser.parse(line.words)
        #expect(arguments.verb == line.verb)
        #expect(arguments.operands == line.operands)
        for option in line.options {
            #expect(arguments.values(option[0]) == Array(option.dropFirst()))
        }
        #expect(arguments.given.count == line.options.reduce(0) { $0 + $1.count - 1 })
        #expect(!arguments.wantsHelp)
    }

    @Test(
        "refuses",
        arguments: [
            ("restore --lsm-mount-context", "flag needs an argument: --lsm-mount-context"),
            ("create -b", "flag needs an argument: -b"),
            ("create --bogus web", "flag provided but not defined: --bogus"),
            ("create -xyz web", "flag provided but not defined: -xyz"),
            ("--bogus", "flag provided but not defined: --bogus"),
            ("create", "missing argument <container-id>"),
            ("create a b", "unexpected argument 'b'"),
            ("kill a b c", "unexpected argument 'c'"),
            ("list x", "unexpected argument 'x'"),
            ("foo -h", "No help topic for 'foo': there is no such command"),
            ("run --detach=perhaps web", "invalid boolean value \"perhaps\" for --detach"),
        ])
    func refuses(line: String, message: String) {
        let words = line.split(separator: " ").map { String($0) }
        let error = #expect(throws: UsageError.self) { try Parser.parse(words) }
        #expect(error?.message == message)
    }

    @Test("help needs no operands", arguments: Verb.Name.allCases)
    func help(verb: Verb.Name) throws {
        for word in ["--help", "-h", "-help"] {
            let arguments = try Parser.parse([verb.rawValue, word])
            #expect(arguments.wantsHelp)
            #expect(arguments.verb == verb)
        }
    }

    @Test("the last value wins")
    func last() throws {
        let arguments = try Parser.parse(["create", "-b", "x", "--bundle", "y", "web"])
        #expect(arguments.value("bundle") == "y")
        #expect(arguments.value("pid-file") == nil)
    }
}

@Suite("Tables")
struct TableTests {
    @Test("names are unique and well formed", arguments: Verb.Name.allCases)
    func names(verb: Verb.Name) {
        let table = Verb.table(of: verb)
        #expect(table.name == verb)
        // `spec --rootless` is a flag: engines' users know it so.
        let shared = Program.options.filter { $0.name != "rootless" || verb != .spec }
        let options = table.options + shared
        let long = options.map(\.name)
        let short = options.map(\.short).filter { $0 != "" }
        #expect(Set(long).count == long.count)
        #expect(
            Set(table.options.map(\.short).filter { $0 != "" }).count
                == table.options.count { $0.short != "" })
        #expect(Set(short).isDisjoint(with: long))
        for option in options {
            #expect(option.short.count <= 1)
            #expect((option.shape == .flag) == (option.placeholder == ""))
            #expect(option.name != "help" && option.short != "h")
            #expect(!option.help.hasSuffix("."))
        }
    }

    /// What the reference implementation of the command line takes: a verb may take more.
    static let reference: [Verb.Name: String] = [
        .create: "bundle console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds",
        .run: """
        bundle console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds \
        detach keep no-subreaper
        """,
        .exec: """
        process detach pid-file console-socket pidfd-socket cwd env tty user additional-gids \
        process-label apparmor no-new-privs cap preserve-fds cgroup ignore-paused
        """,
        .kill: "all", .delete: "force", .list: "format quiet", .ps: "format",
        .events: "interval stats", .spec: "bundle rootless",
        .update: """
        resources blkio-weight cpu-period cpu-quota cpu-burst cpu-share cpu-rt-period \
        cpu-rt-runtime cpuset-cpus cpuset-mems memory memory-reservation memory-swap cpu-idle \
        pids-limit l3-cache-schema mem-bw-schema kernel-memory kernel-memory-tcp
        """,
        .checkpoint: """
        image-path work-path parent-path leave-running tcp-established tcp-skip-in-flight \
        link-remap ext-unix-sk shell-job lazy-pages status-fd page-server file-locks pre-dump \
        manage-cgroups-mode empty-ns auto-dedup
        """,
        .restore: """
        image-path work-path bundle detach pid-file console-socket no-subreaper no-pivot \
        tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode empty-ns \
        auto-dedup lazy-pages lsm-profile lsm-mount-context
        """,
    ]

    @Test("every option that engines know is there")
    func engines() {
        for (verb, names) in Self.reference {
            let table = Set(Verb.table(of: verb).options.map(\.name))
            for name in names.split(separator: " ") {
                #expect(table.contains(String(name)), "\(verb) --\(name)")
            }
        }
    }
}

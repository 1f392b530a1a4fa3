// The verbs that tell and change nothing, and those that write a file for the user.

extension Verb {
    static let state = Verb(
        .state, "print a container's state as JSON", operands: [.container])

    static let list = Verb(
        .list, "list the containers",
        options: [
            .value("format", "f", "table|json", "the form of the output (default: table)"),
            .flag("quiet", "q", "print only the IDs"),
        ])

    static let ps = Verb(
        .ps, "list the processes of a container",
        operands: [.container, .any("ps-option")],
        options: [.value("format", "f", "table|json", "the form of the output (default: table)")],
        tail: .behindFirst,
        details: [
            """
            The table is that of the ps program of the host, of which only the container's \
            processes are kept; what follows the ID are options of ps (default: -ef). \
            Where the host has no ps, the table has the pids only.
            """
        ])

    static let events = Verb(
        .events, "print events and statistics of a container as JSON lines",
        operands: [.container],
        options: [
            .value("interval", "", "TIME", "the time between statistics (default: 5s)"),
            .flag("stats", "", "print the statistics once"),
        ])

    static let stats = Verb(
        .stats, "show what containers use",
        operands: [.container, .any("container-id")],
        options: [.flag("json", "", "as JSON, like events --stats")],
        details: [
            """
            On a terminal the table is drawn anew every second, with the history of the last \
            seconds, until the containers have ended. Elsewhere it is printed once.
            """
        ])

    static let explain = Verb(
        .explain, "print what create or shell would do",
        operands: [.any("shell DIR")],
        options: [
            .bundle,
            .value("config", "f", "FILE", "the configuration (default: config.json of the bundle)"),
            .flag("json", "", "as JSON"),
        ],
        tail: .behindFirst,
        details: [
            """
            Prints the plan, every step with the place of the configuration that asked for it, \
            and does nothing. With "shell" the rest is a command line of shell.
            """
        ],
        examples: ["explain --bundle /bundles/web", "explain shell rootfs --memory 256M"])

    static let spec = Verb(
        .spec, "write a config.json to begin with",
        options: [
            .value("bundle", "b", "DIR", "write it there (default: the current directory)"),
            .flag("rootless", "", "for an ordinary user: with a user namespace"),
        ],
        details: ["An existing config.json is never overwritten."])

    static let features = Verb(
        .features, "print what this runtime supports as JSON")

    static let help = Verb(
        .help, "print the help of the program or a verb",
        operands: [.optional("command")])
}

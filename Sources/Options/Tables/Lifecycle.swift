// The verbs of a container's life: create, run, start, exec, kill, delete, pause, resume.

extension Option {
    static let bundle = Option.value(
        "bundle", "b", "DIR", "the bundle directory (default: the current directory)")
    static let pidFile = Option.value("pid-file", "", "FILE", "write the process's pid here")
    static let consoleSocket = Option.value(
        "console-socket", "", "SOCKET", "send the terminal's master side to this Unix socket")
    static let pidfdSocket = Option.value(
        "pidfd-socket", "", "SOCKET", "send a pidfd of the process to this Unix socket")
    static let noPivot = Option.flag(
        "no-pivot", "", "move the root instead of pivot_root: for an initial RAM disk")
    static let noKeyring = Option.flag(
        "no-new-keyring", "", "keep the caller's session keyring")
    static let preserveFDs = Option.value(
        "preserve-fds", "", "N", "pass N more open files, from number 3 (default: 0)")
    static let detach = Option.flag("detach", "d", "return once the process runs")
    static let noSubreaper = Option.flag(
        "no-subreaper", "", "do not adopt the container's orphans")

    fileprivate static let creation: [Option] = [
        .bundle,
        .value("config", "f", "FILE", "the configuration (default: config.json of the bundle)"),
        .consoleSocket, .pidfdSocket, .pidFile, .noPivot, .noKeyring, .preserveFDs,
    ]
}

extension Verb {
    static let create = Verb(
        .create, "create a container, up to the start of its process",
        operands: [.container],
        options: Option.creation + [
            .flag("dry-run", "", "print the plan, as explain does, and do nothing")
        ],
        details: [
            """
            Everything that can fail has failed when create returns: what is left for start is \
            the program itself. A create that fails leaves nothing behind.
            """
        ],
        examples: ["create --bundle /bundles/web web"])

    static let run = Verb(
        .run, "create a container, start it and wait for its end",
        operands: [.container],
        options: Option.creation + [
            .detach,
            .flag("keep", "", "keep the container's state after its end"),
            .noSubreaper,
        ],
        details: [
            """
            Signals are passed on to the process. The exit code is the process's, or 128 and \
            the signal that ended it.
            """
        ],
        examples: ["run --bundle /bundles/web web"])

    static let start = Verb(
        .start, "start the process of a created container", operands: [.container])

    static let exec = Verb(
        .exec, "run another process in a container",
        operands: [.container, .any("command")],
        options: [
            .value("process", "p", "FILE", "the process as JSON, instead of a command"),
            .detach, .pidFile, .consoleSocket, .pidfdSocket,
            .value("cwd", "", "PATH", "the working directory"),
            .list("env", "e", "NAME=VALUE", "set an environment variable"),
            .flag("tty", "t", "allocate a terminal"),
            .value("user", "u", "UID[:GID]", "the user"),
            .list("additional-gids", "g", "GID", "add a supplementary group"),
            .value("process-label", "", "LABEL", "the SELinux label"),
            .value("apparmor", "", "PROFILE", "the AppArmor profile"),
            .flag("no-new-privs", "", "no gain of privileges by set-uid programs"),
            .list("cap", "c", "CAPABILITY", "add a capability"),
            .preserveFDs,
            .list("cgroup", "", "PATH", "join this cgroup below the container's"),
            .flag("ignore-paused", "", "also in a paused container, to run when it is resumed"),
        ],
        tail: .behindFirst,
        details: [
            """
            What follows the container's ID is the command, with its own options. The process \
            gets the container's own environment, user and limits where no option says otherwise. \
            A process that cannot be started is exit code 255.
            """
        ],
        examples: ["exec web ps aux", "exec --tty --user 1000 web sh"])

    static let kill = Verb(
        .kill, "send a signal to a container's process",
        operands: [.container, .optional("signal")],
        options: [.flag("all", "a", "to all processes of the container")],
        details: [
            "A signal is a number, a name (TERM, SIGTERM) or RTMIN+n. The default is TERM."
        ],
        examples: ["kill web HUP"])

    static let delete = Verb(
        .delete, "remove what is left of a container",
        operands: [.container],
        options: [
            .flag("force", "f", "kill a container that runs; an unknown one is no error")
        ])

    static let pause = Verb(
        .pause, "freeze all processes of a container", operands: [.container])

    static let resume = Verb(
        .resume, "let a paused container go on", operands: [.container])
}

/// The program itself: its name, and the options that stand before a verb.
package enum Program {
    package static let name = "apus"
    package static let version = "0.1.0"
    /// What was built: engines show it beside the version.
    package static let commit = "v" + version
    /// The runtime specification this program was written against.
    package static let specVersion = "1.3.0"
    package static let summary = "runs containers by the OCI runtime specification"

    /// Options of every verb.
    package static let options: [Option] = [
        .flag("debug", "", "show warnings and what the program does"),
        .value("log", "", "FILE", "append errors to this file, too"),
        .value("log-format", "", "text|json", "the form of lines in the log (default: text)"),
        .value(
            "root", "r", "DIR",
            "where the state of containers is kept (default: /run/apus, or "
                + "$XDG_RUNTIME_DIR/apus for an ordinary user)"),
        .flag(
            "systemd-cgroup", "", "let systemd make the cgroups; cgroupsPath is slice:prefix:name"),
        .value(
            "cgroup-manager", "", "cgroupfs|systemd|disabled",
            "who makes the cgroups (default: cgroupfs)"),
        .value(
            "rootless", "", "true|false|auto",
            "ignore cgroup permission errors nobody's limits depend on (default: auto)"),
        .value(
            "log-level", "", "error|warning|info|debug", "debug and warning: as --debug",
            hidden: true),
        .flag("version", "v", "print the version"),
    ]

    /// The paragraphs that `apus help` and the manual begin with.
    package static let details = [
        """
        A container's bundle is a directory with a config.json and a root file system. \
        create sets everything up and stops just before the program; start lets it go; \
        run does both and waits.
        """,
        """
        shell needs no bundle: it opens a shell in any directory that holds a root file \
        system, closed off as a container is.
        """,
        """
        explain prints what create would do, step by step, without doing it.
        """,
    ]
}

extension Verb {
    /// The verb's table.
    package static func table(of name: Name) -> Verb {
        switch name {
        case .create: .create
        case .run: .run
        case .start: .start
        case .exec: .exec
        case .state: .state
        case .kill: .kill
        case .delete: .delete
        case .list: .list
        case .ps: .ps
        case .pause: .pause
        case .resume: .resume
        case .update: .update
        case .events: .events
        case .stats: .stats
        case .checkpoint: .checkpoint
        case .restore: .restore
        case .shell: .shell
        case .explain: .explain
        case .spec: .spec
        case .features: .features
        case .help: .help
        }
    }
}

extension Operand {
    static let container = Operand.one("container-id")
}

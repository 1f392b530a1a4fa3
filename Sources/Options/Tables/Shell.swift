// shell: a container from a directory, without a bundle.

extension Verb {
    static let shell = Verb(
        .shell, "open a shell in a directory that holds a root file system",
        operands: [.one("DIR"), .any("command")],
        options: [
            .value("memory", "m", "SIZE", "the memory limit, such as 256M"),
            .value("cpus", "", "NUMBER", "how many CPUs, such as 0.5"),
            .value("pids", "", "N", "how many processes"),
            .value("hostname", "", "NAME", "the host name (default: the directory's name)"),
            .value("user", "u", "USER[:GROUP]", "the user: numbers, or names known inside"),
            .value("workdir", "w", "PATH", "the working directory inside"),
            .list("env", "e", "NAME=VALUE", "set an environment variable; NAME alone copies it"),
            .list("bind", "b", "SRC:DST[:ro]", "show a file or directory of the host inside"),
            .list("tmpfs", "", "DST[:OPTIONS]", "an empty file system in memory"),
            .flag("read-only", "", "nothing of the directory can be changed"),
            .flag("ephemeral", "x", "changes are kept in memory and thrown away at the end"),
            .value("net", "", "none|host", "the network: none, or the host's (default: none)"),
            .list("cap-add", "", "CAPABILITY", "add a capability; ALL: every one"),
            .list("cap-drop", "", "CAPABILITY", "take a capability away; ALL: every one"),
            .value("name", "", "ID", "the container's ID (default: shell- and the pid)"),
            .flag("dry-run", "", "print the plan, as explain does, and do nothing"),
        ],
        tail: .fromSecond,
        details: [
            """
            The command runs in its own pid, mount, UTS, IPC, network and cgroup namespaces, \
            with a short list of capabilities, the default seccomp filter, and the parts of \
            /proc and /sys that concern the host hidden or read-only. Without a command it is \
            /bin/bash, or else /bin/sh. With a terminal as standard input it gets a terminal of \
            its own; otherwise input and output are passed through, so that it works in a pipe. \
            The exit code is the command's.
            """,
            """
            An ordinary user needs no privileges: a user namespace makes the caller root inside. \
            With ranges in /etc/subuid and /etc/subgid other users exist inside, too. \
            Limits are made by the user's systemd, where there is one.
            """,
        ],
        examples: [
            "shell rootfs",
            "shell rootfs --ephemeral --memory 256M -- make test",
            "shell rootfs --bind $PWD:/src:ro --workdir /src ls -l",
        ])
}

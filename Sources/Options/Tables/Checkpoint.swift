// checkpoint and restore: the options of CRIU that engines pass on.

extension Option {
    fileprivate static let imagePath = Option.value(
        "image-path", "", "DIR", "the directory of the image (default: checkpoint)")
    fileprivate static let workPath = Option.value(
        "work-path", "", "DIR", "the directory of logs and statistics")
    fileprivate static let common: [Option] = [
        .imagePath, .workPath,
        .flag("tcp-established", "", "allow open TCP connections"),
        .flag("ext-unix-sk", "", "allow external Unix sockets"),
        .flag("shell-job", "", "allow a process that uses the caller's terminal"),
        .flag("file-locks", "", "handle file locks"),
        .flag("lazy-pages", "", "move memory pages on demand"),
        .value(
            "manage-cgroups-mode", "", "soft|full|strict|ignore",
            "how cgroups are handled (default: soft)"),
        .list("empty-ns", "", "TYPE", "keep only an empty namespace of this type: network"),
        .flag("auto-dedup", "", "drop memory pages that a later image has"),
    ]
}

extension Verb {
    static let checkpoint = Verb(
        .checkpoint, "save a running container to files",
        operands: [.container],
        options: Option.common + [
            .value("parent-path", "", "DIR", "an earlier image of pre-dump, relative to the image"),
            .flag("leave-running", "", "let the container go on"),
            .flag("tcp-skip-in-flight", "", "skip TCP connections that are being opened"),
            .flag("link-remap", "", "allow open files that were unlinked"),
            .value("status-fd", "", "N", "write a zero byte here when lazy pages are ready"),
            .value("page-server", "", "ADDRESS:PORT", "send the memory to this page server"),
            .flag("pre-dump", "", "save only memory, and let the container go on"),
        ])

    static let restore = Verb(
        .restore, "bring a saved container back",
        operands: [.container],
        options: Option.common + [
            .bundle, .detach, .pidFile, .consoleSocket, .noSubreaper, .noPivot,
            .value("lsm-profile", "", "TYPE:NAME", "another LSM profile"),
            .value("lsm-mount-context", "", "CONTEXT", "another SELinux mount context"),
        ])
}

// update: the limits of a container that runs.

extension Verb {
    static let update = Verb(
        .update, "change the limits of a container",
        operands: [.container],
        options: [
            .value(
                "resources", "r", "FILE",
                "linux.resources as JSON, - for standard input; other options are not read then"),
            .value("blkio-weight", "", "N", "block IO weight, 10 to 1000"),
            .value("cpu-period", "", "USEC", "the length of a CPU period"),
            .value("cpu-quota", "", "USEC", "CPU time in a period; -1: no limit"),
            .value("cpu-burst", "", "USEC", "CPU time that may be saved up"),
            .value("cpu-share", "", "N", "CPU shares, 2 to 262144"),
            .value("cpu-rt-period", "", "USEC", "the length of a period for real-time processes"),
            .value("cpu-rt-runtime", "", "USEC", "CPU time in a period for real-time processes"),
            .value("cpuset-cpus", "", "LIST", "CPUs that may be used, such as 0-3,5"),
            .value("cpuset-mems", "", "LIST", "memory nodes that may be used"),
            .value("cpu-idle", "", "0|1", "1: only CPU time nobody else wants"),
            .value("memory", "", "SIZE", "the memory limit; -1: none"),
            .value(
                "memory-reservation", "", "SIZE", "memory that is not reclaimed first; -1: none"),
            .value("memory-swap", "", "SIZE", "the limit of memory and swap together; -1: none"),
            .value("pids-limit", "", "N", "how many processes; -1: no limit"),
            .value("l3-cache-schema", "", "TEXT", "Intel RDT cache schema"),
            .value("mem-bw-schema", "", "TEXT", "Intel RDT memory bandwidth schema"),
            .flag("dry-run", "", "print what would be written, and write nothing"),
            .value("kernel-memory", "", "SIZE", "no effect", hidden: true),
            .value("kernel-memory-tcp", "", "SIZE", "no effect", hidden: true),
        ],
        details: [
            """
            Sizes are bytes, or have a unit: K, M, G, T (of 1024). What is not named stays as \
            it is.
            """
        ],
        examples: ["update --memory 512M --pids-limit 100 web"])
}

internal import OCI

/// What a command line of `shell` asks for; nothing of the host is known yet.
package struct ShellRequest: Sendable {
    /// A directory or file of the host that is shown inside.
    package struct Bind: Sendable, Equatable {
        /// As it was given: relative to the working directory, perhaps.
        package var source: String
        package var destination: String
        package var isReadOnly: Bool
    }

    /// A file system in memory.
    package struct Tmpfs: Sendable, Equatable {
        package var destination: String
        package var options: [String]
    }

    package enum Network: String, Sendable {
        case none
        case host
    }

    package var directory: String
    /// Empty: the user's shell.
    package var command: [String]
    package var name: String?
    package var hostname: String?
    /// `USER[:GROUP]`, each a number or a name known inside.
    package var user: String?
    package var workdir: String?
    /// `NAME=VALUE`, or `NAME` for the caller's value.
    package var environment: [String]
    package var binds: [Bind] = []
    package var tmpfs: [Tmpfs] = []
    package var network = Network.none
    package var isReadOnly: Bool
    package var isEphemeral: Bool
    package var isDryRun: Bool
    /// Names with the prefix CAP_, or "ALL".
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    /// Bytes; -1: no limit.
    package var memory: Int64?
    /// Microseconds in ``Quantity/cpuPeriod``.
    package var cpuQuota: Int64?
    package var pids: Int64?

    /// Reads a parsed command line of `shell`.
    package init(_ arguments: Arguments) throws(UsageError) {
        directory = arguments.operands.first ?? ""
        command = Array(arguments.operands.dropFirst())
        name = arguments.value("name")
        hostname = arguments.value("hostname")
        user = arguments.value("user")
        workdir = arguments.value("workdir")
        environment = arguments.values("env")
        isReadOnly = arguments.has("read-only")
        isEphemeral = arguments.has("ephemeral")
        isDryRun = arguments.has("dry-run")
        for text in arguments.values("bind") { binds.append(try Self.bind(text)) }
        for text in arguments.values("tmpfs") { tmpfs.append(try Self.tmpfs(text)) }
        if let text = arguments.value("net") {
            guard let network = Network(rawValue: text) else {
                throw Self.invalid(text, "net", "none or host")
            }
            self.network = network
        }
        for text in arguments.values("cap-add") {
            addedCapabilities.append(try Self.capability(text, "cap-add"))
        }
        for text in arguments.values("cap-drop") {
            droppedCapabilities.append(try Self.capability(text, "cap-drop"))
        }
        try readLimits(arguments)
        if let workdir, !workdir.utf8.starts(with: "/".utf8) {
            throw Self.invalid(workdir, "workdir", "an absolute path")
        }
    }

    private mutating func readLimits(_ arguments: Arguments) throws(UsageError) {
        if let text = arguments.value("memory") {
            memory = Quantity.size(text)
            if memory == nil { throw Self.invalid(text, "memory", "a size such as 256M") }
        }
        if let text = arguments.value("cpus") {
            cpuQuota = Quantity.cpuQuota(text)
            if cpuQuota == nil { throw Self.invalid(text, "cpus", "a number such as 0.5") }
        }
        if let text = arguments.value("pids") {
            pids = Int64(text)
            guard let pids, pids >= -1, pids != 0 else {
                throw Self.invalid(text, "pids", "a number of processes, or -1")
            }
        }
    }

    private static func invalid(_ text: String, _ option: String, _ wanted: String) -> UsageError {
        UsageError("invalid value \"\(text)\" for --\(option): expected \(wanted)")
    }

    /// `SRC:DST`, `SRC:DST:ro`, `SRC:DST:rw`.
    static func bind(_ text: String) throws(UsageError) -> Bind {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        let mode = parts.count == 3 ? parts[2] : "rw"
        guard parts.count == 2 || parts.count == 3, parts[0] != "",
            parts[1].utf8.starts(with: "/".utf8), mode == "ro" || mode == "rw"
        else { throw invalid(text, "bind", "SRC:DST or SRC:DST:ro, DST an absolute path") }
        return Bind(source: parts[0], destination: parts[1], isReadOnly: mode == "ro")
    }

    /// `DST`, `DST:size=64m,mode=700`.
    static func tmpfs(_ text: String) throws(UsageError) -> Tmpfs {
        let parts = text.split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let destination = parts.first, destination.utf8.starts(with: "/".utf8) else {
            throw invalid(text, "tmpfs", "DST or DST:OPTIONS, DST an absolute path")
        }
        let options = parts.count == 2 ? parts[1].split(separator: ",").map { String($0) } : []
        return Tmpfs(destination: String(destination), options: options)
    }

    /// `net_raw`, `NET_RAW` and `CAP_NET_RAW` are one; an unknown one is an error here.
    static func capability(_ text: String, _ option: String) throws(UsageError) -> String {
        let upper = text.uppercased()
        if upper == "ALL" { return upper }
        let name = upper.utf8.starts(with: "CAP_".utf8) ? upper : "CAP_" + upper
        guard Capability.number(of: name) != nil else {
            throw invalid(text, option, "a capability such as NET_RAW, or ALL")
        }
        return name
    }
}

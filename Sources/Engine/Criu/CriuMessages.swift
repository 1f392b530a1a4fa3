// What is said over the socket of `criu swrk`; the numbers are those of CRIU's rpc.proto.

/// What is asked of CRIU (criu_req_type).
enum CriuTask: Int64 {
    case dump = 1
    case restore = 2
    case preDump = 4
    /// A step of a dump or of a restore was reached; CRIU waits for an answer.
    case notify = 6

    /// The name in messages and of the log.
    var name: String {
        switch self {
        case .dump, .preDump: "dump"
        case .restore: "restore"
        case .notify: "notify"
        }
    }
}

/// How CRIU treats the cgroups of the processes (criu_cg_mode).
package enum CriuCgroupMode: Int64 {
    case ignore = 0
    /// Properties of a cgroup that is there already are left alone.
    case soft = 3
    case full = 4
    case strict = 5

    package init?(name: String) {
        switch name {
        case "ignore": self = .ignore
        case "soft": self = .soft
        case "full": self = .full
        case "strict": self = .strict
        default: return nil
        }
    }
}

/// The options of a task, written as they are set (criu_opts).
struct CriuOptions {
    enum Flag: Int {
        case leaveRunning = 3
        case externalUnixSockets = 4
        case establishedTCP = 5
        case shellJob = 7
        case fileLocks = 8
        case notifies = 12
        case tracksMemory = 15
        case dropsDuplicates = 16
        case linkRemap = 18
        /// The restored process becomes a child of the runtime, and not of CRIU.
        case restoresSibling = 26
        /// Mounts that propagate to and from the host are allowed.
        case externalSharing = 29
        case externalMasters = 30
        case skipsTCPInFlight = 46
        case lazyPages = 48
        /// The other side of the container's terminal is not part of the image, and is handed out.
        case orphanTerminal = 50
    }

    enum Number: Int {
        case imageDirectory = 1
        case process = 2
        case logLevel = 9
        case workDirectory = 17
        case cgroupMode = 34
        /// CLONE_NEW* of namespaces that are made empty.
        case emptyNamespaces = 38
        /// How packets are kept away during a dump: 1 iptables, 2 nftables.
        case networkLock = 64
    }

    enum Text: Int {
        case logFile = 10
        case root = 13
        case parentImage = 14
        /// A resource outside of the image: "mnt[/etc/hosts]:/etc/hosts", "net[INODE]:KEY"; repeated.
        case external = 37
        case frozenCgroup = 44
        case configFile = 51
        /// A directory with the cgroup hierarchies, which CRIU otherwise mounts anew for itself: that
        /// takes the options (nsdelegate, ...) from the host's cgroup2.
        case cgroupYard = 60
        case lsmProfile = 53
        case lsmMountContext = 63
    }

    private(set) var message = ProtobufWriter()

    mutating func set(_ option: Flag, _ isSet: Bool = true) {
        if isSet { message.add(option.rawValue, integer: 1) }
    }

    mutating func set(_ option: Number, _ value: Int64) {
        message.add(option.rawValue, integer: value)
    }

    mutating func set(_ option: Text, _ value: String) {
        message.add(option.rawValue, text: value)
    }

    /// The page server that takes the memory (criu_page_server_info).
    mutating func setPageServer(address: String, port: Int64) {
        var server = ProtobufWriter()
        server.add(1, text: address)
        server.add(2, integer: port)
        message.add(11, message: server)
    }

    /// The cgroup that the container's own becomes (cgroup_root); "" names the v2 hierarchy.
    mutating func setCgroupRoot(_ path: String) {
        var root = ProtobufWriter()
        root.add(1, text: "")
        root.add(2, text: path)
        message.add(25, message: root)
    }

    /// What a resource of the image becomes: a handle of the criu program (inherit_fd).
    mutating func inherit(_ key: String, number: Int) {
        var handle = ProtobufWriter()
        handle.add(1, text: key)
        handle.add(2, integer: Int64(number))
        message.add(27, message: handle)
    }

    /// A namespace that is entered instead of the one in the image (join_namespace).
    mutating func join(_ type: String, path: String) {
        var namespace = ProtobufWriter()
        namespace.add(1, text: type)
        namespace.add(2, text: path)
        message.add(39, message: namespace)
    }
}

/// A request (criu_req), encoded.
enum CriuRequest {
    static func start(_ task: CriuTask, _ options: CriuOptions) -> [UInt8] {
        var request = ProtobufWriter()
        request.add(1, integer: task.rawValue)
        request.add(2, message: options.message)
        return request.bytes
    }

    /// The answer to a notification; a failure makes CRIU give up.
    static func answer(success: Bool) -> [UInt8] {
        var request = ProtobufWriter()
        request.add(1, integer: CriuTask.notify.rawValue)
        request.add(3, integer: success ? 1 : 0)
        return request.bytes
    }
}

/// What CRIU says (criu_resp).
struct CriuResponse: Equatable {
    let task: CriuTask
    let isSuccess: Bool
    /// The first process of what was restored, as the runtime sees it.
    let pid: Int32?
    /// The step that was reached.
    let notification: String
    /// An errno of the kernel or of CRIU; 0 where it names none.
    let errno: Int32
    /// CRIU's own words.
    let message: String

    init(_ bytes: [UInt8]) throws(MalformedMessage) {
        let response = try ProtobufMessage(bytes)
        guard let type = response.integer(1), let task = CriuTask(rawValue: type),
            let success = response.integer(2)
        else { throw MalformedMessage() }
        self.task = task
        isSuccess = success != 0
        let restored = try response.message(4)
        let notify = try response.message(5)
        let pid = notify?.integer(2) ?? restored?.integer(1)
        self.pid = pid.flatMap { Int32(exactly: $0) }
        notification = notify?.text(1) ?? ""
        errno = Int32(truncatingIfNeeded: response.integer(7) ?? 0)
        message = response.text(9) ?? ""
    }
}

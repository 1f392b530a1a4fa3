internal import Linux

/// The state directory of one container, by handle.
struct ContainerDirectory: ~Copyable {
    let id: String
    /// For messages alone.
    let path: String
    let handle: FileDescriptor

    static let recordName = "record"
    static let configName = "config"
    static let gateName = "gate"
    /// What `start` renames the gate to: whoever sees the first name sees a created container.
    static let openedGateName = "gate.opened"
    static let reportName = "report"
    private static let cgroupName = "cgroup"
    private static let initName = "init"
    /// A record is a few hundred bytes; annotations and hooks may make it as large as a config.
    static let recordLimit = 16 << 20

    // MARK: The record

    /// Reads the record; what does not decode is `Failure.damaged`.
    func readRecord() throws(Failure) -> Record {
        let bytes: [UInt8]
        do {
            let file = try handle.openAt(Self.recordName, [.readOnly, .noFollow])
            bytes = try file.readAll(limit: Self.recordLimit)
        } catch Errno.ENOENT {
            throw Failure.damaged(id, "missing")
        } catch {
            throw Failure("read the record", error, path: path + "/" + Self.recordName)
        }
        let record: Record
        do {
            record = try Record(decoding: bytes)
        } catch {
            throw Failure.damaged(id, error.reason)
        }
        guard record.id == id else { throw Failure.damaged(id, "it is of \"\(record.id)\"") }
        return record
    }

    /// Writes the record: the old one or the new one is there, whatever happens meanwhile.
    func write(_ record: Record) throws(Failure) {
        try replace(Self.recordName, with: record.encoded())
    }

    /// Writes the intent, before anything else of the container is made.
    func writeIntent(_ record: Record) throws(Failure) {
        try link(Self.cgroupName, to: record.cgroup.text)
        try write(record)
    }

    /// Writes the record with the process in it: from here on the container is committed.
    func commit(_ record: Record) throws(Failure) {
        try link(Self.initName, to: record.processText)
        try write(record)
    }

    /// What can be known without the record: where the container is, so that it can be ended.
    func rebuildRecord() -> Record {
        var record = Record(
            id: id, generation: "", bootID: "", ociVersion: "1.0.0", bundle: "", rootfs: "",
            created: "", owner: "")
        if let text = try? handle.readLinkAt(Self.cgroupName) {
            record.cgroup = RecordedCgroup(text: text) ?? RecordedCgroup()
        }
        if let text = try? handle.readLinkAt(Self.initName) { record.readProcess(text) }
        return record
    }

    // MARK: The configuration

    func saveConfig(_ bytes: [UInt8]) throws(Failure) {
        try replace(Self.configName, with: bytes)
    }

    func loadConfig() throws(Failure) -> [UInt8] {
        try attempt("read the saved configuration", path: path + "/" + Self.configName) {
            () throws(Errno) in
            try handle.openAt(Self.configName, [.readOnly, .noFollow])
                .readAll(limit: Bundle.configLimit)
        }
    }

    // MARK: The gate

    func makeGate() throws(Failure) {
        try attempt("make the gate", path: path) { () throws(Errno) in
            try handle.makeFIFOAt(Self.gateName, mode: 0o600)
            try handle.makeFIFOAt(Self.reportName, mode: 0o600)
        }
    }

    /// Whether init still waits for `start`.
    var hasGate: Bool { handle.exists(Self.gateName) }

    // MARK: Files

    private func link(_ name: String, to text: String) throws(Failure) {
        try attempt("write the journal", path: path + "/" + name) { () throws(Errno) in
            do {
                try handle.makeLinkAt(name, to: text)
            } catch Errno.EEXIST {
                try handle.unlinkAt(name)
                try handle.makeLinkAt(name, to: text)
            }
        }
    }

    /// Written beside, synced, renamed, and the directory synced: after a power cut the file is
    /// the old or the new one.
    private func replace(_ name: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = name + ".new"
        try attempt("write the state", path: path + "/" + name) { () throws(Errno) in
            do {
                let file = try handle.openAt(
                    temporary, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
                try file.writeAll(bytes)
                try file.synchronize()
            }
            try handle.renameAt(temporary, to: name)
            try handle.synchronize()
        }
    }
}

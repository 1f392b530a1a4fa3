internal import Cgroups
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
    private static let pageServerName = "page-server"
    private static let rootName = "root"
    private static let yardName = "cgroups"
    private static let unifiedName = "cgroups/unified"
    /// A record is a few hundred bytes; annotations and hooks may make it as large as a config.
    private static let recordLimit = 16 << 20

    // MARK: The record

    /// Reads the record; what does not decode is `Failure.damaged`.
    func readRecord() throws(Failure) -> Record {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try handle.open(Self.recordName, [.readOnly, .noFollow, .nonBlocking])
                .readAll(limit: Self.recordLimit)
        } catch .enoent {
            throw Failure.damaged(id, "missing")
        } catch {
            throw Failure.damaged(id, error.message)
        }
        let record: Record
        do throws(DamagedRecord) {
            record = try Record(decoding: bytes)
        } catch {
            throw Failure.damaged(id, error.reason)
        }
        guard record.id == id else { throw Failure.damaged(id, "it is of \"\(record.id)\"") }
        return record
    }

    /// Writes the intent, before anything else of the container is made.
    func writeIntent(_ record: Record) throws(Failure) {
        try link(Self.cgroupName, to: record.cgroup.journalText)
        try write(record)
    }

    /// Writes the record with the process in it: from here on the container is committed.
    func commit(_ record: Record) throws(Failure) {
        // The driver may have put the cgroup elsewhere than foreseen.
        try link(Self.cgroupName, to: record.cgroup.journalText)
        try link(Self.initName, to: record.process.journalText)
        try write(record)
    }

    /// Writes the record: the old one or the new one is there, whatever happens meanwhile.
    private func write(_ record: Record) throws(Failure) {
        try replace(Self.recordName, with: record.encoded())
    }

    /// What is known without the record: where the container is, so that it can be ended.
    func rebuildRecord() -> Record {
        var record = Record(id: id)
        if let text = try? handle.readLink(Self.cgroupName),
            let place = CgroupPlace(journalText: text)
        {
            record.cgroup = place
        }
        if let text = try? handle.readLink(Self.initName),
            let process = ProcessIdentity(journalText: text)
        {
            record.process = process
        }
        return record
    }

    // MARK: The configuration

    /// Writes the configuration of a container that is being made: nobody reads it before the commit.
    func writeConfig(_ bytes: [UInt8]) throws(Failure) {
        do throws(Errno) {
            let file = try handle.open(
                Self.configName, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            try file.writeAll(bytes)
            try file.close()
        } catch {
            throw Failure("write the state", error, path: path + "/" + Self.configName)
        }
    }

    /// Replaces the configuration of a container.
    func saveConfig(_ bytes: [UInt8]) throws(Failure) {
        try replace(Self.configName, with: bytes)
    }

    func loadConfig() throws(Failure) -> [UInt8] {
        do throws(Errno) {
            return try handle.open(Self.configName, [.readOnly, .noFollow])
                .readAll(limit: Bundle.configLimit)
        } catch {
            throw Failure("read the saved configuration", error, path: path + "/config")
        }
    }

    // MARK: The gate

    /// Makes the two FIFOs and opens the init stage's ends of them.
    func makeGate() throws(Failure) -> Gate {
        do throws(Errno) {
            try handle.makeFIFO(Self.gateName, mode: 0o600)
            try handle.makeFIFO(Self.reportName, mode: 0o600)
            // Without a partner, a FIFO opens at once in this way only.
            let reading = try handle.open(Self.gateName, [.readOnly, .nonBlocking, .noFollow])
            let partner = try handle.open(Self.reportName, [.readOnly, .nonBlocking, .noFollow])
            let writing = try handle.open(Self.reportName, [.writeOnly, .noFollow])
            try partner.close()
            return Gate(reading: reading, writing: writing)
        } catch {
            throw Failure("make the gate", error, path: path)
        }
    }

    /// Whether init still waits for `start`.
    var hasGate: Bool { handle.canAccess(Self.gateName) }

    /// Makes the directory that becomes the container's /run/notify.
    func makeNotifyDirectory() throws(Failure) {
        do throws(Errno) {
            try handle.makeDirectory(NotifySocket.directoryName, mode: 0o755)
            // Whatever the umask: every user of the container goes through it.
            try handle.open(NotifySocket.directoryName, .directory).setMode(0o755)
        } catch {
            throw Failure("make a directory", error, path: path + "/notify")
        }
    }

    // MARK: The root of a restore

    /// Makes the directory that criu finds the root file system at, in its own mount namespace; the
    /// path of it.
    func makeRoot() throws(Failure) -> String {
        do throws(Errno) {
            try handle.makeDirectory(Self.rootName, mode: 0o700)
        } catch {
            throw Failure("make a mount point for criu", error, path: path + "/" + Self.rootName)
        }
        return path + "/" + Self.rootName
    }

    /// Makes the directory that criu takes cgroup hierarchies from, with a mount point for the one of
    /// cgroup2, which has that name there.
    func makeYard() throws(Failure) -> (directory: String, cgroups: String) {
        let yard = path + "/" + Self.yardName
        do throws(Errno) {
            try handle.makeDirectories(Self.unifiedName, mode: 0o700)
        } catch {
            throw Failure("make a mount point for criu", error, path: yard)
        }
        return (yard, path + "/" + Self.unifiedName)
    }

    /// Makes the same with a link to where cgroup2 is mounted: for a dump, in which nothing of the
    /// container's follows it.
    func makeYard(linkedTo mount: String) throws(Failure) -> String {
        let yard = path + "/" + Self.yardName
        do throws(Errno) {
            try handle.makeDirectories(Self.yardName, mode: 0o700)
            do throws(Errno) { try handle.symlink(mount, at: Self.unifiedName) } catch .eexist {}
        } catch {
            throw Failure("make a link for criu", error, path: yard)
        }
        return yard
    }

    /// Notes the criu that may wait for ever for who wants the container's pages.
    func note(pageServer: ProcessIdentity) throws(Failure) {
        try link(Self.pageServerName, to: pageServer.journalText)
    }

    /// The criu that holds the container's processes for a `checkpoint` without an end.
    var pageServer: ProcessIdentity? {
        guard let text = try? handle.readLink(Self.pageServerName) else { return nil }
        return ProcessIdentity(journalText: text)
    }

    /// Removes what was made for criu.
    func removeMountPoints() {
        // What stays is removed with the container.
        try? handle.unlink(Self.pageServerName)
        try? handle.removeDirectory(Self.rootName)
        try? handle.removeTree(Self.yardName)
    }

    // MARK: Files

    private func link(_ name: String, to text: String) throws(Failure) {
        do throws(Errno) {
            do throws(Errno) {
                try handle.symlink(text, at: name)
            } catch .eexist {
                if try handle.readLink(name) == text { return }
                try handle.unlink(name)
                try handle.symlink(text, at: name)
            }
        } catch {
            throw Failure("write the journal", error, path: path + "/" + name)
        }
    }

    private func replace(_ name: String, with bytes: [UInt8]) throws(Failure) {
        do throws(Errno) {
            try handle.replaceFile(name, bytes, mode: 0o600)
        } catch {
            throw Failure("write the state", error, path: path + "/" + name)
        }
    }
}

/// The init stage's ends of the gate and of the report.
struct Gate: ~Copyable {
    let reading: FileDescriptor
    let writing: FileDescriptor
}

internal import Linux

/// What `checkpoint` and `restore` are both told about CRIU.
package struct CriuSettings {
    /// The directory of the image, absolute.
    package var imagePath: String
    /// The directory of logs and statistics, absolute; nil is the image's.
    package var workPath: String?
    package var establishedTCP = false
    package var externalUnixSockets = false
    package var shellJob = false
    package var fileLocks = false
    package var lazyPages = false
    package var dropsDuplicates = false
    package var emptyNetwork = false
    package var cgroupMode = CriuCgroupMode.soft

    package init(imagePath: String) {
        self.imagePath = imagePath
    }

    /// The options that both verbs have in common.
    func options(annotations: [String: String]) -> CriuOptions {
        var options = CriuOptions()
        options.set(.establishedTCP, establishedTCP)
        options.set(.externalUnixSockets, externalUnixSockets)
        options.set(.shellJob, shellJob)
        options.set(.fileLocks, fileLocks)
        options.set(.lazyPages, lazyPages)
        options.set(.dropsDuplicates, dropsDuplicates)
        options.set(.externalSharing)
        options.set(.externalMasters)
        options.set(.cgroupMode, cgroupMode.rawValue)
        if emptyNetwork { options.set(.emptyNamespaces, Self.networkNamespace) }
        if let file = annotations["org.criu.config"] ?? Self.configFile() {
            options.set(.configFile, file)
        }
        return options
    }

    /// CLONE_NEWNET.
    private static let networkNamespace: Int64 = 0x4000_0000

    /// Where an administrator overrides options; the second is what engines document.
    private static func configFile() -> String? {
        for path in ["/etc/criu/apus.conf", "/etc/criu/runc.conf"]
        where BorrowedHandle.workingDirectory.canAccess(path) {
            return path
        }
        return nil
    }
}

/// `apus checkpoint`.
package struct CheckpointRequest {
    package var id: String
    package var criu: CriuSettings
    /// An earlier image of a pre-dump, relative to the image's directory.
    package var parentPath: String?
    package var leaveRunning = false
    package var skipsTCPInFlight = false
    package var linkRemap = false
    /// Gets a zero byte when lazy pages can be asked for.
    package var statusHandle: Int32?
    package var pageServer: (address: String, port: UInt16)?
    /// Only the memory is saved, and the container goes on.
    package var isPreDump = false

    package init(id: String, criu: CriuSettings) {
        self.id = id
        self.criu = criu
    }
}

/// `apus restore`.
package struct RestoreRequest {
    package var create: CreateRequest
    package var criu: CriuSettings
    package var detach = false
    package var noSubreaper = false
    /// "TYPE:NAME" of a Linux security module.
    package var lsmProfile: String?
    /// The SELinux context of mounts.
    package var lsmMountContext: String?

    package init(create: CreateRequest, criu: CriuSettings) {
        self.create = create
        self.criu = criu
    }
}

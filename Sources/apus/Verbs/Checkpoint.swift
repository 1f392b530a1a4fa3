internal import Engine
internal import Options

extension Command {
    /// `apus checkpoint`.
    func checkpoint() throws(Failure) {
        var request = CheckpointRequest(id: id, criu: try criuSettings())
        request.parentPath = arguments.value("parent-path").flatMap { $0 == "" ? nil : $0 }
        request.leaveRunning = arguments.has("leave-running")
        request.skipsTCPInFlight = arguments.has("tcp-skip-in-flight")
        request.linkRemap = arguments.has("link-remap")
        request.isPreDump = arguments.has("pre-dump")
        if arguments.value("status-fd") != nil {
            request.statusHandle = Int32(try count("status-fd"))
        }
        request.pageServer = try pageServer()
        try runtime().checkpoint(request)
    }

    /// `apus restore`: the exit code of the process; 0 when it was left running.
    func restore() throws(Failure) -> Int32 {
        var request = RestoreRequest(create: try creation(), criu: try criuSettings())
        request.detach = arguments.has("detach")
        request.noSubreaper = arguments.has("no-subreaper")
        request.lsmProfile = arguments.value("lsm-profile").flatMap { $0 == "" ? nil : $0 }
        request.lsmMountContext = arguments.value("lsm-mount-context").flatMap {
            $0 == "" ? nil : $0
        }
        return try runtime().restore(request)
    }

    private func criuSettings() throws(Failure) -> CriuSettings {
        let image = arguments.value("image-path") ?? ""
        var settings = CriuSettings(imagePath: try absolute(image == "" ? "checkpoint" : image))
        if let path = arguments.value("work-path"), path != "" {
            settings.workPath = try absolute(path)
        }
        settings.establishedTCP = arguments.has("tcp-established")
        settings.externalUnixSockets = arguments.has("ext-unix-sk")
        settings.shellJob = arguments.has("shell-job")
        settings.fileLocks = arguments.has("file-locks")
        settings.lazyPages = arguments.has("lazy-pages")
        settings.dropsDuplicates = arguments.has("auto-dedup")
        for type in arguments.values("empty-ns") {
            guard type == "network" else {
                throw Failure("invalid value \"\(type)\" for --empty-ns: expected network")
            }
            settings.emptyNetwork = true
        }
        if let name = arguments.value("manage-cgroups-mode") {
            guard let mode = CriuCgroupMode(name: name) else {
                throw Failure(
                    "invalid value \"\(name)\" for --manage-cgroups-mode: "
                        + "expected soft, full, strict or ignore")
            }
            settings.cgroupMode = mode
        }
        return settings
    }

    private func pageServer() throws(Failure) -> (address: String, port: UInt16)? {
        guard let text = arguments.value("page-server"), text != "" else { return nil }
        let invalid = Failure("invalid value \"\(text)\" for --page-server: expected ADDRESS:PORT")
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw invalid }
        return (String(text[..<colon]), port)
    }
}

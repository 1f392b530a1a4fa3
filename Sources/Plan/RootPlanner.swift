internal import OCI

extension Draft {
    /// Ends the work on the root from outside: read-only file systems, and the pivot.
    mutating func closeRoot() {
        sealMounts()
        let mode: PivotMode =
            !own.contains(.mount) ? .chroot : options.noPivot ? .moveRoot : .pivotRoot
        add("root", .pivot(mode))
    }

    /// Kernel settings of the namespaces, written before /proc/sys may become read-only.
    mutating func setSysctls() {
        for name in linux.sysctl.keys.sorted() {
            guard let file = Sysctl.file(of: name) else { continue }
            add(
                "linux.sysctl[\(name)]", .sysctl(path: file, value: linux.sysctl[name] ?? ""))
        }
    }

    /// Read-only paths and then masked ones, so that a mask below a read-only path holds.
    mutating func hidePaths() throws(ConfigError) {
        try addPaths(linux.readonlyPaths, "linux.readonlyPaths") { .readOnly($0) }
        try addPaths(linux.maskedPaths, "linux.maskedPaths") { .mask($0) }
    }

    private mutating func addPaths(
        _ paths: [String], _ name: String, _ operation: (String) -> Operation
    ) throws(ConfigError) {
        guard rootBinding != .none || paths.isEmpty else {
            throw ConfigError(path: name, message: "needs a mount namespace")
        }
        var seen: Set<String> = []
        for (index, path) in paths.enumerated() where seen.insert(path.cleanPath).inserted {
            add("\(name)[\(index)]", operation(path))
        }
    }

    mutating func sealRoot() {
        if spec.root?.readonly == true, rootBinding != .none {
            add("root.readonly", .rootReadOnly)
        }
        if !rootPropagation.isEmpty, own.contains(.mount) {
            add("linux.rootfsPropagation", .rootPropagation(rootPropagation))
        }
    }

    mutating func nameHost() {
        if let name = spec.hostname, !name.isEmpty { add("hostname", .hostname(name)) }
        if let name = spec.domainname, !name.isEmpty { add("domainname", .domainname(name)) }
    }
}

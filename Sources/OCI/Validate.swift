// What OCI demands of values, checked before anything is done: config.md, config-linux.md.
//
// A check is a function without effects that throws at the first value it cannot accept; the
// lists of calls below are the whole order. What only the kernel knows is not guessed here.

extension Spec {
    /// Checks everything that can be known from the configuration alone.
    package func validate() throws(ConfigError) {
        try checkWhole()
        try process?.validate(at: "process")
        try hooks?.validate(at: "hooks")
        try checkMounts()
        guard let linux else { return }
        try linux.checkNamespaces()
        try linux.checkMappings()
        try linux.checkTimeOffsets()
        try linux.checkSysctls(domainname: domainname)
        try linux.checkDevices()
        try linux.checkNetDevices()
        try linux.checkPaths()
        try linux.checkIntelRdt()
        try linux.memoryPolicy?.validate(at: "linux.memoryPolicy")
        try linux.checkPersonality()
        try linux.resources?.validate(at: "linux.resources")
        try linux.seccomp?.validate(at: "linux.seccomp")
    }

    /// What is obeyed in part only: OCI forbids to refuse it.
    package var warnings: [ConfigWarning] {
        var warnings: [ConfigWarning] = process?.warnings(at: "process") ?? []
        for (index, mount) in mounts.enumerated() where !mount.destination.hasPrefix("/") {
            warnings.append(
                ConfigWarning(
                    path: "mounts[\(index)].destination",
                    message: "deprecated: a relative path, taken from the root"))
        }
        if let linux, linux.namespace(.user)?.path != nil,
            !linux.uidMappings.isEmpty || !linux.gidMappings.isEmpty
        {
            // podman gives a joined namespace a mapping that means nothing, for runc's sake.
            warnings.append(
                ConfigWarning(
                    path: "linux.uidMappings",
                    message: "ignored: the user namespace that is joined has its own"))
        }
        return warnings
    }

    // MARK: The whole

    private func checkWhole() throws(ConfigError) {
        try require(isVersionOne(ociVersion), "ociVersion", "\(quoted(ociVersion)) is not 1.x.y")
        try require(
            vm == nil, "vm", "virtual machines are not supported; Apus runs processes only")
        try require(root != nil, "root", "required, but missing")
        try require(root?.path.isEmpty == false, "root.path", "must not be empty")
        try require(annotations[""] == nil, "annotations", "a key must not be empty")
        for (name, value) in [("hostname", hostname), ("domainname", domainname)] {
            guard let value, !value.isEmpty else { continue }
            try require(value.utf8.count <= 64, name, "longer than 64 bytes")
            try require(
                linux?.namespace(.uts) != nil, name, "needs a uts namespace in linux.namespaces")
        }
    }

    // MARK: Mounts

    private func checkMounts() throws(ConfigError) {
        for (index, mount) in mounts.enumerated() {
            var path: String { "mounts[\(index)]" }
            try require(
                !mount.destination.isEmpty, path + ".destination", "must not be empty")
            try require(
                mount.uidMappings.isEmpty == mount.gidMappings.isEmpty, path,
                "uidMappings and gidMappings must be given together")
            let isMapped = mount.options.contains("idmap") || mount.options.contains("ridmap")
            if isMapped, mount.uidMappings.isEmpty {
                try require(
                    linux?.namespace(.user) != nil, path + ".options",
                    "idmap needs uidMappings and gidMappings, or a user namespace")
            }
            if !mount.uidMappings.isEmpty {
                try require(
                    mount.isBind, path, "uidMappings and gidMappings need a bind mount")
            }
            try IDMapping.check(mount.uidMappings, path + ".uidMappings")
            try IDMapping.check(mount.gidMappings, path + ".gidMappings")
        }
    }
}

extension Spec.Mount {
    /// Whether an existing directory or file is mounted; the type then means nothing.
    package var isBind: Bool {
        type == "bind" || options.contains("bind") || options.contains("rbind")
    }
}

extension Spec.Hooks {
    /// Every hook with its place.
    private var all: [(name: String, hooks: [Spec.Hook])] {
        [
            ("prestart", prestart), ("createRuntime", createRuntime),
            ("createContainer", createContainer), ("startContainer", startContainer),
            ("poststart", poststart), ("poststop", poststop),
        ]
    }

    func validate(at path: String) throws(ConfigError) {
        for (name, hooks) in all {
            for (index, hook) in hooks.enumerated() {
                let path = "\(path).\(name)[\(index)]"
                try checkAbsolute(hook.path, path + ".path")
                try require((hook.timeout ?? 1) > 0, path + ".timeout", "must be above 0")
                try checkEnvironment(hook.env ?? [], path + ".env")
            }
        }
    }
}

// MARK: Helpers of all checks

/// Throws when a condition does not hold; the texts are made only then.
func require(
    _ condition: Bool, _ path: @autoclosure () -> String, _ message: @autoclosure () -> String
) throws(ConfigError) {
    guard !condition else { return }
    throw ConfigError(path: path(), message: message())
}

func checkAbsolute(_ value: String, _ path: @autoclosure () -> String) throws(ConfigError) {
    try require(value.hasPrefix("/"), path(), "\(quoted(value)) is not an absolute path")
}

func checkEnvironment(_ list: [String], _ path: @autoclosure () -> String) throws(ConfigError) {
    for (index, entry) in list.enumerated() {
        let name = entry.utf8.firstIndex(of: UInt8(ascii: "="))
        try require(
            name != nil && name != entry.utf8.startIndex, "\(path())[\(index)]",
            "\(quoted(entry)) is not NAME=value")
    }
}

/// Whether a text is Semantic Versioning with major version 1.
func isVersionOne(_ version: String) -> Bool {
    var numbers = 0
    var digits = 0
    var core: [UInt8] = []
    for byte in version.utf8 {
        if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") { break }
        core.append(byte)
    }
    for byte in core + [UInt8(ascii: ".")] {
        if byte == UInt8(ascii: ".") {
            guard digits > 0 else { return false }
            numbers += 1
            digits = 0
        } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            digits += 1
        } else {
            return false
        }
    }
    return numbers == 3 && core.starts(with: "1.".utf8)
}

/// Whether a text is a list of numbers and ranges, such as `0-3,7`.
func isNumberList(_ list: String) -> Bool { numberCount(list) != nil }

/// How many numbers a list such as `0-3,7` names; `nil` for a text that is no list.
///
/// Blanks around the elements are accepted, as the kernel does.
func numberCount(_ list: String) -> Int? {
    var count = 0
    for element in list.utf8.split(
        separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    {
        var bounds: [UInt32] = []
        for part in element.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false) {
            guard let number = smallNumber(part) else { return nil }
            bounds.append(number)
        }
        guard bounds.count <= 2, let first = bounds.first, let last = bounds.last, first <= last
        else { return nil }
        count += Int(last - first) + 1
    }
    return count
}

/// A decimal number of up to six digits, with blanks around it.
private func smallNumber(_ text: Substring.UTF8View) -> UInt32? {
    var number: UInt32 = 0
    var digits = 0
    for byte in text {
        if byte == UInt8(ascii: " ") { continue }
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digits < 6 else { return nil }
        number = number * 10 + UInt32(byte - UInt8(ascii: "0"))
        digits += 1
    }
    return digits > 0 ? number : nil
}

/// The options of a mount, taken apart.
package struct MountOptions: Equatable {
    var settings = MountSettings()
    var superblock: UInt64 = 0
    var data: [String] = []
    var isBind = false
    var isRemount = false
    /// The source's ids are mapped; `true` for the mounts below it too.
    var mapsIDsRecursively: Bool?

    var isReadOnly: Bool {
        settings.attributes.set & MountAttributes.readOnly != 0
            || settings.attributes.recursiveSet & MountAttributes.readOnly != 0
    }

    /// Reads options in their order; of two that contradict each other the later holds.
    ///
    /// What is not in the table goes to the file system.
    init(_ options: [String]) {
        for option in options where !option.isEmpty {
            if option.utf8.contains(UInt8(ascii: "=")) {
                // No name in the tables has a value: it need not be looked for.
                data += Self.parts(of: option)
            } else if let propagation = Propagation.named(option) {
                settings.propagation = propagation
            } else if let effect = Self.effect(of: option) {
                apply(effect)
            } else {
                data += Self.parts(of: option)
            }
        }
    }

    /// What mount(2) would make of a text: options between commas, of which a backslash and quotation
    /// marks keep some.
    private static func parts(of text: String) -> [String] {
        guard text.utf8.contains(UInt8(ascii: ",")) else { return [text] }
        var parts: [String] = []
        var part: [UInt8] = []
        var isEscaped = false
        var isQuoted = false
        for byte in text.utf8 {
            if byte == UInt8(ascii: ","), !isEscaped, !isQuoted {
                if !part.isEmpty { parts.append(String(decoding: part, as: UTF8.self)) }
                part = []
                continue
            }
            part.append(byte)
            if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        if !part.isEmpty { parts.append(String(decoding: part, as: UTF8.self)) }
        return parts
    }

    private mutating func apply(_ effect: Effect) {
        switch effect {
        case .attribute(let set, let clear):
            settings.attributes.set = settings.attributes.set & ~clear & ~set | set
            settings.attributes.clear = settings.attributes.clear & ~set | clear
        case .recursive(let set, let clear):
            settings.attributes.recursiveSet =
                settings.attributes.recursiveSet & ~clear & ~set | set
            settings.attributes.recursiveClear =
                settings.attributes.recursiveClear & ~set | clear
        case .superblock(let flag): superblock |= flag
        case .noSuperblock(let flag): superblock &= ~flag
        case .bind: isBind = true
        case .recursiveBind:
            isBind = true
            settings.how.insert(.recursive)
        case .how(let how): settings.how.insert(how)
        case .remount: isRemount = true
        case .mapIDs(let isRecursive): mapsIDsRecursively = isRecursive
        case .nothing: break
        }
    }
}

extension MountOptions {
    /// What an option does.
    enum Effect: Equatable {
        /// Attributes to set and to clear on the mount.
        case attribute(set: UInt64, clear: UInt64)
        /// The same on the mount and everything below it.
        case recursive(set: UInt64, clear: UInt64)
        case superblock(UInt64)
        case noSuperblock(UInt64)
        case bind
        case recursiveBind
        case how(MountHow)
        case remount
        case mapIDs(isRecursive: Bool)
        case nothing
    }

    /// Names of attributes: every one also has a recursive form, with an "r" before it.
    static let attributes: [(name: String, set: UInt64, clear: UInt64)] = [
        ("ro", MountAttributes.readOnly, 0), ("rw", 0, MountAttributes.readOnly),
        ("nosuid", MountAttributes.noSuid, 0), ("suid", 0, MountAttributes.noSuid),
        ("nodev", MountAttributes.noDev, 0), ("dev", 0, MountAttributes.noDev),
        ("noexec", MountAttributes.noExec, 0), ("exec", 0, MountAttributes.noExec),
        ("nodiratime", MountAttributes.noDirectoryAccessTime, 0),
        ("diratime", 0, MountAttributes.noDirectoryAccessTime),
        ("nosymfollow", MountAttributes.noSymlinkFollow, 0),
        ("symfollow", 0, MountAttributes.noSymlinkFollow),
        // The access time policies are values of one field, which is cleared to change it;
        // relatime is 0. The negation of any other policy is relatime, the kernel's default.
        ("relatime", 0, MountAttributes.accessTime),
        ("atime", 0, MountAttributes.accessTime),
        ("nostrictatime", 0, MountAttributes.accessTime),
        ("noatime", MountAttributes.noAccessTime, MountAttributes.accessTime),
        ("strictatime", MountAttributes.strictAccessTime, MountAttributes.accessTime),
    ]

    /// Options that have one form only.
    static let others: [(name: String, effect: Effect)] = [
        ("bind", .bind), ("rbind", .recursiveBind), ("remount", .remount),
        ("defaults", .nothing), ("norelatime", .nothing), ("rnorelatime", .nothing),
        ("acl", .nothing), ("noacl", .nothing),
        ("tmpcopyup", .how(.copyUp)),
        ("src-nofollow", .how(.sourceNoFollow)), ("dest-nofollow", .how(.destinationNoFollow)),
        ("idmap", .mapIDs(isRecursive: false)), ("ridmap", .mapIDs(isRecursive: true)),
        ("sync", .superblock(SuperblockFlags.synchronous)),
        ("async", .noSuperblock(SuperblockFlags.synchronous)),
        ("dirsync", .superblock(SuperblockFlags.directorySync)),
        ("mand", .superblock(SuperblockFlags.mandatoryLocks)),
        ("nomand", .noSuperblock(SuperblockFlags.mandatoryLocks)),
        ("silent", .superblock(SuperblockFlags.silent)),
        ("loud", .noSuperblock(SuperblockFlags.silent)),
        // File systems that count versions of an inode always do; fsconfig(2) has no such flag.
        ("iversion", .nothing), ("noiversion", .nothing),
        ("lazytime", .superblock(SuperblockFlags.lazyTime)),
        ("nolazytime", .noSuperblock(SuperblockFlags.lazyTime)),
    ]

    static func effect(of option: String) -> Effect? {
        for row in others where row.name == option { return row.effect }
        for row in attributes where row.name == option {
            return .attribute(set: row.set, clear: row.clear)
        }
        guard let name = option.dropping(prefix: "r") else { return nil }
        for row in attributes where row.name == name {
            return .recursive(set: row.set, clear: row.clear)
        }
        return nil
    }

    /// Every option this runtime knows, sorted: for `features`.
    package static var known: [String] {
        var names: [String] = []
        for row in others { names.append(row.name) }
        for row in attributes { names += [row.name, "r" + row.name] }
        for row in Propagation.table { names.append(row.name) }
        return names.sorted()
    }
}

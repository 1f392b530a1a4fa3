internal import CLinux

/// A name in a directory, as getdents64(2) lists it.
package struct DirectoryEntry: Equatable {
    package let name: String
    package let inode: UInt64
    /// `nil` where the file system does not say (DT_UNKNOWN).
    package let type: FileType?
}

extension Handle where Self: ~Copyable {
    /// mkdirat(2).
    package func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
        _ = try check(unsafe apus_mkdir(raw, path, mode))
    }

    /// mkdir -p: makes what is missing of `path`.
    package func makeDirectories(_ path: String, mode: UInt32) throws(Errno) {
        do throws(Errno) {
            try makeDirectory(path, mode: mode)
        } catch .eexist {
            guard try status(path).type == .directory else { throw .enotdir }
        } catch .enoent {
            guard let parent = parentPath(of: path) else { throw .enoent }
            try makeDirectories(parent, mode: mode)
            do throws(Errno) { try makeDirectory(path, mode: mode) } catch .eexist {}
        }
    }

    /// unlinkat(2) of a file.
    package func unlink(_ path: String) throws(Errno) {
        _ = try check(unsafe apus_unlink(raw, path, 0))
    }

    /// unlinkat(2) of an empty directory (AT_REMOVEDIR).
    package func removeDirectory(_ path: String) throws(Errno) {
        _ = try check(unsafe apus_unlink(raw, path, 0x200))
    }

    /// Removes `name` and all that is below it, by handles, following no link and crossing no mount.
    package func removeTree(_ name: String) throws(Errno) {
        do throws(Errno) {
            try unlink(name)
            return
        } catch .enoent {
            return
        } catch .eisdir {
        } catch .eperm {
        }
        let directory = try open(
            name, [.directory, .noFollow], resolve: [.noSymlinks, .noMounts, .beneath])
        for entry in try directory.entries() { try directory.removeTree(entry.name) }
        try removeDirectory(name)
    }

    /// renameat2(2) within this directory.
    ///
    /// - Parameter replacing: whether an existing target gives way; otherwise it is EEXIST.
    package func rename(_ source: String, to target: String, replacing: Bool = true) throws(Errno) {
        _ = try check(unsafe apus_rename(raw, source, raw, target, replacing ? 0 : 1))
    }

    /// linkat(2) of an open file (also an unnamed one of O_TMPFILE) into this directory.
    package func link(_ file: borrowing some Handle & ~Copyable, as path: String) throws(Errno) {
        let follow: Int32 = 0x400
        _ = try check(unsafe apus_link(-100, file.procPath, raw, path, follow))
    }

    /// symlinkat(2).
    package func symlink(_ contents: String, at path: String) throws(Errno) {
        _ = try check(unsafe apus_symlink(contents, raw, path))
    }

    /// mknodat(2) of a FIFO.
    package func makeFIFO(_ path: String, mode: UInt32) throws(Errno) {
        _ = try check(unsafe apus_mknod(raw, path, FileType.fifo.rawValue | mode, 0))
    }

    /// readlinkat(2).
    package func readLink(_ path: String) throws(Errno) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try check(
            unsafe bytes.withUnsafeMutableBytes {
                unsafe apus_readlink(raw, path, $0.baseAddress, $0.count)
            })
        guard count < bytes.count else { throw .enametoolong }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// faccessat(2) with the effective ids; `mode` as of access(2): 4 read, 2 write, 1 execute, 0 exists.
    package func canAccess(_ path: String, mode: Int32 = 0) -> Bool {
        let effective: Int32 = 0x200
        return unsafe apus_access(raw, path, mode, effective) >= 0
    }

    /// What is in this directory (opened for reading), but "." and "..", in the kernel's order.
    ///
    /// Names that are not UTF-8 are repaired, as in every String.
    package func entries() throws(Errno) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        try seek(to: 0)
        while true {
            let count = try check(
                unsafe buffer.withUnsafeMutableBytes {
                    unsafe apus_getdents(raw, $0.baseAddress, $0.count)
                })
            if count == 0 { return entries }
            var start = 0
            while start < count {
                let size = Int(buffer[start + 16]) | Int(buffer[start + 17]) << 8
                if let entry = DirectoryEntry(record: buffer[start..<start + size]) {
                    entries.append(entry)
                }
                start += size
            }
        }
    }
}

extension DirectoryEntry {
    /// Reads one struct linux_dirent64: inode (8 bytes), offset (8), size (2), type (1), name, NUL.
    init?(record: ArraySlice<UInt8>) {
        let start = record.startIndex
        var inode: UInt64 = 0
        for index in 0..<8 { inode |= UInt64(record[start + index]) << (8 * index) }
        let name = record[(start + 19)...].prefix { $0 != 0 }
        if name.elementsEqual([0x2e]) || name.elementsEqual([0x2e, 0x2e]) { return nil }
        self.init(
            name: String(decoding: name, as: UTF8.self), inode: inode,
            type: FileType(rawValue: UInt32(record[start + 18]) << 12))
    }
}

/// The path without its last component; `nil` where that is all there is.
private func parentPath(of path: String) -> String? {
    var bytes = [UInt8](path.utf8)
    let slash = UInt8(ascii: "/")
    while bytes.last == slash { bytes.removeLast() }
    while let last = bytes.last, last != slash { bytes.removeLast() }
    while bytes.last == slash { bytes.removeLast() }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
}

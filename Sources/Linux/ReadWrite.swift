internal import CLinux

extension Handle where Self: ~Copyable {
    /// read(2) into `buffer`; the number of bytes, 0 at the end.
    package func read(into buffer: inout [UInt8]) throws(Errno) -> Int {
        try retrying {
            unsafe buffer.withUnsafeMutableBytes { unsafe apus_read(raw, $0.baseAddress, $0.count) }
        }
    }

    /// Everything up to the end of the file.
    ///
    /// - Parameter limit: bytes; more is EFBIG.
    package func readAll(limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        // Most files fit at once. A larger buffer is for the few that do not: new memory costs more
        // than what is read into it.
        var buffer = [UInt8](repeating: 0, count: min(limit + 1, 4096))
        while true {
            let count = try read(into: &buffer)
            if count == 0 { return bytes }
            if bytes.count + count > limit { throw .efbig }
            bytes.append(contentsOf: buffer[..<count])
            if bytes.count == 4096 { buffer = [UInt8](repeating: 0, count: 65536) }
        }
    }

    /// One write(2) of `bytes` from `start`; how many were taken.
    package func write(
        _ bytes: [UInt8], from start: Int = 0, to end: Int? = nil
    ) throws(Errno) -> Int {
        let count = (end ?? bytes.count) - start
        return try retrying {
            unsafe bytes.withUnsafeBytes {
                unsafe apus_write(raw, $0.baseAddress.map { unsafe $0 + start }, count)
            }
        }
    }

    /// All of `bytes`, in as many writes as it takes.
    package func writeAll(_ bytes: [UInt8]) throws(Errno) {
        var start = 0
        while start < bytes.count {
            start += try write(bytes, from: start)
        }
    }

    /// All of `text`, UTF-8.
    package func writeAll(_ text: String) throws(Errno) {
        try writeAll([UInt8](text.utf8))
    }

    /// `text` in a single write(2), as procfs and cgroupfs want it; a short write is EIO.
    package func writeOnce(_ text: String) throws(Errno) {
        let bytes = [UInt8](text.utf8)
        guard try write(bytes) == bytes.count else { throw .eio }
    }

    /// lseek(2) to `offset` from the start.
    package func seek(to offset: Int64) throws(Errno) {
        _ = try check(apus_seek(raw, offset, 0))
    }

    /// fsync(2): contents and metadata have reached the disk.
    package func synchronize() throws(Errno) {
        _ = try retrying { apus_fsync(raw) }
    }

    /// ftruncate(2).
    package func truncate(to size: Int64 = 0) throws(Errno) {
        _ = try retrying { apus_truncate(raw, size) }
    }

    // MARK: - Whole files, by a path relative to this directory

    /// The contents of a file; EFBIG beyond `limit` bytes.
    package func readFile(_ path: String, limit: Int = 1 << 20) throws(Errno) -> [UInt8] {
        try open(path, .readOnly).readAll(limit: limit)
    }

    /// The contents of a file of the kernel as text, without the newline at its end.
    package func readText(_ path: String, limit: Int = 1 << 20) throws(Errno) -> String {
        var bytes = try readFile(path, limit: limit)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes `text` to an existing file of the kernel, in one write(2).
    package func writeText(_ path: String, _ text: String) throws(Errno) {
        try open(path, .writeOnly).writeOnce(text)
    }

    /// Puts `bytes` at `path` so that a reader, and a crash, finds the old file or the new one.
    ///
    /// Written beside it as ".NAME.new", synchronized, renamed over it, and the directory synchronized.
    /// The caller holds the lock that keeps a second writer away.
    package func replaceFile(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(Errno) {
        let temporary = ".\(path).new"
        do throws(Errno) {
            let file = try open(temporary, [.writeOnly, .create, .truncate, .noFollow], mode: mode)
            try file.writeAll(bytes)
            try file.synchronize()
            try file.close()
            try rename(temporary, to: path)
        } catch {
            try? unlink(temporary)
            throw error
        }
        try synchronize()
    }
}

import Foundation

@testable import Linux

/// A directory that lives as long as a test.
struct TemporaryDirectory: ~Copyable {
    let path: String
    let handle: FileDescriptor

    init() throws {
        path = NSTemporaryDirectory() + "/linux-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        handle = try FileDescriptor.open(path, .directory)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The errno that `body` throws; nil where it succeeds.
func errno(of body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try body()
        return nil
    } catch {
        return error
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

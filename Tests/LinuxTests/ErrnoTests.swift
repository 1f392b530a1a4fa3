import Foundation
import Testing

@testable import Linux

@Suite("Errors")
struct ErrnoTests {
    @Test("A number has its name and the text of strerror, in lower case")
    func names() {
        #expect(Errno.enoent.name == "ENOENT")
        #expect(Errno.enoent.message == "no such file or directory")
        #expect(Errno(40).name == "ELOOP")
        #expect(Errno(133).name == "EHWPOISON")
        #expect(Errno(11).name == "EAGAIN")
    }

    @Test("Every entry stands at its number", arguments: 1..<133)
    func table(number: Int32) throws {
        let message = try #require(unsafe String(validatingCString: strerror(number)))
        guard !message.hasPrefix("Unknown") else {
            #expect(Errno(number).name == "E\(number)")
            return
        }
        #expect(Errno(number).message.lowercased() == message.lowercased())
    }

    @Test("Numbers outside of the table", arguments: [-1, 0, 134, 4095, Int32.max])
    func unknown(number: Int32) {
        #expect(Errno(number).name == "E\(number)")
        #expect(Errno(number).message == "error \(number)")
    }
}

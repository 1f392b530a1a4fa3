import Foundation
import OCI
import Testing

/// libcap, loaded when a test runs, is the judge of names and numbers.
@Suite struct CapabilityTests {
    private typealias FromName =
        @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<CInt>) -> CInt

    /// libcap's number of a name; nil where it knows none.
    private func number(of name: String, in libcap: UnsafeMutableRawPointer) -> Int? {
        let fromName = unsafe unsafeBitCast(dlsym(libcap, "cap_from_name"), to: FromName.self)
        var number: CInt = -1
        return unsafe fromName(name.lowercased(), &number) == 0 ? Int(number) : nil
    }

    @Test func `names have libcap's numbers`() throws {
        let libcap = try unsafe #require(dlopen("libcap.so.2", RTLD_NOW), "libcap2 is missing")
        for (index, name) in Capability.names.enumerated() {
            #expect(unsafe number(of: "\(name)", in: libcap) == index, "\(name)")
        }
    }

    @Test func `a mask has the bits of the names`() {
        #expect(Capability.mask(of: ["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"]) == 1 | 1 << 40)
        #expect(Capability.mask(of: ["CAP_NOT_ONE"]) == 0)
    }
}

import Testing

@testable import Linux

@Suite("The network")
struct NetworkTests {
    @Test func messagesAreReadAsWritten() throws {
        var message = NetlinkMessage(18, 5, body: [1, 2, 3, 4])
        message.add(3, text: "eth0")
        message.add(28, [9, 0, 0, 0])
        let bytes = message.encoded(sequence: 7)
        #expect(bytes.count.isMultiple(of: 4))
        let read = try NetlinkMessage.read(bytes + bytes, sequence: 7)
        #expect(read == [message, message])
        #expect(try NetlinkMessage.read(bytes, sequence: 8).isEmpty)
        let attributes = read[0].attributes(from: 4)
        #expect(attributes.map(\.type) == [3, 28])
        #expect(attributes[0].value == Array("eth0".utf8) + [0])
        #expect(attributes[1].value == [9, 0, 0, 0])
    }

    @Test func hostileSizesAreRefused() {
        var bytes = NetlinkMessage(18, 0, body: []).encoded(sequence: 1)
        for size in [0, 15, 255] as [UInt8] {
            bytes[0] = size
            #expect(
                errno { () throws(Errno) in _ = try NetlinkMessage.read(bytes, sequence: 1) }
                    == .ebadmsg)
        }
        let message = NetlinkMessage(18, 0, body: [0, 0, 0, 0, 200, 0, 1, 0])
        #expect(message.attributes(from: 4).isEmpty)
        #expect(message.attributes(from: 100).isEmpty)
        #expect(message.number(at: 6, size: 4) == 0)
    }

    @Test func devicesHaveNumbers() throws {
        var links = try NetworkLinks()
        #expect(try links.index(of: "lo") == 1)
        #expect(try links.index(of: "nosuchdevice") == nil)
        // Those of "lo" hold on the host only.
        #expect(try links.addresses(of: 1).isEmpty)
    }

    @Test func namesAreFree() throws {
        var links = try NetworkLinks()
        #expect(try links.freeName("nosuchdevice") == "nosuchdevice")
        #expect(try links.freeName("nosuch%dx") == "nosuch0x")
        for (name, expected) in [("lo", Errno.eexist), ("a%s", .einval), ("a%d%d", .einval)] {
            let result: Errno?
            do throws(Errno) {
                _ = try links.freeName(name)
                result = nil
            } catch {
                result = error
            }
            #expect(result == expected, "\(name)")
        }
    }
}

@Suite("Affinity")
struct AffinityTests {
    @Test func listsAreRead() throws {
        #expect(try Affinity(list: "0-3,7").cpus == [0, 1, 2, 3, 7])
        #expect(try Affinity(list: "64,8191").cpus == [64, 8191])
        for list in ["3-1", "x", "-", "1-", "8192", "1-2-3"] {
            #expect(
                errno { () throws(Errno) in _ = try Affinity(list: list) } == .einval, "\(list)")
        }
    }

    @Test func ownIsSome() throws {
        #expect(!(try Affinity().cpus.isEmpty))
        try Affinity().apply()
    }
}

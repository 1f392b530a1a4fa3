import Testing

@testable import DBus

/// Bytes written by hand after the specification, not by the code under test.
@Suite struct `Wire format` {
    private func bytes(_ values: DBusValue...) -> [UInt8] {
        var writer = DBusWriter()
        for value in values { writer.write(value) }
        return writer.bytes
    }

    @Test func `Integers are aligned to their size`() {
        #expect(bytes(.byte(1), .uint32(2)) == [1, 0, 0, 0, 2, 0, 0, 0])
        #expect(bytes(.byte(1), .int16(-2)) == [1, 0, 0xFE, 0xFF])
        #expect(
            bytes(.byte(1), .uint64(0x0102)) == [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test func `Strings have a length, and a NUL that it does not count`() {
        #expect(bytes(.string("ab")) == [2, 0, 0, 0, 0x61, 0x62, 0])
        #expect(bytes(.signature("as")) == [2, 0x61, 0x73, 0])
    }

    @Test func `The length of an array does not count the padding before its first element`() {
        #expect(bytes(.array(of: "t", [])) == [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(
            bytes(.array(of: "t", [.uint64(5)]))
                == [8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0])
        #expect(bytes(.strings(["a"])) == [6, 0, 0, 0, 1, 0, 0, 0, 0x61, 0])
    }

    @Test func `A variant carries its signature`() {
        #expect(bytes(.variant(.boolean(true))) == [1, 0x62, 0, 0, 1, 0, 0, 0])
    }

    static let samples: [DBusValue] = [
        .byte(255), .boolean(false), .int16(.min), .uint16(.max), .int32(.min), .uint32(.max),
        .int64(.min), .uint64(.max), .double(-0.5), .string("ü€"), .objectPath("/a/b"),
        .signature("a{sv}"), .unixFD(3), .array(of: "i", []), .bytes([1, 2, 3]),
        .structure([.string("x"), .array(of: "(sv)", [])]),
        .array(
            of: "{sv}",
            [
                .entry(.string("one"), .variant(.uint64(1))),
                .entry(.string("two"), .variant(.structure([.byte(2), .string("b")]))),
            ]),
        .variant(.variant(.array(of: "as", [.strings(["q"])]))),
    ]

    @Test(arguments: samples) func `What is written is read again`(value: DBusValue) throws {
        let signature = "y" + value.type
        var reader = DBusReader(bytes(.byte(7), value))
        #expect(try reader.read(signature: signature) == [.byte(7), value])
        #expect(reader.isAtEnd)
    }

    @Test(arguments: samples) func `No cut message is read`(value: DBusValue) {
        let whole = bytes(value)
        for length in 0..<whole.count {
            var reader = DBusReader(Array(whole.prefix(length)))
            #expect(throws: DBusError.self) { try reader.read(signature: value.type) }
        }
    }

    @Test func `Hostile bytes are refused`() {
        func refuses(_ bytes: [UInt8], _ signature: String) {
            var reader = DBusReader(bytes)
            #expect(throws: DBusError.self, "\(bytes) as \(signature)") {
                try reader.read(signature: signature)
            }
        }
        refuses([2, 0, 0, 0], "b")
        refuses([1, 1, 0, 0, 2, 0, 0, 0], "yu")
        refuses([0xFF, 0xFF, 0xFF, 0xFF, 0], "s")
        refuses([1, 0, 0, 0, 0xC3, 0], "s")
        refuses([1, 0, 0, 0, 0, 0], "s")
        refuses([0xFF, 0xFF, 0xFF, 0x7F], "ay")
        refuses([3, 0, 0, 0, 1, 0, 0, 0], "an")
        refuses([2, 0x79, 0x79, 0, 1, 1], "v")
        refuses([0, 0], "v")
        refuses(Array(repeating: [1, 0x76, 0], count: 100).flatMap { $0 }, "v")
        for signature in ["a", "(", "()", "(i", "{sv}", "a{vs}", "a{s}", "a{sss}", "z", "i)"] {
            refuses([0, 0, 0, 0, 0, 0, 0, 0], signature)
        }
        refuses([], String(repeating: "a", count: 100) + "i")
    }
}

@Suite struct Messages {
    @Test func `A call is laid out as the specification says`() throws {
        let message = DBusMessage.call(
            "Hello", on: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus",
            of: "org.freedesktop.DBus", serial: 1)
        let bytes = message.encoded()
        #expect(Array(bytes.prefix(16)) == [0x6C, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 109, 0, 0, 0])
        #expect(bytes.count == 128)
        #expect(try DBusMessage.length(fixedPart: Array(bytes.prefix(16))) == 128)
        #expect(try DBusMessage.decode(bytes) == message)
    }

    @Test func `Bodies, errors and signals are read again`() throws {
        for kind in [DBusMessage.Kind.methodReturn, .error, .signal] {
            var message = DBusMessage(kind: kind, serial: 9)
            message.replySerial = 4
            message.errorName = "a.b"
            message.sender = ":1.2"
            message.body = [.uint32(7), .objectPath("/j/1"), .string("x.scope"), .string("done")]
            #expect(try DBusMessage.decode(message.encoded()) == message)
        }
    }

    @Test func `Unknown header fields are passed over`() throws {
        var bytes = DBusMessage(kind: .signal, serial: 1).encoded()
        // One field of code 200 with a variant of a byte.
        bytes[12] = 5
        bytes += [200, 1, 0x79, 0, 9, 0, 0, 0]
        #expect(try DBusMessage.decode(bytes).serial == 1)
    }

    @Test func `What is too long, big endian or of another version is refused`() {
        let bytes = DBusMessage(kind: .signal, serial: 1).encoded()
        func changed(_ index: Int, _ value: UInt8) -> [UInt8] {
            var copy = bytes
            copy[index] = value
            return copy
        }
        for broken in [
            changed(0, 0x42), changed(1, 9), changed(3, 2), changed(7, 0x7F), bytes + [0], [],
        ] {
            #expect(throws: DBusError.self) { try DBusMessage.decode(broken) }
        }
    }
}

@Suite struct Greeting {
    @Test func `The caller's uid is sent in hexadecimal digits of its decimal ones`() {
        #expect(
            DBusGreeting.request(uid: 1000)
                == [0] + Array("AUTH EXTERNAL 31303030\r\n".utf8))
    }

    @Test func `Only OK is a welcome`() throws {
        try DBusGreeting.check(answer: "OK 1234deadbeef")
        #expect(throws: DBusError.self) { try DBusGreeting.check(answer: "REJECTED EXTERNAL") }
    }

    @Test func `Addresses`() throws {
        #expect(try DBusAddress.parse("unix:path=/run/bus") == [.path("/run/bus")])
        #expect(
            try DBusAddress.parse("tcp:host=x;unix:abstract=/tmp/a%20b,guid=12;unix:path=/x")
                == [.abstract("/tmp/a b"), .path("/x")])
        for broken in ["", "unix", "tcp:host=x", "unix:path=%4", "unix:path=%zz", "unix:dir=/x"] {
            #expect(throws: DBusError.self, "\(broken)") { try DBusAddress.parse(broken) }
        }
    }
}

@Suite struct `Values as text` {
    static let samples: [(String, DBusValue)] = [
        ("15", .int32(15)), ("-1", .int32(-1)), ("0x1f", .int32(31)), ("017", .int32(15)),
        ("uint64 10000000", .uint64(10_000_000)), ("byte 0xff", .byte(255)),
        ("int64 -9223372036854775808", .int64(.min)), ("true", .boolean(true)),
        ("boolean false", .boolean(false)), ("1.5", .double(1.5)), ("double 2", .double(2)),
        ("'it\\'s'", .string("it's")), ("\"a\\\\b\\n\"", .string("a\\b\n")),
        ("objectpath '/x'", .objectPath("/x")), ("['a', 'b']", .strings(["a", "b"])),
        ("@as []", .strings([])), ("@at [1, 2]", .array(of: "t", [.uint64(1), .uint64(2)])),
        ("(1, 'x')", .structure([.int32(1), .string("x")])),
        ("@(ts) (1, 'x')", .structure([.uint64(1), .string("x")])),
        ("<uint32 4>", .variant(.uint32(4))), ("b'hi'", .bytes([0x68, 0x69, 0])),
        (
            "[('CAP_KILL', true)]",
            .array(of: "(sb)", [.structure([.string("CAP_KILL"), .boolean(true)])])
        ),
        ("{'a': 1}", .array(of: "{si}", [.entry(.string("a"), .int32(1))])),
        ("@a{sv} {}", .array(of: "{sv}", [])), ("  [1,]  ", .array(of: "i", [.int32(1)])),
    ]

    @Test(arguments: samples) func `are read`(text: String, value: DBusValue) throws {
        #expect(try VariantText.parse(text) == value)
    }

    @Test(arguments: [
        "", "x", "[]", "{}", "()", "byte 256", "uint64 -1", "4294967296", "1 2", "'a", "[1 2]",
        "[1, 'a']", "@s 1", "@i 'x'", "@ss 'x'", "1.2.3", "08", "0x", "<1", "uint32 1.5", "just 1",
        "99999999999999999999",
    ]) func `are refused`(text: String) {
        #expect(throws: DBusError.self) { try VariantText.parse(text) }
    }

    @Test func `Nesting has an end`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: DBusError.self) { try VariantText.parse(deep) }
    }
}

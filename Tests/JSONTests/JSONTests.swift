import Foundation
import Testing

@testable import JSON

private func parse(_ text: String) throws(JSONError) -> JSON.Value {
    try JSON.parse(Array(text.utf8))
}

/// The error of a text that must be refused.
private func refusal(_ bytes: [UInt8]) -> String? {
    do throws(JSONError) {
        _ = try JSON.parse(bytes)
        return nil
    } catch { return error.description }
}

private func refusal(_ text: String) -> String? { refusal(Array(text.utf8)) }

@Suite("Reading JSON") struct ReaderTests {
    @Test("Values of every kind") func kinds() throws {
        let value = try parse(
            #" {"a": [1, -2, true, false, null, "x", {}, []], "b": {"c": "d"}} "#)
        let object = try #require(value.object)
        #expect(object.count == 2)
        let a = try #require(object["a"]?.array)
        #expect(a.count == 8)
        #expect(a[0].integer(as: Int.self) == 1)
        #expect(a[1].integer(as: Int8.self) == -2)
        #expect(a[1].integer(as: UInt8.self) == nil)
        #expect(a[2].bool == true)
        #expect(a[3].bool == false)
        #expect(a[4].isNull)
        #expect(a[5].string == "x")
        #expect(a[6].object?.count == 0)
        #expect(a[7].array?.isEmpty == true)
        #expect(object["b"]?.object?["c"]?.string == "d")
        #expect(object["c"] == nil)
        #expect(object.map(\.key) == ["a", "b"])
    }

    @Test("Integers are exact to the last one") func integers() throws {
        func integer<T: FixedWidthInteger>(_ text: String, _ type: T.Type) throws -> T? {
            try parse(text).integer(as: type)
        }
        #expect(try integer("18446744073709551615", UInt64.self) == .max)
        #expect(try integer("18446744073709551616", UInt64.self) == nil)
        #expect(try integer("9223372036854775807", Int64.self) == .max)
        #expect(try integer("9223372036854775808", Int64.self) == nil)
        #expect(try integer("-9223372036854775808", Int64.self) == .min)
        #expect(try integer("-9223372036854775809", Int64.self) == nil)
        #expect(try integer("4294967296", UInt32.self) == nil)
        #expect(try integer("-0", UInt32.self) == 0)
        #expect(try integer("1.0", Int.self) == nil)
        #expect(try integer("1e3", Int.self) == nil)
        #expect(try parse("1e3").isIntegral == false)
        #expect(try parse("12").isIntegral)
    }

    @Test(
        "Escapes",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9\u20ac""#, "Aé€"),
            (#""\ud83d\ude00""#, "😀"), (#""é€😀""#, "é€😀"), (#""\uFFFF""#, "\u{FFFF}"),
        ])
    func escapes(_ text: String, _ plain: String) throws {
        let string = try #require(try parse(text).string)
        #expect(Array(string.utf8) == Array(plain.utf8))
    }

    @Test(
        "What is refused, and where",
        arguments: [
            ("", "line 1, column 1: expected a value, found the end"),
            ("{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7: expected ':', found '2'"),
            ("[1,]", "line 1, column 4: expected a value, found ']'"),
            ("{\"a\":1,}", "line 1, column 8: expected a key in quotes, found '}'"),
            ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
            ("{} x", "line 1, column 4: unexpected text after the value"),
            ("{\"é\":1,\"é\":2}", "line 1, column 8: duplicate key"),
            (#"{"a":1,"\u0061":2}"#, "line 1, column 8: duplicate key"),
            (#"["\u0000"]"#, "line 1, column 3: \\u0000 is not accepted"),
            (#"["\ud800"]"#, "line 1, column 3: half of a surrogate pair"),
            (#"["\udc00x"]"#, "line 1, column 3: half of a surrogate pair"),
            (#"["\ud800\u0041"]"#, "line 1, column 3: half of a surrogate pair"),
            (#"["\x"]"#, "line 1, column 3: unknown escape"),
            (#"["\u12"]"#, "line 1, column 7: expected four hexadecimal digits after \\u"),
            ("[\"a]", "line 1, column 2: a string has no end"),
            ("[01]", "line 1, column 3: a number must not begin with 0"),
            ("[-]", "line 1, column 3: expected a digit, found ']'"),
            ("[1.]", "line 1, column 4: expected a digit, found ']'"),
            ("[1e]", "line 1, column 4: expected a digit, found ']'"),
            ("[+1]", "line 1, column 2: expected a value, found '+'"),
            ("[nul]", "line 1, column 2: expected null"),
            ("[NaN]", "line 1, column 2: expected a value, found 'N'"),
            ("{'a':1}", "line 1, column 2: expected a key in quotes, found '''"),
            ("[1] // no", "line 1, column 5: unexpected text after the value"),
        ])
    func refused(_ text: String, _ message: String) {
        #expect(refusal(text) == message)
    }

    @Test(
        "Bytes that are not UTF-8",
        arguments: [
            [0xFF], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xE2, 0x82], [0x80],
        ] as [[UInt8]])
    func badUTF8(_ bytes: [UInt8]) {
        #expect(
            refusal([UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
                == "line 1, column 2: not valid UTF-8")
    }

    @Test("Control characters, also NUL and the byte order mark") func controls() {
        for byte: UInt8 in [0, 1, 9, 10, 31] {
            #expect(refusal([UInt8(ascii: "\""), byte, UInt8(ascii: "\"")]) != nil)
        }
        #expect(refusal([0xEF, 0xBB, 0xBF, UInt8(ascii: "1")]) != nil)
        #expect(refusal([UInt8(ascii: "1"), 0]) != nil)
    }

    @Test("Depth and size have limits") func limits() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(refusal(nested(64)) == nil)
        #expect(refusal(nested(65)) == "line 1, column 65: more than 64 levels deep")
        #expect(refusal(String(repeating: "[", count: 1_000_000)) != nil)
        #expect(refusal(String(repeating: "{\"a\":", count: 100)) != nil)
        let spaces = [UInt8](repeating: 0x20, count: JSON.maximumSize)
        #expect(
            refusal(spaces)
                == "line 1, column \(JSON.maximumSize + 1): expected a value, found the end")
        #expect(refusal(spaces + [0x20]) == "line 1, column 1: larger than 8388608 bytes")
    }

    @Test("A duplicate among many keys") func manyKeys() {
        var text = "{"
        for index in 0..<50_000 { text += "\"k\(index)\":1," }
        #expect(refusal(text + "\"last\":1}") == nil)
        #expect(refusal(text + "\"k25000\":1}")?.hasSuffix("duplicate key") == true)
        #expect(refusal(text + "\"\\u006b25000\":1}")?.hasSuffix("duplicate key") == true)
    }

    @Test("Paths and places") func paths() throws {
        let value = try parse("{\"a\": [0, {\"b\": {\"c\": 1,\n \"d\": [[5]]}}], \"e\": 2}")
        let b = try #require(value.object?["a"]?.array?[1].object?["b"])
        #expect(b.path == "a[1].b")
        let five = try #require(b.object?["d"]?.array?[0].array?[0])
        #expect(five.path == "a[1].b.d[0][0]")
        #expect(five.line == 2)
        #expect(five.column == 9)
        #expect(value.path.isEmpty)
        #expect(b.path(to: "x") == "a[1].b.x")
        #expect(value.object?["e"]?.path == "e")
        #expect(b.object?.nearMiss(of: "C")?.path == "a[1].b.c")
        #expect(b.object?.nearMiss(of: "c") == nil)
    }

    @Test("Foundation agrees on damaged texts") func damaged() throws {
        let text = Array(
            #"{"a":[1,2.5e-3,"x\u00e9\n",true,null,{"b":{}}],"c":"é€😀","d":-12}"#.utf8)
        var random = SystemRandomNumberGenerator()
        var accepted = 0
        for _ in 0..<4000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(bytes[Int.random(in: 0..<bytes.count)], at: at)
                default: bytes.removeSubrange(at...)
                }
                if bytes.isEmpty { break }
            }
            guard refusal(bytes) == nil else { continue }
            accepted += 1
            let theirs = try? JSONSerialization.jsonObject(
                with: Data(bytes), options: .fragmentsAllowed)
            #expect(theirs != nil, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(accepted > 0)
    }
}

@Suite("Writing JSON") struct WriterTests {
    private func write(indented: Bool) -> String {
        var writer = JSONWriter(indented: indented)
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.integer(1)
        writer.integer(Int64.min)
        writer.integer(UInt64.max)
        writer.bool(true)
        writer.null()
        writer.endArray()
        writer.key("b")
        writer.beginObject()
        writer.endObject()
        writer.key("c")
        writer.beginArray()
        writer.endArray()
        writer.key("d")
        writer.raw(Array("[0]".utf8))
        writer.key("e")
        writer.string("x")
        writer.endObject()
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test("On one line") func compact() {
        #expect(
            write(indented: false)
                == #"{"a":[1,-9223372036854775808,18446744073709551615,true,null],"b":{},"c":[],"#
                + #""d":[0],"e":"x"}"#)
    }

    @Test("Indented") func indented() {
        #expect(
            write(indented: true) == """
                {
                  "a": [
                    1,
                    -9223372036854775808,
                    18446744073709551615,
                    true,
                    null
                  ],
                  "b": {},
                  "c": [],
                  "d": [0],
                  "e": "x"
                }

                """)
    }

    @Test("What is written is read again") func escapes() throws {
        for text in ["", "\"\\/", "\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f}", "é€😀\u{2028}", "<&>"] {
            var writer = JSONWriter()
            writer.string(text)
            let bytes = writer.finish()
            #expect(try JSON.parse(bytes).string == text)
            let theirs = try JSONDecoder().decode(String.self, from: Data(bytes))
            #expect(theirs == text)
        }
    }
}

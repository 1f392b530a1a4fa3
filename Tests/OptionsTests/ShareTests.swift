import Foundation
import Testing

@testable import Options

/// The files made from the option tables.
///
/// `make share` runs these tests with APUS_WRITE_SHARE=1,
/// which writes the files; without it they must be what the tables say.
@Suite("Shared files")
struct ShareTests {
    static let spec = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("spec")
    static let writes = ProcessInfo.processInfo.environment["APUS_WRITE_SHARE"] == "1"
    static let begin = "<!-- generated from the option tables: make share -->\n"
    static let end = "<!-- end of the generated part -->\n"

    @Test("completions and manual pages are in step with the tables")
    func files() throws {
        for file in SharedFile.all() {
            let url = Self.spec.appendingPathComponent(file.path)
            if Self.writes {
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try file.text.write(to: url, atomically: true, encoding: .utf8)
            }
            let found = try String(contentsOf: url, encoding: .utf8)
            #expect(found == file.text, "\(file.path): run make share")
        }
    }

    @Test("no page of a verb that is gone")
    func leftovers() throws {
        let expected = Set(SharedFile.all().map(\.path))
        for folder in ["man", "completions"] {
            let names = try FileManager.default.contentsOfDirectory(
                atPath: Self.spec.appendingPathComponent(folder).path)
            for name in names { #expect(expected.contains("\(folder)/\(name)")) }
        }
    }

    @Test("spec/cli.md is in step with the tables")
    func document() throws {
        let url = Self.spec.appendingPathComponent("cli.md")
        var text = try String(contentsOf: url, encoding: .utf8)
        let begin = try #require(text.range(of: Self.begin))
        let end = try #require(text.range(of: Self.end))
        let generated = "\n" + Manual.markdown() + "\n"
        if Self.writes {
            text.replaceSubrange(begin.upperBound..<end.lowerBound, with: generated)
            try text.write(to: url, atomically: true, encoding: .utf8)
        } else {
            #expect(
                String(text[begin.upperBound..<end.lowerBound]) == generated,
                "spec/cli.md: run make share")
        }
    }

    @Test("every line of the help fits")
    func widths() {
        for verb in Verb.Name.allCases {
            for line in Help.verb(verb).split(separator: "\n") {
                #expect(line.utf8.count <= 100, "\(line)")
            }
        }
        #expect(Help.program().hasPrefix("NAME:\n   apus - "))
        #expect(Help.verb(.create).hasPrefix("NAME:\n   apus create - "))
    }
}

import Foundation
import Testing

@testable import Plan

@Suite("Snapshots: what apus explain prints")
struct SnapshotTests {
    private static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Snapshots")

    /// Run with APUS_UPDATE_SNAPSHOTS=1 to renew the files, and read their diff.
    @Test func textIsAsBefore() throws {
        let isRenewed = ProcessInfo.processInfo.environment["APUS_UPDATE_SNAPSHOTS"] == "1"
        for (name, plan) in try Sample.plans() {
            let file = Self.directory.appendingPathComponent(name + ".txt")
            let text = Explain.text(plan)
            if isRenewed { try Data(text.utf8).write(to: file) }
            let before = try String(contentsOf: file, encoding: .utf8)
            #expect(text == before, "the plan of \(name) has changed")
        }
    }

    @Test func sameInputGivesSameBytes() throws {
        let first = try Sample.plans().map { Explain.json($0.plan) }
        for _ in 0..<5 {
            #expect(try Sample.plans().map { Explain.json($0.plan) } == first)
        }
    }

    @Test func jsonIsJSON() throws {
        for (_, plan) in try Sample.plans() {
            let json = try JSONSerialization.jsonObject(with: Data(Explain.json(plan).utf8))
            let sections = try #require(json as? [String: [[String: String]]])
            #expect(sections["init"]?.count == plan.steps.count)
        }
    }

    @Test func everyStepHasAnOriginAndText() throws {
        for (name, plan) in try Sample.plans() {
            for step in plan.steps + plan.outsideSteps {
                #expect(!step.origin.isEmpty && !step.operation.summary.isEmpty, "\(name)")
            }
        }
    }
}

import Foundation
import Linux
import OCI
import Plan
import Testing

@testable import Engine

/// Against a directory that looks like the file system.
@Suite("Resctrl")
struct ResctrlTests {
    private let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/resctrl-" + UUID().uuidString
        for group in ["", "/gold", "/gold/mon_groups/box", "/box"] {
            let place = path + group
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: place + "/tasks"))
        }
        try "    L3:0=07f0;1=1f\n    MB:0= 20;1= 70\n".write(
            toFile: path + "/gold/schemata", atomically: false, encoding: .utf8)
    }

    private func plan(_ change: (inout Spec.IntelRdt) -> Void) -> ResctrlPlan {
        var config = Spec.IntelRdt()
        change(&config)
        return ResctrlPlan(config, id: "box2")
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: path + file, encoding: .utf8)
    }

    @Test func schemataAreComparedByValue() {
        let present = Schemata("    L3:0=07f0;1=1F\n  MB:0= 20;1= 70\n")
        for line in ["L3:1=1f;0=7f0", "MB:0=20", " MB : 1=070"] {
            #expect(present.holds(Schemata(line)), "\(line)")
        }
        for line in ["L3:0=7f", "L2:0=f", "MB:2=20", "nonsense", ""] {
            #expect(!present.holds(Schemata(line)), "\(line)")
        }
    }

    @Test func linesAreInOrder() {
        let plan = plan {
            $0.schemata = ["L2:0=f"]
            $0.memBwSchema = "MB:0=20"
            $0.l3CacheSchema = "L3:0=f"
        }
        #expect(plan.schemata == ["L3:0=f", "MB:0=20", "L2:0=f"])
        #expect(plan.group == "box2" && !plan.isNamed)
    }

    @Test func namedGroupWithoutSchemataMustBeThere() throws {
        let resctrl = try Resctrl(path: path)
        #expect(throws: Failure.self) {
            try resctrl.place(of: plan { $0.closID = "silver" }, id: "box2")
        }
        let place = try resctrl.place(of: plan { $0.closID = "gold" }, id: "box2")
        #expect(!place.isOwn)
        try resctrl.make(place, [])
        try resctrl.assign(42, to: place)
        #expect(try text("/gold/tasks") == "42")
        try resctrl.remove(place)
        #expect(try text("/gold/tasks") == "42", "it is not the container's to remove")
    }

    @Test func presentGroupMustHaveTheSchemata() throws {
        let resctrl = try Resctrl(path: path)
        let place = try resctrl.place(of: plan { $0.closID = "gold" }, id: "box2")
        try resctrl.make(place, ["L3:1=1f", "MB:0=20"])
        #expect(throws: Failure.self) { try resctrl.make(place, ["L3:1=2f"]) }
        try resctrl.change(place, ["MB:0=30"])
        #expect(try text("/gold/schemata").hasPrefix("MB:0=30\n"))
    }

    @Test func monitoringGroupIsTheContainers() throws {
        let resctrl = try Resctrl(path: path)
        let monitored = plan {
            $0.closID = "gold"
            $0.enableMonitoring = true
        }
        let place = try resctrl.place(of: monitored, id: "box")
        try resctrl.make(place, [])
        try resctrl.assign(7, to: place)
        #expect(try text("/gold/mon_groups/box/tasks") == "7")
        // As the kernel's files go with their directory.
        try FileManager.default.removeItem(atPath: path + "/gold/mon_groups/box/tasks")
        try resctrl.remove(place)
        #expect(!FileManager.default.fileExists(atPath: path + "/gold/mon_groups/box"))
        #expect(FileManager.default.fileExists(atPath: path + "/gold"))
        try resctrl.remove(place)
    }

    @Test func ownGroupIsRemoved() throws {
        let resctrl = try Resctrl(path: path)
        var place = try resctrl.place(of: plan { _ in }, id: "box2")
        #expect(place.isOwn && place.group == "box2")
        try resctrl.make(place, [])
        #expect(FileManager.default.fileExists(atPath: path + "/box2"))
        try resctrl.remove(place)
        #expect(!FileManager.default.fileExists(atPath: path + "/box2"))
        place = try resctrl.place(of: plan { $0.closID = "/" }, id: "box2")
        try resctrl.assign(3, to: place)
        #expect(try text("/tasks") == "3")
    }
}

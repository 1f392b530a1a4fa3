import OCI
import Testing

@testable import Plan

@Suite("Namespaces and processes")
struct NamespaceTests {
    /// What the container makes and joins -> clone3's, unshared, the second clone's.
    struct Row {
        var made: Namespaces
        var joined: Namespaces = []
        var offsets = false
        var new: Namespaces = []
        var unshared: Namespaces = []
        var forked: Namespaces?
    }

    static let rows: [Row] = [
        Row(made: [.mount, .pid, .cgroup], new: [.mount, .pid], unshared: [.cgroup]),
        Row(made: [.user, .mount, .pid], new: [.user, .mount, .pid]),
        // An IPC namespace is made by the container's root.
        Row(made: [.user, .mount, .ipc], new: [.user, .mount], unshared: [.ipc]),
        Row(made: [.mount, .time], new: [.mount, .time]),
        Row(made: [.mount, .time], offsets: true, new: [.mount], unshared: [.time]),
        // Joined without a second process.
        Row(made: [.mount, .pid], joined: [.network, .ipc], new: [.mount, .pid]),
        // A joined pid namespace holds the children only.
        Row(made: [.mount], joined: [.pid], forked: [.mount]),
        Row(
            made: [.mount, .cgroup, .time], joined: [.pid], unshared: [.cgroup, .time],
            forked: [.mount]),
        // New namespaces belong to the joined user namespace.
        Row(made: [.mount, .pid], joined: [.user], forked: [.mount, .pid]),
        Row(made: [.mount], joined: [.user], unshared: [.mount]),
        Row(made: [.mount], joined: [.user, .pid], forked: [.mount]),
        // The host's network is joined before the right to do so is lost.
        Row(made: [.user, .mount], joined: [.network], forked: [.user, .mount]),
    ]

    @Test(arguments: rows)
    func shape(row: Row) {
        let shape = CloneShape.decide(
            made: row.made, joined: row.joined, hasTimeOffsets: row.offsets)
        #expect(shape.new == row.new)
        #expect(shape.unshared == row.unshared)
        #expect(shape.forked == row.forked)
        let all = shape.new.union(shape.unshared).union(shape.forked ?? [])
        #expect(all == row.made, "every namespace is made exactly once")
    }

    private func joinOrder(_ host: Host) throws -> [Namespaces] {
        var spec = Sample.minimal
        spec.linux?.namespaces = [
            Spec.Namespace(.user, path: "/u"), Spec.Namespace(.network, path: "/n"),
            Spec.Namespace(.mount),
        ]
        return try Planner.plan(spec, options: Sample.options, host: host).clone.joins.map(\.types)
    }

    @Test func rootJoinsTheUserNamespaceLastOthersFirst() throws {
        #expect(try joinOrder(Host()) == [.network, .user])
        #expect(try joinOrder(Sample.rootless) == [.user, .network])
    }

    @Test func withoutRootAUserNamespaceIsNeeded() {
        #expect(throws: ConfigError.self) {
            try Planner.plan(Sample.minimal, options: Sample.options, host: Sample.rootless)
        }
    }

    @Test func ownIDsAreMappedWithoutHelpers() throws {
        var spec = Sample.userns
        spec.linux?.uidMappings = Sample.mappings(1000, 1)
        spec.linux?.gidMappings = Sample.mappings(1000, 1)
        let plan = try Planner.plan(spec, options: Sample.options, host: Sample.rootless)
        #expect(plan.identity?.method == .direct)
        #expect(plan.identity?.deniesSetgroups == true)
        #expect(plan.steps.contains { $0.operation == .groups([], keepsGroups: true) })
    }

    /// podman's `--group-add keep-groups`.
    @Test func annotationKeepsTheGroups() throws {
        var spec = Sample.minimal
        spec.annotations["run.oci.keep_original_groups"] = "1"
        let plan = try Planner.plan(spec, options: Sample.options, host: Host())
        #expect(plan.steps.contains { $0.operation == .groups([], keepsGroups: true) })
    }

    @Test func rangesNeedHelpers() throws {
        let plan = try Planner.plan(
            Sample.userns, options: Sample.options, host: Sample.rootless)
        #expect(plan.identity?.method == .helpers)
        #expect(plan.identity?.deniesSetgroups == false)
        var bare = Sample.rootless
        bare.hasMapHelpers = false
        #expect(throws: ConfigError.self) {
            try Planner.plan(Sample.userns, options: Sample.options, host: bare)
        }
    }

    @Test func unmappedUserIsRefused() {
        var spec = Sample.userns
        spec.process?.user.uid = 70000
        #expect(
            throws: ConfigError(
                path: "process.user.uid",
                message: "70000 is not mapped in the container's user namespace")
        ) {
            try Planner.plan(spec, options: Sample.options, host: Host())
        }
    }

    @Test func limitsOfAUserNamespaceAreSetFromOutside() throws {
        let plan = try Planner.plan(Sample.usernsFull, options: Sample.options, host: Host())
        #expect(plan.outsideSteps.map(\.operation) == [.oomScoreAdjust(-500)])
        #expect(plan.index { if case .oomScoreAdjust = $0 { true } else { false } } == nil)
    }

    @Test func execJoinsAndForksOnlyForAPIDNamespace() throws {
        var spec = Sample.minimal
        var plan = try Planner.planExec(
            Sample.execProcess, in: spec, options: Sample.options, host: Host())
        #expect(plan.clone.forked == [])
        spec.linux?.namespaces = [Spec.Namespace(.mount)]
        plan = try Planner.planExec(
            Sample.execProcess, in: spec, options: Sample.options, host: Host())
        #expect(plan.clone.forked == nil)
        #expect(plan.clone.joins.map(\.types) == [.mount])
    }
}

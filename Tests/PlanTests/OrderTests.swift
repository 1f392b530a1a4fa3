import OCI
import Testing

@testable import Plan

@Suite("The order of a container's birth")
struct OrderTests {
    /// The places of the given kinds of operations, which must rise.
    private func expectOrder(
        _ plan: Plan, _ kinds: [(String, (Operation) -> Bool)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var before = -1
        var name = "the start"
        for (kind, matches) in kinds {
            let index = try #require(
                plan.index(matches), "no \(kind)", sourceLocation: sourceLocation)
            #expect(index > before, "\(kind) must follow \(name)", sourceLocation: sourceLocation)
            before = plan.lastIndex(matches) ?? index
            name = kind
        }
    }

    private func planned(_ name: String) throws -> Plan {
        try #require(try Sample.plans().first { $0.name == name }).plan
    }

    @Test func rootIsBuiltFromOutsideIn() throws {
        let plan = try planned("docker")
        try expectOrder(
            plan,
            [
                ("session", { $0 == .newSession }),
                ("host propagation", { if case .hostPropagation = $0 { true } else { false } }),
                ("root", { if case .openRoot = $0 { true } else { false } }),
                ("mounts", { if case .mount = $0 { true } else { false } }),
                ("devices", { if case .device = $0 { true } else { false } }),
                ("links", { if case .symlink = $0 { true } else { false } }),
                ("runtime", { $0 == .await(.createRuntime) }),
                (
                    "createContainer",
                    {
                        if case .hook(let hook) = $0 {
                            hook.kind == .createContainer
                        } else {
                            false
                        }
                    }
                ),
                ("pivot", { $0 == .pivot(.pivotRoot) }),
                ("read-only paths", { if case .readOnly = $0 { true } else { false } }),
                ("masks", { if case .mask = $0 { true } else { false } }),
                ("read-only root", { $0 == .rootReadOnly }),
                ("hostname", { if case .hostname = $0 { true } else { false } }),
            ])
    }

    @Test func mountsKeepTheirOrder() throws {
        let plan = try planned("podman")
        let origins = plan.steps.map(\.origin).filter { $0.utf8.starts(with: "mounts[".utf8) }
        #expect(origins == (0..<7).map { "mounts[\($0)]" })
    }

    @Test func sysctlsComeBeforeReadOnlyPaths() throws {
        try expectOrder(
            try planned("podman"),
            [
                ("pivot", { $0 == .pivot(.pivotRoot) }),
                ("sysctls", { if case .sysctl = $0 { true } else { false } }),
                ("read-only paths", { if case .readOnly = $0 { true } else { false } }),
            ])
    }

    @Test func consoleComesAfterItsFileSystemAndHooks() throws {
        try expectOrder(
            try planned("podman"),
            [
                ("links", { if case .symlink = $0 { true } else { false } }),
                ("console", { if case .console = $0 { true } else { false } }),
                ("pivot", { $0 == .pivot(.pivotRoot) }),
            ])
    }

    @Test func boundingSetComesBeforeTheUser() throws {
        for name in ["busybox", "rootless", "podman", "docker", "userns", "exec"] {
            try expectOrder(
                try planned(name),
                [
                    ("bounding", { if case .boundingSet = $0 { true } else { false } }),
                    ("groups", { if case .groups = $0 { true } else { false } }),
                    ("user", { if case .user = $0 { true } else { false } }),
                    ("capabilities", { if case .capabilities = $0 { true } else { false } }),
                    ("executable", { if case .executable = $0 { true } else { false } }),
                    ("ready", { $0 == .await(.ready) }),
                    ("verify", { if case .verify = $0 { true } else { false } }),
                    ("execute", { if case .execute = $0 { true } else { false } }),
                ])
        }
    }

    @Test func privilegesEndLast() throws {
        try expectOrder(
            try planned("docker"),
            [
                ("gate", { $0 == .gate }),
                ("no new privileges", { $0 == .noNewPrivileges }),
                ("verify", { if case .verify = $0 { true } else { false } }),
                ("seccomp", { if case .seccomp = $0 { true } else { false } }),
                (
                    "startContainer",
                    { if case .hook(let hook) = $0 { hook.kind == .startContainer } else { false } }
                ),
                ("execute", { if case .execute = $0 { true } else { false } }),
            ])
    }

    @Test func filterWithoutPrivilegeIsLoadedBeforeCapabilitiesGo() throws {
        try expectOrder(
            try planned("podman"),
            [
                ("user", { if case .user = $0 { true } else { false } }),
                ("seccomp", { if case .seccomp = $0 { true } else { false } }),
                ("capabilities", { if case .capabilities = $0 { true } else { false } }),
            ])
    }

    @Test func listenerIsPassedOnBeforeReady() throws {
        var spec = Sample.minimal
        spec.process?.noNewPrivileges = true
        var seccomp = Spec.Seccomp()
        seccomp.defaultAction = .allow
        seccomp.listenerPath = "/run/listener"
        var rule = Spec.Seccomp.Rule()
        rule.names = ["mkdir"]
        rule.action = .notify
        seccomp.syscalls = [rule]
        spec.linux?.seccomp = seccomp
        let plan = try Planner.plan(spec, options: Sample.options, host: Host())
        #expect(plan.awaits(.listener))
        #expect(plan.seccomp?.listenerPath == "/run/listener")
        try expectOrder(
            plan,
            [
                ("no new privileges", { $0 == .noNewPrivileges }),
                ("seccomp", { if case .seccomp = $0 { true } else { false } }),
                ("ready", { $0 == .await(.ready) }),
                ("execute", { if case .execute = $0 { true } else { false } }),
            ])
    }

    /// Both sides name the same checkpoints, in the contract's order.
    @Test func checkpointsRise() throws {
        for (name, plan) in try Sample.plans() {
            var last = -1
            for step in plan.steps {
                let checkpoint: Checkpoint? =
                    switch step.operation {
                    case .await(let checkpoint): checkpoint
                    case .console: .console
                    case .seccomp(let filter) where filter.hasListener: .listener
                    default: nil
                    }
                guard let checkpoint else { continue }
                #expect(checkpoint.rawValue > last, "\(name): \(checkpoint.name)")
                last = checkpoint.rawValue
                #expect(plan.awaits(checkpoint))
            }
            #expect(plan.awaits(.mapIDs) == (plan.identity != nil), "\(name)")
            #expect(plan.awaits(.console) == plan.hasTerminal, "\(name)")
            #expect(
                plan.awaits(.createRuntime)
                    == !(plan.hooks.createRuntime.isEmpty && plan.networkDevices.isEmpty))
        }
    }

    /// Slots count through the handles: each is used, none is invented.
    @Test func slotsAreTheHandles() throws {
        for (name, plan) in try Sample.plans() {
            var used: [Int] = []
            for step in plan.steps {
                switch step.operation {
                case .join(let handle, _): used.append(handle.index)
                case .openRoot(_, let handle?, _, _): used.append(handle.index)
                case .bind(let bind): if let handle = bind.handle { used.append(handle.index) }
                default: continue
                }
            }
            #expect(used.sorted() == Array(plan.handles.indices), "\(name)")
        }
    }

    @Test func readOnlyTmpfsIsFilledFirst() throws {
        var spec = Sample.minimal
        spec.mounts = [
            Spec.Mount("/dev", type: "tmpfs", source: "tmpfs", options: ["ro", "nosuid"]),
            Spec.Mount("/run", type: "tmpfs", source: "tmpfs", options: ["ro"]),
            Spec.Mount("/run/x", type: "bind", source: "/x", options: ["bind"]),
        ]
        let plan = try Planner.plan(spec, options: Sample.options, host: Host())
        try expectOrder(
            plan,
            [
                ("bind", { if case .bind = $0 { true } else { false } }),
                ("links", { if case .symlink = $0 { true } else { false } }),
                ("seal", { if case .remount = $0 { true } else { false } }),
                ("pivot", { $0 == .pivot(.pivotRoot) }),
            ])
        for step in plan.steps {
            guard case .mount(let mount) = step.operation else { continue }
            #expect(mount.settings.attributes.set & MountAttributes.readOnly == 0)
        }
    }
}

import OCI
import Testing

@testable import Plan

@Suite("The process")
struct ProcessTests {
    private func plan(
        _ host: Host = Host(), _ change: (inout Spec) -> Void
    ) throws -> Plan {
        var spec = Sample.minimal
        change(&spec)
        return try Planner.plan(spec, options: Sample.options, host: host)
    }

    @Test func lastOfEqualNamesHolds() {
        let planned = Environment.plan(["A=1", "PATH=/x", "A=2", "B=", "HOME="])
        #expect(planned.entries == ["PATH=/x", "A=2", "B="])
        #expect(planned.searchPath == "/x")
        #expect(!planned.hasHome)
    }

    @Test func missingCapabilitiesAreNone() throws {
        let plan = try plan { $0.process?.capabilities = nil }
        #expect(plan.steps.contains { $0.operation == .boundingSet(CapabilityMask()) })
        #expect(plan.steps.contains { $0.operation == .capabilities(CapabilityMasks()) })
    }

    @Test func ungrantableCapabilitiesWarn() throws {
        var host = Host()
        host.capabilities = CapabilityMask(bits: 1)
        let plan = try plan(host) {
            $0.process?.capabilities = .uniform(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NEW"])
        }
        #expect(plan.steps.contains { $0.operation == .boundingSet(CapabilityMask(bits: 1)) })
        #expect(plan.warnings.contains { $0.path == "process.capabilities.bounding" })
    }

    @Test func effectiveMustBePermitted() {
        var sets = Spec.Capabilities()
        sets.effective = ["CAP_KILL"]
        #expect(throws: ConfigError.self) { try plan { $0.process?.capabilities = sets } }
    }

    @Test func labelsNeedTheirModule() throws {
        #expect(throws: ConfigError.self) { try plan { $0.process?.apparmorProfile = "p" } }
        #expect(throws: ConfigError.self) { try plan { $0.process?.selinuxLabel = "l" } }
        _ = try plan { $0.process?.apparmorProfile = "unconfined" }
    }

    @Test func unsupportedIsRefused() {
        #expect(throws: ConfigError.self) {
            try plan {
                $0.process?.scheduler = {
                    var s = Spec.Scheduler()
                    s.policy = .iso
                    return s
                }()
            }
        }
    }

    @Test func hooksReadTheirState() throws {
        let plan = try plan {
            var hook = Spec.Hook()
            hook.path = "/bin/hook"
            $0.hooks = Spec.Hooks()
            $0.hooks?.startContainer = [hook]
            $0.annotations = ["b": "2", "a": "\"pid\":0"]
        }
        let hooks = plan.steps.compactMap { step -> HookRun? in
            if case .hook(let hook) = step.operation { hook } else { nil }
        }
        let hook = try #require(hooks.first)
        #expect(hook.arguments == ["/bin/hook"])
        let state = try State.decode(Array(hook.state.utf8))
        #expect(state.status == .created && state.id == "box" && state.pid == 0)
        // The init stage replaces the first one.
        let first = try #require(hook.state.firstRange(of: "\"pid\":0"))
        #expect(hook.state[..<first.lowerBound].contains("annotations") == false)
    }

    @Test func filterStaysLastWithSysAdmin() throws {
        let plan = try plan {
            $0.linux?.seccomp = Spec.Seccomp()
            $0.process?.capabilities = .uniform(["CAP_SYS_ADMIN"])
        }
        let filter = try #require(plan.index { if case .seccomp = $0 { true } else { false } })
        #expect(filter == plan.steps.count - 2)
    }

    @Test func execTakesTheContainersLimits() throws {
        var spec = Sample.minimal
        var limit = Spec.Rlimit()
        limit.soft = 5
        limit.hard = 6
        spec.process?.rlimits = [limit]
        spec.process?.oomScoreAdj = 7
        let plan = try Planner.planExec(
            Sample.execProcess, in: spec, options: Sample.options, host: Host())
        #expect(
            plan.steps.contains { $0.operation == .rlimit(Rlimit(resource: 7, soft: 5, hard: 6)) })
        #expect(plan.steps.contains { $0.operation == .oomScoreAdjust(7) })
        #expect(!plan.steps.contains { $0.operation == .gate })
    }

    @Test func listenFDsReachTheProgram() throws {
        var options = Sample.options
        options.listenFDs = 2
        let plan = try Planner.plan(Sample.minimal, options: options, host: Host())
        guard case .execute(let execution) = try #require(plan.steps.last).operation else {
            Issue.record("the last step must be execute")
            return
        }
        #expect(execution.listenFDs == 2)
        #expect(execution.environment.suffix(2) == ["LISTEN_FDS=2", "LISTEN_PID=1"])
    }
}

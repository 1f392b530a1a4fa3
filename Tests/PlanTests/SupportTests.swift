import OCI
import Testing

@testable import Plan

/// What `features` says is what the planner does.
@Suite("Support")
struct SupportTests {
    private func plan(_ change: (inout Spec) -> Void) throws -> Plan {
        var spec = Sample.userns
        change(&spec)
        var host = Host()
        host.hasAppArmor = true
        host.hasSELinux = true
        return try Planner.plan(spec, options: Sample.options, host: host)
    }

    @Test(arguments: Support.Function.allCases)
    func functionsArePlanned(_ function: Support.Function) throws {
        let plan = try plan { spec in
            switch function {
            case .appArmor: spec.process?.apparmorProfile = "p"
            case .seLinux: spec.process?.selinuxLabel = "l"
            case .intelRdt, .schemata, .monitoring:
                var rdt = Spec.IntelRdt()
                rdt.schemata = ["L3:0=f"]
                rdt.enableMonitoring = true
                spec.linux?.intelRdt = rdt
            case .idmap:
                spec.mounts.append(
                    Spec.Mount("/v", type: "bind", source: "/v", options: ["bind", "idmap"]))
            case .netDevices: spec.linux?.netDevices = ["d0": Spec.NetDevice()]
            }
        }
        switch function {
        case .appArmor: #expect(plan.steps.contains { $0.operation == .apparmorProfile("p") })
        case .seLinux: #expect(plan.steps.contains { $0.operation == .selinuxLabel("l") })
        case .intelRdt: #expect(plan.resctrl?.group == "box")
        case .schemata: #expect(plan.resctrl?.schemata == ["L3:0=f"])
        case .monitoring: #expect(plan.resctrl?.isMonitored == true)
        case .idmap:
            #expect(
                plan.handles.contains {
                    if case .mappedTree = $0.kind { return true }
                    return false
                })
        case .netDevices: #expect(plan.networkDevices.map(\.newName) == ["d0"])
        }
    }

    @Test func everyMountOptionIsKnown() {
        for name in Support.features().mountOptions {
            #expect(MountOptions([name]).data.isEmpty, "\(name)")
        }
    }

    @Test func everyPolicyIsPlanned() throws {
        let features = Support.features().linux?.memoryPolicy
        for mode in Spec.MemoryPolicy.Mode.allCases {
            #expect(features?.modes.contains(mode.rawValue) == true)
            let plan = try plan { spec in
                var policy = Spec.MemoryPolicy()
                policy.mode = mode
                policy.nodes = mode == .default || mode == .local ? nil : "0"
                spec.linux?.memoryPolicy = policy
            }
            #expect(
                plan.steps.contains {
                    if case .memoryPolicy(Int(mode.number), _) = $0.operation { return true }
                    return false
                }, "\(mode)")
        }
    }

    @Test func joinedNamespaceMapsIDs() throws {
        let plan = try plan { spec in
            spec.linux?.namespaces = [
                Spec.Namespace(.mount), Spec.Namespace(.user, path: "/proc/9/ns/user"),
            ]
            spec.linux?.uidMappings = []
            spec.linux?.gidMappings = []
            spec.mounts.append(
                Spec.Mount("/v", type: "bind", source: "/v", options: ["bind", "idmap"]))
        }
        var namespaces: [String?] = []
        for handle in plan.handles {
            if case .mappedTree(let tree) = handle.kind { namespaces.append(tree.namespace) }
        }
        #expect(namespaces == ["/proc/9/ns/user"])
    }

    /// A user's systemd moves the process before anything else is done.
    @Test func usersOfSystemdWaitForTheirCgroup() throws {
        var options = Sample.options
        options.systemdCgroup = true
        var spec = Sample.userns
        spec.linux?.uidMappings = Sample.mappings(1000, 1)
        spec.linux?.gidMappings = Sample.mappings(1000, 1)
        let plan = try Planner.plan(spec, options: options, host: Sample.rootless)
        #expect(plan.steps.first?.operation == .await(.cgroup))
        #expect(!(try Planner.plan(spec, options: options, host: Host())).awaits(.cgroup))
        options.systemdCgroup = false
        #expect(
            !(try Planner.plan(spec, options: options, host: Sample.rootless)).awaits(.cgroup))
    }

    @Test func initialAffinityStays() throws {
        let spec = Sample.minimal
        var process = try #require(spec.process)
        process.execCPUAffinity = Spec.ExecCPUAffinity()
        process.execCPUAffinity?.initial = "1"
        let plan = try Planner.planExec(
            process, in: spec, options: Sample.options, host: Host())
        #expect(plan.initialAffinity == "1")
        #expect(!plan.steps.contains { $0.operation == .affinity(cpus: nil) })
        process.execCPUAffinity?.final = "0"
        let other = try Planner.planExec(
            process, in: spec, options: Sample.options, host: Host())
        #expect(other.steps.contains { $0.operation == .affinity(cpus: "0") })
    }
}

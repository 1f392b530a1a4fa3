import OCI
import Testing

@testable import Plan

@Suite("Mounts")
struct MountTests {
    private func operations(
        _ mount: Spec.Mount, _ change: (inout Spec) -> Void = { _ in }, host: Host = Host()
    ) throws -> [Step] {
        var spec = Sample.minimal
        spec.mounts = [mount]
        change(&spec)
        return try Planner.plan(spec, options: Sample.options, host: host).steps.filter {
            $0.origin == "mounts[0]"
        }
    }

    private func bindsOnHost(_ spec: Spec) throws -> Bool {
        try Planner.plan(spec, options: Sample.options, host: Host()).bindsRootOnHost
    }

    @Test func everyOptionOfOCIIsKnown() {
        let oci = """
            async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand \
            noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime \
            nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime \
            remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid \
            rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid \
            rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync \
            tmpcopyup unbindable idmap ridmap
            """
        let known = Set(MountOptions.known)
        for option in oci.split(separator: " ") {
            #expect(known.contains(String(option)), "\(option)")
            let parsed = MountOptions([String(option)])
            #expect(parsed.data.isEmpty, "\(option) is no data")
        }
        #expect(known.count == MountOptions.known.count, "no option twice")
    }

    @Test func laterOptionsHold() {
        var options = MountOptions(["ro", "rw", "noatime", "relatime", "rro"])
        #expect(options.settings.attributes.set == 0)
        #expect(
            options.settings.attributes.clear
                == MountAttributes.readOnly | MountAttributes.accessTime)
        #expect(options.settings.attributes.recursiveSet == MountAttributes.readOnly)
        options = MountOptions(["rw", "ro", "size=1m", "", "sync", "async", "slave"])
        #expect(options.settings.attributes.set == MountAttributes.readOnly)
        #expect(options.settings.attributes.clear == 0)
        #expect(options.data == ["size=1m"])
        #expect(options.superblock == 0)
        #expect(options.settings.propagation == .slave)
        options = MountOptions([#"context="a:s0:c1,c2",mode=0"#])
        #expect(options.data == [#"context="a:s0:c1,c2""#, "mode=0"])
        options = MountOptions([",mode=0,,size=1,", #"lowerdir=/a\,b:/c\\,xino=off"#])
        #expect(options.data == ["mode=0", "size=1", #"lowerdir=/a\,b:/c\\"#, "xino=off"])
    }

    @Test(arguments: [
        Spec.Mount("/", type: "tmpfs", source: "t", options: []),
        Spec.Mount("/a/..", type: "tmpfs", source: "t", options: []),
        Spec.Mount("/proc", type: "tmpfs", source: "t", options: []),
        Spec.Mount("/proc", type: "bind", source: "/srv", options: ["bind"]),
        Spec.Mount("/proc/sys", type: "bind", source: "/srv", options: ["bind"]),
        Spec.Mount("/x/../proc//self/attr", type: "tmpfs", source: "t", options: []),
        Spec.Mount("/proc/cpuinfo", type: "tmpfs", source: "t", options: []),
        Spec.Mount("/b", type: "bind", source: "/srv", options: ["bind", "size=1"]),
        Spec.Mount("/b", type: "bind", source: "", options: ["bind"]),
        Spec.Mount("/b", type: "bind", source: "/srv", options: ["bind", "copy-symlink"]),
        Spec.Mount("/t", type: "", source: "t", options: []),
        Spec.Mount("/t", type: "sysfs", source: "t", options: ["tmpcopyup"]),
        Spec.Mount("/t", type: "tmpfs", source: "t", options: ["idmap=uids=0-1-1,gids=0-1-1"]),
    ])
    func refused(mount: Spec.Mount) {
        #expect(throws: ConfigError.self) { try operations(mount) }
    }

    @Test(arguments: ["/proc/cpuinfo", "/proc/net/dev", "/x/../proc/stat"])
    func lxcfsFilesCoverProc(path: String) throws {
        let mount = Spec.Mount(path, type: "bind", source: "/var/lib/lxcfs/x", options: ["bind"])
        #expect(try operations(mount).count == 1)
    }

    @Test func sourcesAreRelativeToTheBundle() throws {
        let mount = Spec.Mount("/b", type: "bind", source: "data", options: ["bind"])
        guard case .bind(let bind) = try #require(operations(mount).first).operation else {
            Issue.record("no bind")
            return
        }
        #expect(bind.source == "/bundle/data")
        #expect(bind.handle == nil)
    }

    /// What a user namespace may not mount anew is bound from the host.
    @Test(arguments: [
        ("sysfs", Spec.NamespaceType.network, "/sys"), ("proc", .pid, "/proc"),
        ("mqueue", .ipc, "/dev/mqueue"),
    ])
    func hostFallback(type: String, namespace: Spec.NamespaceType, source: String) throws {
        let mount = Spec.Mount(source, type: type, source: type, options: ["ro", "nosuid"])
        func first(removes: Bool, joins: Bool = false) throws -> Operation {
            try #require(
                try operations(mount) { spec in
                    spec.linux = Sample.userns.linux
                    if removes { spec.linux?.namespaces.removeAll { $0.type == namespace } }
                    guard joins, var linux = spec.linux else { return }
                    linux.uidMappings = []
                    linux.gidMappings = []
                    linux.namespaces.removeAll { $0.type == .user }
                    linux.namespaces.append(Spec.Namespace(.user, path: "/proc/1/ns/user"))
                    spec.linux = linux
                }.first
            ).operation
        }
        guard case .mount = try first(removes: false) else {
            Issue.record("its own namespace lets it be mounted")
            return
        }
        for joins in [false, true] {
            guard case .bind(let bind) = try first(removes: true, joins: joins) else {
                Issue.record("it must be bound")
                return
            }
            #expect(bind.source == source)
            #expect(bind.settings.how.contains(.recursive))
            #expect(bind.settings.attributes.recursiveSet & MountAttributes.readOnly != 0)
        }
    }

    @Test func hostsCgroupsAreReadOnlyForTheUnprivileged() throws {
        let mount = Spec.Mount(
            "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"])
        let steps = try operations(mount) { spec in
            spec.linux = Sample.userns.linux
            spec.linux?.namespaces.removeAll { $0.type == .cgroup }
        }
        guard case .mountCgroup(let cgroup) = try #require(steps.first).operation else {
            Issue.record("no cgroup mount")
            return
        }
        #expect(cgroup.view == .host)
        #expect(cgroup.settings.attributes.set & MountAttributes.readOnly != 0)
    }

    @Test func withoutAMountNamespaceMountsAreTheHosts() throws {
        var spec = Sample.minimal
        spec.mounts = [Spec.Mount("/t", type: "tmpfs", source: "t", options: [])]
        spec.linux?.namespaces.removeAll { $0.type == .mount }
        #expect(try bindsOnHost(spec))
        spec.mounts = []
        #expect(try !bindsOnHost(spec))
        #expect(try !bindsOnHost(Sample.minimal))
        let mount = Spec.Mount("/t", type: "tmpfs", source: "t", options: [])
        #expect(throws: ConfigError.self) {
            try operations(mount) {
                $0.linux = Sample.userns.linux
                $0.linux?.namespaces.removeAll { $0.type == .mount }
            }
        }
    }

    @Test func sourceInTheRootIsLookedUpThere() throws {
        let mount = Spec.Mount("/t", type: "bind", source: "/bundle/rootfs/./a/b", options: [])
        guard case .bind(let bind) = try #require(operations(mount).first).operation else {
            Issue.record("no bind")
            return
        }
        #expect(bind.source == "/a/b" && bind.settings.how.contains(.sourceInRoot))
    }

    @Test func boundDevIsLeftAlone() throws {
        var spec = Sample.minimal
        spec.mounts = [Spec.Mount("/dev/", type: "bind", source: "/dev", options: ["rbind"])]
        let plan = try Planner.plan(spec, options: Sample.options, host: Host())
        #expect(plan.index { if case .device = $0 { true } else { false } } == nil)
        #expect(plan.index { if case .symlink = $0 { true } else { false } } == nil)
    }

    @Test func notifySocketIsBoundReadOnly() throws {
        var options = Sample.options
        options.notifyDirectory = "/run/apus/box/notify"
        let plan = try Planner.plan(Sample.minimal, options: options, host: Host())
        #expect(plan.steps.contains { $0.origin == "NOTIFY_SOCKET" })
        guard case .execute(let execution) = try #require(plan.steps.last).operation else {
            Issue.record("the last step must be execute")
            return
        }
        #expect(execution.environment.contains("NOTIFY_SOCKET=/run/notify/notify.sock"))
    }
}

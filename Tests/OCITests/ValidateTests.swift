import JSON
import Testing

@testable import OCI

/// The error of a configuration made of a valid one, changed by some lines of JSON.
private func refusal(process: String = "", linux: String = "", whole: String = "") -> String? {
    let text = """
        {"ociVersion":"1.2.0","root":{"path":"rootfs"}\(whole.isEmpty ? "" : "," + whole),
        "process":{"args":["sh"],"cwd":"/"\(process.isEmpty ? "" : "," + process)},
        "linux":{"x":0\(linux.isEmpty ? "" : "," + linux)}}
        """
    do throws(ConfigError) {
        try Spec.decode(Array(text.utf8)).validate()
        return nil
    } catch { return error.path + ": " + error.message }
}

@Suite("Validation") struct ValidateTests {
    @Test("The valid one") func valid() { #expect(refusal() == nil) }

    @Test(
        "Versions",
        arguments: [
            ("1.0.0", true), ("1.3.0", true), ("1.2.1-dev", true), ("1.1.0+dev", true),
            ("1.0.0-rc5", true), ("2.0.0", false), ("0.9.0", false), ("1.0", false), ("", false),
            ("1.0.0.0", false), ("v1.0.0", false), ("1..0", false), ("10.0.0", false),
        ])
    func versions(_ version: String, _ isGood: Bool) { #expect(isVersionOne(version) == isGood) }

    @Test(
        "Processes",
        arguments: [
            (#""env":["A"]"#, "process.env[0]"), (#""env":["B=1","=x"]"#, "process.env[1]"),
            (#""user":{"uid":4294967295,"gid":0}"#, "process.user.uid"),
            (
                #""user":{"uid":0,"gid":0,"additionalGids":[4294967295]}"#,
                "process.user.additionalGids[0]"
            ),
            (#""user":{"uid":0,"gid":0,"umask":512}"#, "process.user.umask"),
            (#""rlimits":[{"type":"RLIMIT_CORE","hard":1,"soft":2}]"#, "process.rlimits[0].soft"),
            (
                #""rlimits":[{"type":"RLIMIT_AS","hard":1,"soft":1},{"type":"RLIMIT_AS","hard":1,"soft":1}]"#,
                "process.rlimits[1].type"
            ),
            (#""oomScoreAdj":1001"#, "process.oomScoreAdj"),
            (#""scheduler":{"policy":"SCHED_FIFO"}"#, "process.scheduler.priority"),
            (#""scheduler":{"policy":"SCHED_OTHER","priority":1}"#, "process.scheduler.priority"),
            (#""scheduler":{"policy":"SCHED_BATCH","nice":20}"#, "process.scheduler.nice"),
            (#""scheduler":{"policy":"SCHED_OTHER","runtime":1}"#, "process.scheduler"),
            (
                #""scheduler":{"policy":"SCHED_DEADLINE","runtime":3,"deadline":2}"#,
                "process.scheduler"
            ),
            (
                #""ioPriority":{"class":"IOPRIO_CLASS_BE","priority":8}"#,
                "process.ioPriority.priority"
            ),
            (#""execCPUAffinity":{"initial":"3-1"}"#, "process.execCPUAffinity.initial"),
            (#""execCPUAffinity":{"final":"a"}"#, "process.execCPUAffinity.final"),
            (#""terminal":true,"consoleSize":{"height":70000,"width":1}"#, "process.consoleSize"),
        ])
    func processes(_ change: String, _ path: String) {
        #expect(refusal(process: change)?.hasPrefix(path + ": ") == true)
    }

    @Test(
        "The whole",
        arguments: [
            (#""hostname":"h""#, "hostname"), (#""domainname":"d""#, "domainname"),
            (#""vm":{"kernel":{"path":"/k"}}"#, "vm"), (#""annotations":{"":"x"}"#, "annotations"),
            (#""hooks":{"prestart":[{"path":"h"}]}"#, "hooks.prestart[0].path"),
            (#""hooks":{"poststop":[{"path":"/h","timeout":0}]}"#, "hooks.poststop[0].timeout"),
            (#""mounts":[{"destination":""}]"#, "mounts[0].destination"),
            (#""mounts":[{"destination":"/a","options":["idmap"]}]"#, "mounts[0].options"),
            (
                #""mounts":[{"destination":"/a","uidMappings":[{"containerID":0,"hostID":1,"size":1}]}]"#,
                "mounts[0]"
            ),
        ])
    func whole(_ change: String, _ path: String) {
        #expect(refusal(whole: change)?.hasPrefix(path + ": ") == true)
    }

    @Test(
        "Linux",
        arguments: [
            (#""namespaces":[{"type":"pid"},{"type":"pid"}]"#, "linux.namespaces[1].type"),
            (#""namespaces":[{"type":"pid","path":"x"}]"#, "linux.namespaces[0].path"),
            (
                #""namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1,"size":1}]"#,
                "linux"
            ),
            (#""uidMappings":[{"containerID":0,"hostID":1,"size":1}]"#, "linux.uidMappings"),
            (#""timeOffsets":{"boottime":{"secs":1}}"#, "linux.timeOffsets"),
            (
                #""namespaces":[{"type":"time","path":"/t"}],"timeOffsets":{"boottime":{"secs":1}}"#,
                "linux.timeOffsets"
            ),
            (
                #""devices":[{"type":"a","path":"/dev/x","major":1,"minor":1}]"#,
                "linux.devices[0].type"
            ),
            (
                #""devices":[{"type":"c","path":"dev/x","major":1,"minor":1}]"#,
                "linux.devices[0].path"
            ),
            (#""devices":[{"type":"c","path":"/dev/x","major":1}]"#, "linux.devices[0].minor"),
            (#""netDevices":{"eth0":{}}"#, "linux.netDevices"),
            (
                #""namespaces":[{"type":"network"}],"netDevices":{"a/b":{}}"#,
                "linux.netDevices.a/b"
            ),
            (#""cgroupsPath":"/a/../b""#, "linux.cgroupsPath"),
            (#""maskedPaths":["proc"]"#, "linux.maskedPaths[0]"),
            (#""readonlyPaths":["/a","b"]"#, "linux.readonlyPaths[1]"),
            (#""personality":{"domain":"LINUX","flags":["x"]}"#, "linux.personality.flags"),
            (#""intelRdt":{"closID":"a/b"}"#, "linux.intelRdt.closID"),
            (#""intelRdt":{"memBwSchema":"L3:0=f"}"#, "linux.intelRdt.memBwSchema"),
            (#""memoryPolicy":{"mode":"MPOL_BIND"}"#, "linux.memoryPolicy.nodes"),
            (#""memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"}"#, "linux.memoryPolicy.nodes"),
        ])
    func linux(_ change: String, _ path: String) {
        #expect(refusal(linux: change)?.hasPrefix(path + ": ") == true)
    }

    @Test(
        "Resources",
        arguments: [
            (#""memory":{"kernel":1}"#, "memory.kernel"),
            (#""memory":{"swappiness":0}"#, "memory.swappiness"),
            (#""memory":{"disableOOMKiller":true}"#, "memory.disableOOMKiller"),
            (#""memory":{"swap":5}"#, "memory.swap"),
            (#""memory":{"limit":6,"swap":5}"#, "memory.swap"),
            (#""memory":{"limit":-2}"#, "memory.limit"),
            (#""cpu":{"realtimePeriod":1}"#, "cpu.realtimePeriod"),
            (#""cpu":{"quota":999}"#, "cpu.quota"), (#""cpu":{"period":1}"#, "cpu.period"),
            (#""cpu":{"quota":1000,"burst":1001}"#, "cpu.burst"),
            (#""cpu":{"idle":2}"#, "cpu.idle"), (#""cpu":{"cpus":"0-"}"#, "cpu.cpus"),
            (#""pids":{"limit":-2}"#, "pids.limit"),
            (#""blockIO":{"weight":5}"#, "blockIO.weight"),
            (#""blockIO":{"leafWeight":50}"#, "blockIO.leafWeight"),
            (#""hugepageLimits":[{"pageSize":"2M","limit":0}]"#, "hugepageLimits[0].pageSize"),
            (#""network":{"classID":1}"#, "network.classID"),
            (#""unified":{"../x":"1"}"#, "unified.../x"), (#""rdma":{"a b":{}}"#, "rdma.a b"),
            (#""rdma":{"a":{}}"#, "rdma.a"),
            (#""memory":{"useHierarchy":false}"#, "memory.useHierarchy"),
            (#""blockIO":{"weightDevice":[{"major":8,"minor":0}]}"#, "blockIO.weightDevice[0]"),
            (#""devices":[{"allow":true,"access":"rx"}]"#, "devices[0].access"),
            (#""devices":[{"allow":true,"type":"p"}]"#, "devices[0].type"),
        ])
    func resources(_ change: String, _ path: String) {
        let found = refusal(linux: #""resources":{\#(change)}"#)
        #expect(found?.hasPrefix("linux.resources." + path + ": ") == true)
    }

    @Test(
        "What stays allowed",
        arguments: [
            #""memory":{"limit":5,"swap":-1}"#, #""memory":{"limit":5,"swap":5}"#,
            #""memory":{"kernel":0,"disableOOMKiller":false}"#, #""pids":{"limit":0}"#,
            #""cpu":{"quota":-1,"period":0,"cpus":"0-3, 7"}"#, #""blockIO":{"weight":0}"#,
            #""devices":[{"allow":false,"access":""},{"allow":true,"type":"b","major":-1}]"#,
        ])
    func allowed(_ change: String) {
        #expect(refusal(linux: #""resources":{\#(change)}"#) == nil)
    }

    @Test(
        "Sysctls",
        arguments: [
            ("kernel.msgmax", "ipc"), ("kernel/sem", "ipc"), ("fs.mqueue.msg_max", "ipc"),
            ("net.ipv4.ip_forward", "network"), ("net/ipv4/conf/eth0.1/forwarding", "network"),
            ("kernel.domainname", "uts"), ("user.max_net_namespaces", "user"),
        ])
    func sysctls(_ key: String, _ type: String) {
        let mapping = #"[{"containerID":0,"hostID":1,"size":1}]"#
        let maps =
            type == "user" ? #","uidMappings":\#(mapping),"gidMappings":\#(mapping)"# : ""
        let set = #""sysctl":{"\#(key)":"1"}"#
        #expect(refusal(linux: set)?.contains("needs a namespace of type \(type)") == true)
        #expect(refusal(linux: set + #","namespaces":[{"type":"\#(type)"}]\#(maps)"#) == nil)
    }

    @Test("A sysctl does not contradict the domain name")
    func domainname() {
        let linux = #""sysctl":{"kernel.domainname":"a"},"namespaces":[{"type":"uts"}]"#
        #expect(
            refusal(linux: linux, whole: #""domainname":"b""#)?.contains("contradicts") == true)
        #expect(refusal(linux: linux, whole: #""domainname":"a""#) == nil)
    }

    @Test(
        "Sysctls of the host",
        arguments: [
            "kernel.core_pattern", "kernel.shmmax+x=", "net/../kernel/core_pattern", "net..x",
            "kernel.hostname", "vm.swappiness", "net", "", "../x", "kernel.msgmax.x", "/net/x",
        ])
    func hostSysctls(_ key: String) {
        let all = #""namespaces":[{"type":"ipc"},{"type":"network"},{"type":"uts"}]"#
        #expect(refusal(linux: #""sysctl":{"\#(key)":"1"},"# + all) != nil)
    }

    @Test(
        "Seccomp",
        arguments: [
            (#""defaultAction":"SCMP_ACT_NOTIFY""#, "defaultAction"),
            (#""defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1"#, "defaultErrnoRet"),
            (#""defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4096"#, "defaultErrnoRet"),
            (#""defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x""#, "listenerMetadata"),
            (
                #""defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL","errnoRet":1}]"#,
                "syscalls[0].errnoRet"
            ),
            (
                #""defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_KILL"}]"#,
                "syscalls[0].names"
            ),
            (
                #""defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]"#,
                "syscalls[0].action"
            ),
            (
                #""defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","syscalls":[{"names":["write"],"action":"SCMP_ACT_NOTIFY"}]"#,
                "syscalls[0].action"
            ),
            (
                #""defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]"#,
                "syscalls[0].args[0].index"
            ),
        ])
    func seccomp(_ change: String, _ path: String) {
        let found = refusal(linux: #""seccomp":{\#(change)}"#)
        #expect(found?.hasPrefix("linux.seccomp." + path + ": ") == true)
    }

    @Test("A joined user namespace with podman's mapping is a warning") func joined() throws {
        let mapping = #"[{"containerID":0,"hostID":0,"size":1}]"#
        let text =
            #"{"ociVersion":"1.0.0","root":{"path":"r"},"linux":{"namespaces":[{"type":"user","#
            + #""path":"/u"}],"uidMappings":\#(mapping),"gidMappings":\#(mapping)}}"#
        let spec = try Spec.decode(Array(text.utf8))
        try spec.validate()
        #expect(spec.warnings.map(\.path) == ["linux.uidMappings"])
    }

    @Test("The default configurations are valid and readable") func defaults() throws {
        for spec in [
            Spec.example(), Spec.rootlessExample(uid: 1000, gid: 1000),
            Spec.shell(root: "/r", args: ["sh"]),
        ] {
            try spec.validate()
            #expect(spec.warnings.isEmpty)
            #expect(try Spec.decode(spec.json(indented: true)) == spec)
        }
        #expect(Spec.example().mounts.count == 7)
    }

    @Test("Tables parse what they print") func tables() {
        #expect(Capability.names.count == 41)
        for (number, name) in Capability.names.enumerated() {
            #expect(Capability.number(of: name.description) == number)
        }
        #expect(Capability.mask(of: ["CAP_CHOWN", "CAP_BPF", "x"]) == 1 | 1 << 39)
        for (number, name) in Spec.RlimitType.names.enumerated() {
            #expect(Spec.RlimitType(name.description)?.number == number)
        }
        #expect(Spec.NamespaceType.table.count == Spec.NamespaceType.allCases.count)
        for type in Spec.NamespaceType.allCases { #expect(Spec.NamespaceType(type.name) == type) }
        #expect(Spec.NamespaceType.network.file == "net")
    }
}

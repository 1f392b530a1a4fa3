import OCI
import Testing

@testable import Plan

/// Configurations like those of the engines, shortened to what shapes a plan.
enum Sample {
    static let options: PlanOptions = {
        var options = PlanOptions()
        options.id = "box"
        options.bundle = "/bundle"
        return options
    }()

    static let rootless: Host = {
        var host = Host()
        host.uid = 1000
        host.gid = 1000
        host.capabilities = CapabilityMask()
        return host
    }()

    static func spec(_ json: String) throws -> Spec {
        try Spec.decode(Array(json.utf8))
    }

    /// The least that is a container, for tests that change one thing.
    static var minimal: Spec {
        var spec = Spec()
        spec.ociVersion = "1.3.0"
        spec.root = Spec.Root()
        spec.root?.path = "rootfs"
        var process = Spec.Process()
        process.args = ["/bin/true"]
        process.cwd = "/"
        process.env = ["PATH=/bin", "HOME=/"]
        spec.process = process
        var linux = Spec.Linux()
        linux.namespaces = [.mount, .pid, .network, .ipc, .uts, .cgroup].map {
            Spec.Namespace($0)
        }
        spec.linux = linux
        return spec
    }

    static func mappings(_ host: UInt32, _ size: UInt32) -> [Spec.IDMapping] {
        [Spec.IDMapping(containerID: 0, hostID: host, size: size)]
    }

    static var userns: Spec {
        var spec = minimal
        spec.linux?.namespaces.append(Spec.Namespace(.user))
        spec.linux?.uidMappings = mappings(100000, 65536)
        spec.linux?.gidMappings = mappings(100000, 65536)
        return spec
    }

    static let podman = """
        {"ociVersion":"1.2.0","root":{"path":"/merged"},"hostname":"box",
        "process":{"terminal":true,"user":{"uid":1,"gid":1,"umask":18,"additionalGids":[1,5]},
        "args":["sh","-c","true"],"env":["PATH=/usr/bin:/bin","container=podman"],"cwd":"/w",
        "capabilities":{"bounding":["CAP_CHOWN","CAP_KILL"],"effective":["CAP_CHOWN","CAP_KILL"],
        "permitted":["CAP_CHOWN","CAP_KILL"]},
        "rlimits":[{"type":"RLIMIT_NOFILE","hard":1048576,"soft":1048576}],
        "apparmorProfile":"containers-default"},
        "mounts":[
        {"destination":"/proc","type":"proc","source":"proc","options":["nosuid","noexec","nodev"]},
        {"destination":"/dev","type":"tmpfs","source":"tmpfs",
        "options":["nosuid","strictatime","mode=755","size=65536k"]},
        {"destination":"/sys","type":"sysfs","source":"sysfs",
        "options":["nosuid","noexec","nodev","ro"]},
        {"destination":"/dev/pts","type":"devpts","source":"devpts",
        "options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]},
        {"destination":"/run","type":"tmpfs","source":"tmpfs",
        "options":["rw","rprivate","nosuid","nodev","tmpcopyup",""]},
        {"destination":"/etc/hosts","type":"bind","source":"/run/hosts",
        "options":["bind","rprivate","ro"]},
        {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup",
        "options":["rprivate","nosuid","noexec","nodev","relatime","rw"]}],
        "annotations":{"org.systemd.property.KillSignal":"15"},
        "linux":{"sysctl":{"net.ipv4.ping_group_range":"0 0","kernel.msgmax":"65536"},
        "resources":{"devices":[{"allow":false,"access":"rwm"}],
        "memory":{"limit":67108864,"swap":134217728},
        "cpu":{"quota":50000,"period":100000,"cpus":"0"},"pids":{"limit":50}},
        "cgroupsPath":"machine.slice:libpod:box",
        "namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/box"},{"type":"ipc"},
        {"type":"uts"},{"type":"mount"},{"type":"cgroup"}],
        "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]},
        "maskedPaths":["/proc/acpi"],"readonlyPaths":["/proc/sys"]}}
        """

    static let docker = """
        {"ociVersion":"1.2.0","root":{"path":"/rootfs","readonly":true},"hostname":"box",
        "process":{"user":{"uid":0,"gid":0},"args":["/bin/sh"],
        "env":["PATH=/bin","HOME=/root"],"cwd":"/","oomScoreAdj":0,"noNewPrivileges":true,
        "capabilities":{"bounding":["CAP_CHOWN"],"effective":["CAP_CHOWN"],
        "permitted":["CAP_CHOWN"]},"apparmorProfile":"docker-default"},
        "mounts":[
        {"destination":"/proc","type":"proc","source":"proc","options":["nosuid","noexec","nodev"]},
        {"destination":"/dev","type":"tmpfs","source":"tmpfs",
        "options":["nosuid","strictatime","mode=755","size=65536k"]},
        {"destination":"/etc/hosts","type":"bind","source":"/var/hosts",
        "options":["rbind","rro","rprivate"]}],
        "hooks":{"prestart":[{"path":"/proc/1/exe","args":["libnetwork-setkey","-root"]}],
        "createContainer":[{"path":"/bin/cc"}],"startContainer":[{"path":"/bin/sc"}],
        "poststop":[{"path":"/bin/ps","timeout":5}]},
        "linux":{"cgroupsPath":"system.slice:docker:box",
        "namespaces":[{"type":"mount"},{"type":"network"},{"type":"uts"},{"type":"pid"},
        {"type":"ipc"},{"type":"cgroup"},{"type":"time"}],
        "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]},
        "maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/bus"],
        "timeOffsets":{"monotonic":{"secs":5}},
        "resources":{"devices":[{"allow":false,"access":"rwm"},
        {"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],"blockIO":{"weight":500}}}}
        """

    static let lsmHost: Host = {
        var host = Host()
        host.hasAppArmor = true
        return host
    }()

    /// Every sample, planned.
    static func plans() throws -> [(name: String, plan: Plan)] {
        let busybox = Spec.example()
        var lean = options
        lean.noNewKeyring = true
        lean.listenFDs = 2
        let podman = try spec(podman)
        var systemd = options
        systemd.systemdCgroup = true
        return [
            ("busybox", try Planner.plan(busybox, options: options, host: Host())),
            (
                "rootless",
                try Planner.plan(
                    Spec.rootlessExample(uid: 1000, gid: 1000), options: lean, host: rootless)
            ),
            ("podman", try Planner.plan(podman, options: systemd, host: lsmHost)),
            ("docker", try Planner.plan(try spec(docker), options: options, host: lsmHost)),
            ("userns", try Planner.plan(usernsFull, options: options, host: Host())),
            (
                "exec",
                try Planner.planExec(
                    execProcess, in: podman, options: options, host: lsmHost)
            ),
        ]
    }

    static var usernsFull: Spec {
        var spec = userns
        spec.mounts = Spec.standardMounts
        spec.mounts.append(
            Spec.Mount("/v", type: "bind", source: "data", options: ["rbind", "ridmap"]))
        spec.mounts.append(Spec.Mount("/w", type: "bind", source: "/w", options: ["bind", "ro"]))
        spec.process?.oomScoreAdj = -500
        return spec
    }

    static var execProcess: Spec.Process {
        var process = Spec.Process()
        process.args = ["ps"]
        process.env = ["A=1", "A=2"]
        process.cwd = "/"
        return process
    }
}

extension Plan {
    /// Where the first step of a kind is; nil when there is none.
    func index(_ matches: (Operation) -> Bool) -> Int? {
        steps.firstIndex { matches($0.operation) }
    }

    func lastIndex(_ matches: (Operation) -> Bool) -> Int? {
        steps.lastIndex { matches($0.operation) }
    }
}

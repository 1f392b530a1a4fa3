import OCI
import Testing

@testable import Options

@Suite("Shell")
struct ShellTests {
    /// The configuration of a command line of `shell`.
    private func spec(_ line: String, _ host: ShellHost = ShellHost()) throws -> Spec {
        let words = ["shell", "dir"] + line.split(separator: " ").map { String($0) }
        return ShellSpec.make(try ShellRequest(try Parser.parse(words)), host)
    }

    @Test("without options: six namespaces, the default capabilities, a shell")
    func plain() throws {
        var host = ShellHost()
        host.root = "/images/busybox"
        host.hostname = "busybox"
        let spec = try spec("", host)
        #expect(spec.root?.path == "/images/busybox")
        #expect(spec.root?.readonly == false)
        #expect(spec.hostname == "busybox")
        let namespaces = try #require(spec.linux).namespaces.map(\.type)
        #expect(Set(namespaces) == [.pid, .mount, .uts, .ipc, .cgroup, .network])
        let process = try #require(spec.process)
        #expect(process.args == ["/bin/sh"])
        #expect(process.cwd == "/root")
        #expect(!process.terminal)
        #expect(process.capabilities?.bounding == Spec.Capabilities.ordinary)
        #expect(process.capabilities?.effective == Spec.Capabilities.ordinary)
        #expect(process.capabilities?.ambient == [])
        let linux = try #require(spec.linux)
        #expect(!linux.maskedPaths.isEmpty)
        #expect(!linux.readonlyPaths.isEmpty)
        #expect(linux.resources?.memory == nil)
        #expect(linux.uidMappings.isEmpty)
    }

    @Test("limits")
    func limits() throws {
        let spec = try spec("--memory 256M --cpus 0.5 --pids 100")
        let resources = try #require(spec.linux?.resources)
        #expect(resources.memory?.limit == 268_435_456)
        #expect(resources.cpu?.quota == 50_000)
        #expect(resources.cpu?.period == 100_000)
        #expect(resources.pids?.limit == 100)
    }

    @Test("a command, its directory and its environment")
    func command() throws {
        var host = ShellHost()
        host.hasTerminal = true
        host.term = "vt100"
        host.user = UserDatabase.User(uid: 1000, gid: 100, home: "/home/u", groups: [5])
        let spec = try spec("--env A=1 --env B=2 -- ls -l --memory", host)
        let process = try #require(spec.process)
        #expect(process.args == ["ls", "-l", "--memory"])
        #expect(process.cwd == "/")
        #expect(process.terminal)
        #expect(process.env.contains("TERM=vt100"))
        #expect(process.env.contains("HOME=/home/u"))
        #expect(process.env.suffix(2) == ["A=1", "B=2"])
        #expect(process.user.uid == 1000)
        #expect(process.user.gid == 100)
        #expect(process.user.additionalGids == [5])
        #expect(process.capabilities?.effective == [])
        #expect(process.capabilities?.bounding == Spec.Capabilities.ordinary)
        #expect(try self.spec("--workdir /src ls", host).process?.cwd == "/src")
    }

    @Test(
        "capabilities",
        arguments: [
            ("--cap-drop ALL", []),
            ("--cap-drop ALL --cap-add net_raw", ["CAP_NET_RAW"]),
            ("--cap-add SYS_PTRACE", Spec.Capabilities.ordinary + ["CAP_SYS_PTRACE"]),
            ("--cap-drop CAP_MKNOD", Spec.Capabilities.ordinary.filter { $0 != "CAP_MKNOD" }),
            ("--cap-add CHOWN", Spec.Capabilities.ordinary),
        ])
    func capabilities(line: String, expected: [String]) throws {
        let capabilities = try spec(line).process?.capabilities
        #expect(capabilities?.bounding == expected)
        #expect(capabilities?.effective == expected)
        #expect(capabilities?.permitted == expected)
    }

    @Test("another user has the capabilities that were added by name")
    func ambient() throws {
        var host = ShellHost()
        host.user.uid = 1000
        let sets = try spec("--cap-add NET_RAW", host).process?.capabilities
        #expect(sets?.effective == ["CAP_NET_RAW"])
        #expect(sets?.ambient == ["CAP_NET_RAW"])
    }

    @Test("every capability")
    func all() throws {
        let bounding = try spec("--cap-add ALL --cap-drop SYS_BOOT").process?.capabilities?.bounding
        #expect(bounding?.count == Capability.names.count - 1)
        #expect(bounding?.contains("CAP_SYS_BOOT") == false)
    }

    @Test("mounts")
    func mounts() throws {
        let spec = try spec("--bind /a:/b --bind /c:/d:ro --tmpfs /t --tmpfs /u:size=1m,mode=700")
        let added = spec.mounts.suffix(4)
        #expect(added.map(\.destination) == ["/t", "/u", "/b", "/d"])
        #expect(added.map(\.type) == ["tmpfs", "tmpfs", "none", "none"])
        #expect(added.first { $0.destination == "/b" }?.options == ["rbind", "rprivate"])
        #expect(added.first { $0.destination == "/d" }?.options == ["rbind", "rprivate", "rro"])
        #expect(
            added.first { $0.destination == "/u" }?.options
                == ["nosuid", "nodev", "size=1m", "mode=700"])
        #expect(try self.spec("--read-only").root?.readonly == true)
    }

    @Test("network")
    func network() throws {
        var host = ShellHost()
        host.sharesResolver = true
        let spec = try spec("--net host", host)
        #expect(try #require(spec.linux).namespaces.allSatisfy { $0.type != .network })
        #expect(spec.mounts.last?.destination == "/etc/resolv.conf")
        host.ownership = ShellHost.Ownership(uid: 1000, gid: 1000, uids: [], gids: [])
        let sys = try self.spec("--net host", host).mounts.filter { $0.destination == "/sys" }
        #expect(sys.count == 1)
        #expect(sys.first?.options.contains("rbind") == true)
    }

    @Test("an ordinary user")
    func rootless() throws {
        var host = ShellHost()
        host.ownership = ShellHost.Ownership(
            uid: 1000, gid: 100, uids: [IDRange(first: 100_000, count: 65536)],
            gids: [IDRange(first: 200_000, count: 10), IDRange(first: 300_000, count: 5)])
        let linux = try #require(try spec("", host).linux)
        #expect(linux.namespaces.contains { $0.type == .user })
        #expect(
            linux.uidMappings == [
                Spec.IDMapping(containerID: 0, hostID: 1000, size: 1),
                Spec.IDMapping(containerID: 1, hostID: 100_000, size: 65536),
            ])
        #expect(
            linux.gidMappings == [
                Spec.IDMapping(containerID: 0, hostID: 100, size: 1),
                Spec.IDMapping(containerID: 1, hostID: 200_000, size: 10),
                Spec.IDMapping(containerID: 11, hostID: 300_000, size: 5),
            ])
        // No limit was asked for, so that none can be missing.
        #expect(linux.resources == nil)
        let ranges = [IDRange(first: 100_000, count: 10)]
        #expect(ShellSpec.isMapped(0, own: 7, ranges: []))
        #expect(!ShellSpec.isMapped(1, own: 7, ranges: []))
        #expect(ShellSpec.isMapped(10, own: 7, ranges: ranges))
        #expect(!ShellSpec.isMapped(11, own: 7, ranges: ranges))
    }

    @Test(
        "refuses",
        arguments: [
            "--memory x", "--cpus 0", "--pids 0", "--pids x", "--net bridge", "--bind /a",
            "--bind /a:b", "--bind :/b", "--bind /a:/b:rx", "--bind /a:/b:ro:x", "--tmpfs x",
            "--cap-add BOGUS", "--cap-drop BOGUS", "--workdir x",
        ])
    func refuses(line: String) {
        #expect(throws: UsageError.self) { try spec(line) }
    }
}

@Suite("User database")
struct UserDatabaseTests {
    static let database = UserDatabase(
        passwd: Array(
            """
            root:x:0:0:root:/root:/bin/bash
            broken:line
            huge:x:99999999999:0::/:/bin/sh
            u:x:1000:100:U,,,:/home/u:/bin/zsh
            nohome:x:7:7:::/bin/false
            """.utf8),
        group: Array("root:x:0:\nusers:x:100:\naudio:x:29:u,x\nvideo:x:44:x\ndial:x:20:u\n".utf8))

    @Test(
        "find",
        arguments: [
            ("root", 0, 0, "/root", []), ("0", 0, 0, "/root", []),
            ("u", 1000, 100, "/home/u", [29, 20]),
            ("1000", 1000, 100, "/home/u", [29, 20]), ("u:audio", 1000, 29, "/home/u", []),
            ("u:5", 1000, 5, "/home/u", []), ("5", 5, 0, "/", []), ("5:6", 5, 6, "/", []),
            ("nohome", 7, 7, "/", []),
        ] as [(String, UInt32, UInt32, String, [UInt32])])
    func find(text: String, uid: UInt32, gid: UInt32, home: String, groups: [UInt32]) throws {
        let user = try #require(Self.database.find(text))
        #expect(user.uid == uid)
        #expect(user.gid == gid)
        #expect(user.home == home)
        #expect(user.groups == groups)
    }

    @Test("is not known", arguments: ["nobody", "huge", "broken", "", ":", "u:bogus", "-1", "u:"])
    func unknown(text: String) {
        #expect(Self.database.find(text) == nil)
    }
}

@Suite("Update")
struct UpdateTests {
    private func resources(_ line: String) throws -> Spec.Resources {
        let words = ["update"] + line.split(separator: " ").map { String($0) } + ["web"]
        return try UpdateResources.resources(from: try Parser.parse(words))
    }

    @Test("only what is named is set")
    func named() throws {
        #expect(try resources("") == Spec.Resources())
        let memory = try resources("--memory 1G --memory-swap -1")
        #expect(memory.memory?.limit == 1 << 30)
        #expect(memory.memory?.swap == -1)
        #expect(memory.memory?.reservation == nil)
        #expect(memory.cpu == nil)
        let cpu = try resources(
            "--cpu-quota 5000 --cpu-period 10000 --cpuset-cpus 0-1 --cpu-idle 1")
        #expect(cpu.cpu?.quota == 5000)
        #expect(cpu.cpu?.period == 10000)
        #expect(cpu.cpu?.cpus == "0-1")
        #expect(cpu.cpu?.idle == 1)
        #expect(cpu.memory == nil)
        #expect(try resources("--pids-limit -1").pids?.limit == -1)
        #expect(try resources("--blkio-weight 500").blockIO?.weight == 500)
        #expect(try resources("--cpuset-cpus= --memory=") == Spec.Resources())
    }

    @Test(
        "refuses", arguments: ["--memory x", "--cpu-share -1", "--pids-limit x", "--cpu-quota 1.5"])
    func refuses(line: String) {
        #expect(throws: UsageError.self) { try resources(line) }
    }
}

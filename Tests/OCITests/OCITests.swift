import Foundation
import JSON
import Testing

@testable import OCI

private func spec(_ text: String) throws(ConfigError) -> Spec {
    try Spec.decode(Array(text.utf8))
}

private func refusal(_ text: String) -> String? {
    do throws(ConfigError) {
        _ = try spec(text)
        return nil
    } catch { return error.description }
}

/// A whole configuration, so that tests can change one thing of it.
private let whole = """
    {
      "ociVersion": "1.3.0",
      "process": {
        "terminal": true, "consoleSize": {"height": 25, "width": 80},
        "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [5, 6]},
        "args": ["sh"], "env": ["PATH=/bin"], "cwd": "/",
        "capabilities": {"bounding": ["CAP_KILL", "CAP_BOGUS"], "ambient": []},
        "rlimits": [{"type": "RLIMIT_CORE", "hard": 18446744073709551615, "soft": 0}],
        "noNewPrivileges": true, "apparmorProfile": "p", "oomScoreAdj": -5,
        "scheduler": {"policy": "SCHED_DEADLINE", "nice": 0, "priority": 0,
          "flags": ["SCHED_FLAG_RECLAIM"], "runtime": 1, "deadline": 2, "period": 3},
        "selinuxLabel": "l", "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 0},
        "execCPUAffinity": {"initial": "0-1,3", "final": "2"}
      },
      "root": {"path": "rootfs", "readonly": true},
      "hostname": "h", "domainname": "d",
      "mounts": [{"destination": "/a", "type": "none", "source": "/b",
        "options": ["rbind", "idmap"],
        "uidMappings": [{"containerID": 0, "hostID": 7, "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": 8, "size": 1}]}],
      "hooks": {"prestart": [{"path": "/h", "args": ["h"], "env": ["A=b"], "timeout": 5}]},
      "annotations": {"b": "2", "a": "1"},
      "unknown": {"deep": [1, 2.5, null]},
      "linux": {
        "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
        "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
        "sysctl": {"net.core.somaxconn": "256"},
        "resources": {
          "devices": [{"allow": false, "access": "rwm"}],
          "memory": {"limit": 10, "reservation": 5, "swap": 20, "checkBeforeUpdate": true},
          "cpu": {"shares": 1024, "quota": 5000, "period": 10000, "cpus": "0", "idle": 0},
          "pids": {"limit": -1},
          "blockIO": {"weight": 10, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}]},
          "hugepageLimits": [{"pageSize": "2MB", "limit": 0}],
          "rdma": {"mlx5_1": {"hcaHandles": 3}},
          "unified": {"memory.high": "max"}
        },
        "cgroupsPath": "a/b",
        "namespaces": [{"type": "user"}, {"type": "mount"}, {"type": "uts"},
          {"type": "network", "path": "/run/n"}, {"type": "time"}],
        "devices": [{"type": "c", "path": "/dev/x", "major": 1, "minor": 2, "fileMode": 438}],
        "netDevices": {"eth1": {"name": "e"}},
        "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
          "architectures": ["SCMP_ARCH_X86_64"], "flags": [],
          "listenerPath": "/s", "listenerMetadata": "m",
          "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]},
        "rootfsPropagation": "slave",
        "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "mountLabel": "x",
        "intelRdt": {"closID": "c", "schemata": ["L3:0=f"], "enableMonitoring": true},
        "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
        "personality": {"domain": "LINUX32"},
        "timeOffsets": {"monotonic": {"secs": -1, "nanosecs": 5}, "boottime": {"secs": 9}}
      }
    }
    """

@Suite("Reading configurations") struct DecodeTests {
    @Test("Every property is read, written, and read the same") func roundTrip() throws {
        let first = try spec(whole)
        for isIndented in [true, false] {
            #expect(try Spec.decode(first.json(indented: isIndented)) == first)
        }
        var expected = try #require(
            try JSONSerialization.jsonObject(with: Data(whole.utf8)) as? [String: Any])
        let after = try #require(
            try JSONSerialization.jsonObject(with: Data(first.json())) as? [String: Any])
        expected["unknown"] = nil
        // An empty set is what its absence means.
        #expect(
            differences(expected, after, "") == [".process.capabilities.ambient"])
        #expect(first.process?.rlimits.first?.hard == .max)
        #expect(first.linux?.timeOffsets?.monotonic?.secs == -1)
        #expect(first.linux?.resources?.unified == ["memory.high": "max"])
        #expect(
            first.warnings.map(\.description)
                == ["process.capabilities.bounding[1]: unknown capability CAP_BOGUS"])
        try first.validate()
    }

    /// The paths of what one object has and the other has not, or has otherwise.
    private func differences(_ one: Any, _ other: Any, _ path: String) -> [String] {
        if let one = one as? [String: Any], let other = other as? [String: Any] {
            return one.keys.sorted().flatMap { key in
                guard let left = one[key], let right = other[key] else { return [path + "." + key] }
                return differences(left, right, path + "." + key)
            }
        }
        if let one = one as? [Any], let other = other as? [Any], one.count == other.count {
            return zip(one, other).enumerated().flatMap {
                differences($1.0, $1.1, path + "[\($0)]")
            }
        }
        return (one as? NSObject) == (other as? NSObject) ? [] : [path]
    }

    @Test(
        "Errors name the place and what was found",
        arguments: [
            (
                #"{"ociVersion":"1.0.0","mounts":[{"destination":"/"},{"destination":5}]}"#,
                "mounts[1].destination: expected a string, found a number"
            ),
            (#"{"ociVersion":"1.0.0","mounts":{}}"#, "mounts: expected an array, found an object"),
            (#"{}"#, "ociVersion: required, but missing"),
            (#"[]"#, "expected an object, found an array"),
            (#"{"ociVersion":null}"#, "ociVersion: required, but missing"),
            (#"{"ociVersion":"1.0.0","root":{}}"#, "root.path: required, but missing"),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":-1,"gid":0}}}"#,
                "process.user.uid: -1 is outside 0 to 4294967295"
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":4294967296,"gid":0}}}"#,
                "process.user.uid: 4294967296 is outside 0 to 4294967295"
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":1.5,"gid":0}}}"#,
                "process.user.uid: expected an integer, found 1.5"
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":1e3,"gid":0}}}"#,
                "process.user.uid: expected an integer, found 1e3"
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":"0","gid":0}}}"#,
                "process.user.uid: expected an integer, found a string"
            ),
            (
                #"{"ociVersion":"1.0.0","linux":{"namespaces":[{"type":"net"}]}}"#,
                #"linux.namespaces[0].type: unknown namespace type "net""#
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","rlimits":[{"type":"RLIMIT_X","hard":1,"soft":1}]}}"#,
                #"process.rlimits[0].type: unknown resource limit "RLIMIT_X""#
            ),
            (
                #"{"ociVersion":"1.0.0","linux":{"seccomp":{"defaultAction":"allow"}}}"#,
                #"linux.seccomp.defaultAction: unknown value "allow""#
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","noNewPrivileges":"yes"}}"#,
                "process.noNewPrivileges: expected true or false, found a string"
            ),
            (
                #"{"ociVersion":"1.0.0","process":{"cwd":"/","NoNewPrivileges":true}}"#,
                "process.NoNewPrivileges: unknown property; it must be written noNewPrivileges"
            ),
            (
                #"{"ociVersion":"1.0.0","linux":{"MaskedPaths":[]}}"#,
                "linux.MaskedPaths: unknown property; it must be written maskedPaths"
            ),
            (
                #"{"ociVersion":"1.0.0","linux":{"maskedPaths":[],"Seccomp":null}}"#,
                "linux.Seccomp: unknown property; it must be written seccomp"
            ),
            ("{\"ociVersion\":\n  tru}", "line 2, column 3: expected true"),
            (
                #"{"ociVersion":"1.0.0","linux":{"sysctl":{"a":1}}}"#,
                "linux.sysctl.a: expected a string, found a number"
            ),
            (
                #"{"ociVersion":"1.0.0","annotations":{"\u00e9":"a","e\u0301":"b"}}"#,
                "annotations.e\u{301}: duplicate key"
            ),
        ])
    func refused(_ text: String, _ message: String) {
        #expect(refusal(text) == message)
    }

    @Test("Null is absence, unknown properties are nothing") func nulls() throws {
        let read = try spec(
            #"{"ociVersion":"1.0.0","process":null,"mounts":null,"linux":{"namespaces":null,"#
                + #""seccomp":null,"new":{"x":1}},"annotations":null,"windows":{},"A":1}"#)
        var expected = Spec()
        expected.ociVersion = "1.0.0"
        expected.linux = Spec.Linux()
        #expect(read == expected)
        #expect(
            String(decoding: read.json(), as: UTF8.self) == #"{"ociVersion":"1.0.0","linux":{}}"#)
    }

    @Test("Cut and damaged configurations never end the process") func damaged() {
        let bytes = Array(whole.utf8)
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: ConfigError.self) { _ = try Spec.decode(Array(bytes[..<length])) }
        }
        var random = SystemRandomNumberGenerator()
        var accepted = 0
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<damaged.count, using: &random)
                let from = Int.random(in: 0..<damaged.count, using: &random)
                damaged[at] = Bool.random() ? damaged[from] : UInt8.random(in: 0...255)
            }
            guard let read = try? Spec.decode(damaged) else { continue }
            accepted += 1
            _ = read.warnings
            try? read.validate()
            #expect((try? Spec.decode(read.json())) == read)
        }
        #expect(accepted > 0)
    }

    @Test("The parts that come alone") func parts() throws {
        let process = try Spec.Process.decode(
            Array(#"{"user":{"uid":0,"gid":0},"args":["true"],"cwd":"/"}"#.utf8))
        try process.validate(at: "process")
        #expect(process.args == ["true"])
        let user = try Spec.User.decode(Array(#"{"uid":7}"#.utf8))
        #expect(user.gid == 0)
        #expect(String(decoding: user.json(), as: UTF8.self) == #"{"uid":7,"gid":0}"#)
        let resources = try Spec.Resources.decode(Array(#"{"pids":{"limit":0}}"#.utf8))
        #expect(resources.pids?.limit == 0)
    }

    @Test("The state as engines read it") func state() throws {
        var state = State()
        state.ociVersion = "1.3.0"
        state.id = "c"
        state.pid = 5
        state.status = .running
        state.bundle = "/b"
        state.rootfs = "/b/rootfs"
        state.created = "2026-01-02T03:04:05.000000006Z"
        state.annotations = ["b": "2", "a": "1"]
        state.owner = ""
        let text =
            #"{"ociVersion":"1.3.0","id":"c","pid":5,"status":"running","bundle":"/b","#
            + #""rootfs":"/b/rootfs","created":"2026-01-02T03:04:05.000000006Z","#
            + #""annotations":{"a":"1","b":"2"},"owner":""}"#
        #expect(String(decoding: state.json(), as: UTF8.self) == text)
        #expect(try State.decode(Array(text.utf8)) == state)
        var message = ContainerProcessState()
        message.state = state
        #expect(try ContainerProcessState.decode(message.json()) == message)
    }

    @Test("What engines wrote is read and valid")
    func engines() throws {
        guard let folder = ProcessInfo.processInfo.environment["APUS_ENGINE_CONFIGS"] else {
            return
        }
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasSuffix(".json") {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(name)
            let bytes = [UInt8](try Data(contentsOf: url))
            if name.contains("exec") {
                try Spec.Process.decode(bytes).validate(at: "process")
            } else {
                let read = try Spec.decode(bytes)
                try read.validate()
                #expect(read.warnings.isEmpty)
            }
            count += 1
        }
        #expect(count > 0)
    }
}

"""Words of errors that programs know from runc and look for."""
import json
import os

from harness import cases, test

FALSE = [{"path": "/bin/true"}, {"path": "/bin/false"}]


@cases([(kind, kind) for kind in ("prestart", "createRuntime", "createContainer", "startContainer",
                                  "poststart")])
def failing_hook(t, kind):
    """the error names the kind of a hook and its number in the list"""
    bundle = t.bundle("sleep", "1000", hooks={kind: FALSE})
    identifier = t.own(t.new_id(), bundle)
    t.fails("run", "-d", "-b", bundle.path, identifier, text=f"error running {kind} hook #1:")


@cases([("mode", {"mode": "INTERLEAVE", "nodes": "0"}, "mode: invalid memory policy mode"),
        ("no-mode", {"nodes": "0"}, "mode: invalid memory policy mode"),
        ("flag", {"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}, "invalid memory policy flag"),
        ("nodes", {"mode": "MPOL_BIND", "nodes": "0-9876543210"}, "invalid memory policy nodes"),
        ("count", {"mode": "MPOL_DEFAULT", "nodes": "0-6,9"}, "mode requires 0 nodes but got 8")])
def memory_policy(t, policy, text):
    """what is wrong with a memory policy"""
    t.refused(t.bundle(linux__memoryPolicy=policy), text=text)


@cases([("proc", "proc", "proc"), ("sys", "sys", "sysfs")], needs="root")
def link_in_place_of(t, name, kind):
    """procfs and sysfs are mounted on a directory, never through a link of the image"""
    bundle = t.bundle("true")
    os.rmdir(f"{bundle.rootfs}/{name}")
    os.symlink("/etc", f"{bundle.rootfs}/{name}")
    t.refused(bundle, text=f"{kind} must be mounted on ordinary directory")


@test
def missing_interpreter(t):
    """exec of a script whose interpreter is missing does not say that the script is"""
    bundle = t.bundle("sleep", "1000")
    with open(f"{bundle.rootfs}/script", "w") as file:
        file.write("#!/nowhere\n")
    os.chmod(f"{bundle.rootfs}/script", 0o755)
    identifier = t.create(bundle)
    t.ok("start", identifier)
    t.fails("exec", identifier, "/script", text="exec /script: no such file or directory")
    t.ok("delete", "--force", identifier)
    identifier = t.create(bundle.set("process.args", ["/script"]))
    t.fails("start", identifier, text="exec /script: no such file or directory")


@test
def listener_is_not_there(t):
    """who does not answer at listenerPath"""
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": f"{t.directory}/nobody",
               "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_NOTIFY"}]}
    t.refused(t.bundle(linux__seccomp=profile), verb="create", text="failed to connect with seccomp agent")


@test
def cgroup_of_exec(t):
    """--cgroup leads nowhere but below the container's own"""
    t.fails("exec", "--cgroup", "..", t.up(), "true",
            text=["--cgroup: bad sub cgroup path", "has no cgroup of its own"])


@test
def debug_log(t):
    """--debug tells every step: in the file, or without one on standard error; nothing else does"""
    bundle = t.bundle("true", linux__seccomp={"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [],
                                              "flags": ["SECCOMP_FILTER_FLAG_LOG"]})
    log = f"{t.directory}/log"
    t.equal(t.run(bundle).err, "")
    for flags in (["--debug"], ["--debug", "--log", log]):
        result = t.ok(*flags, "run", "-b", bundle.path, t.own(t.new_id(), bundle))
        told = t.read(log) if "--log" in flags else result.err
        t.contains(told, 'level=debug msg="process.args: run true"')
        t.contains(told, 'msg="seccomp filter flags: 2"')
    t.equal(result.err, "")
    t.equal(t.read(log).count("\n"), told.count("level=debug"), "lines")


@test
def debug_affinity(t):
    """--debug exec tells the processors that the process begins on"""
    process = {"args": ["true"], "cwd": "/", "execCPUAffinity": {"initial": "0"}}
    path = t.file("process.json", json.dumps(process))
    t.contains(t.ok("--debug", "exec", "--process", path, t.up()).err, "affinity: 0x1")

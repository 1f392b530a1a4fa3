"""Clauses of the OCI specification that no other file has; spec/conformance.md lists all of them."""
import json
import os
import socket
import stat
import subprocess

from harness import cases, test

MAP = [{"containerID": 0, "hostID": 0, "size": 1}]
NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")


def mount(**values):
    return [{"destination": "/m", "type": "tmpfs", "source": "tmpfs", **values}]


def hook(**values):
    return {"createRuntime": [{"path": "/bin/true", **values}]}


def spaces(*more):
    return [{"type": kind} for kind in NAMESPACES] + list(more)


# Values that OCI calls invalid, or that this platform cannot have: place, value, a word of the error.
INVALID = [
    ("version-two-numbers", "ociVersion", "1.2", "ociVersion"),
    ("annotation-key", "annotations", {"": "x"}, "annotations"),
    ("mount-one-map", "mounts", mount(type="bind", source="/tmp", options=["bind", "idmap"],
                                      uidMappings=MAP), "gidMappings"),
    ("idmap-without-maps", "mounts", mount(type="bind", source="/tmp", options=["bind", "idmap"]),
     "idmap"),
    ("ridmap-without-maps", "mounts", mount(type="bind", source="/tmp", options=["rbind", "ridmap"]),
     "idmap"),
    ("console-size", "process.consoleSize", {"height": 25}, "width"),
    ("hook-timeout", "hooks", hook(timeout=0), "timeout"),
    ("hook-timeout-negative", "hooks", hook(timeout=-1), "timeout"),
    ("hook-path", "hooks", hook(path="true"), "path"),
    ("priority", "process.ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 8}, "ioPriority"),
    ("affinity", "process.execCPUAffinity", {"final": "0-"}, "execCPUAffinity"),
    ("scheduler-flag", "process.scheduler", {"policy": "SCHED_OTHER", "flags": ["X"]}, "flags"),
    ("scheduler-deadline", "process.scheduler", {"policy": "SCHED_OTHER", "period": 5}, "scheduler"),
    ("scheduler-iso", "process.scheduler", {"policy": "SCHED_ISO"}, "SCHED_ISO"),
    ("namespace-relative", "linux.namespaces", spaces({"type": "user", "path": "ns/user"}), "path"),
    ("time-offsets", "linux.timeOffsets", {"monotonic": {"secs": 1}}, "time"),
    ("device-unnumbered", "linux.devices", [{"type": "c", "path": "/dev/x"}], "major"),
    ("device-relative", "linux.devices", [{"type": "p", "path": "x"}], "path"),
    ("masked-relative", "linux.maskedPaths", ["proc/kcore"], "maskedPaths"),
    ("readonly-relative", "linux.readonlyPaths", ["proc/sys"], "readonlyPaths"),
    ("personality-flag", "linux.personality", {"domain": "LINUX", "flags": ["X"]}, "flags"),
    ("memory-mode", "linux.memoryPolicy", {"mode": "MPOL_X"}, "memoryPolicy"),
    ("memory-flag", "linux.memoryPolicy", {"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}, "flags"),
    ("memory-nodes", "linux.memoryPolicy", {"mode": "MPOL_BIND"}, "nodes"),
    ("memory-nodes-extra", "linux.memoryPolicy", {"mode": "MPOL_LOCAL", "nodes": "0"}, "nodes"),
    ("rdt-bandwidth", "linux.intelRdt", {"memBwSchema": "L3:0=1"}, "intelRdt"),
    ("rdt-lines", "linux.intelRdt", {"schemata": ["L3:0=1\nMB:0=1"]}, "intelRdt"),
    ("rdt", "linux.intelRdt", {"closID": "x"}, "intelRdt"),
    ("vm", "vm", {"kernel": {"path": "/vmlinuz"}}, "vm"),
    ("seccomp-names", "linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": [], "action": "SCMP_ACT_KILL"}]}, "names"),
    ("seccomp-default-errno", "linux.seccomp", {
        "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}, "defaultErrnoRet"),
    ("burst", "linux.resources", {"cpu": {"quota": 10000, "burst": 20000}}, "burst"),
    ("kernel-memory", "linux.resources", {"memory": {"kernel": 1 << 20}}, "kernel"),
    ("kernel-tcp", "linux.resources", {"memory": {"kernelTCP": 1 << 20}}, "kernelTCP"),
    ("swappiness", "linux.resources", {"memory": {"swappiness": 5}}, "swappiness"),
    ("oom-killer", "linux.resources", {"memory": {"disableOOMKiller": True}}, "disableOOMKiller"),
    ("hierarchy", "linux.resources", {"memory": {"useHierarchy": False}}, "useHierarchy"),
    ("realtime", "linux.resources", {"cpu": {"realtimeRuntime": 1000}}, "realtimeRuntime"),
    ("realtime-period", "linux.resources", {"cpu": {"realtimePeriod": 1000}}, "realtimePeriod"),
    ("net-class", "linux.resources", {"network": {"classID": 5}}, "classID"),
    ("net-priority", "linux.resources", {"network": {"priorities": [
        {"name": "lo", "priority": 1}]}}, "priorities"),
    ("leaf-weight", "linux.resources", {"blockIO": {"leafWeight": 10}}, "leafWeight"),
    ("weightless", "linux.resources", {"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}},
     "weightDevice"),
    ("rdma-empty", "linux.resources", {"rdma": {"mlx5_1": {}}}, "rdma"),
    ("page-size", "linux.resources", {"hugepageLimits": [{"pageSize": "2M", "limit": 0}]}, "pageSize"),
]


@cases(INVALID, needs="root")
def invalid(t, path, value, word):
    """a value that is invalid or cannot be had is an error that names its place"""
    t.refused(t.bundle(**{path.replace(".", "__"): value}), text=word, verb="create")


@cases([("selinux", "process.selinuxLabel", "/sys/fs/selinux/enforce"),
        ("mount", "linux.mountLabel", "/sys/fs/selinux/enforce"),
        ("apparmor", "process.apparmorProfile", "/sys/module/apparmor/parameters/enabled")], needs="root")
def label_without_module(t, path, place):
    """a label that the kernel cannot set is an error, not a container without it"""
    bundle = t.bundle(**{path.replace(".", "__"): "some_label"}).mount("/m")
    # The kernel that has the module does not know the label.
    verb = "run" if os.path.exists(place) else "create"
    t.refused(bundle, text=path.split(".")[1], verb=verb)


# --- the process


@test(needs="root")
def umask_unset(t):
    """without umask it is 022 whatever the caller's is, as every runtime has it"""
    result = t.run(t.bundle("sh", "-c", "umask"), wrap=("sh", "-c", 'umask 0; exec "$@"', "sh"))
    t.equal(result.out, "0022\n")


@test
def console_size_without_terminal(t):
    """consoleSize means nothing without a terminal"""
    t.equal(t.sh("echo fine", process__consoleSize={"height": 100000, "width": 1}), "fine\n")


@test(needs=("probe", "root"))
def scheduler_defaults(t):
    """a scheduler's absent numbers are 0"""
    bundle = t.bundle("probe", "scheduler", process__scheduler={"policy": "SCHED_BATCH"})
    t.contains(t.run(bundle, wrap=("nice", "-n", "3")).out, "policy 3 nice 0 priority 0")


@test(needs=("probe", "root"))
def scheduler_realtime(t):
    """a static priority and a flag"""
    bundle = t.bundle("probe", "scheduler", process__scheduler={
        "policy": "SCHED_FIFO", "priority": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"]})
    bundle.without_namespace("cgroup")
    t.contains(t.run(bundle).out, "policy 1 nice 0 priority 7 runtime 0 deadline 0 period 0 flags 1")


def allowed(text):
    return [x.split(":")[1].strip() for x in text.splitlines() if x.startswith("Cpus_allowed_list")][0]


@test(needs="root")
def affinity_of_exec(t):
    """execCPUAffinity is for exec alone: final holds; without it the kernel decides"""
    if os.sched_getaffinity(0) < {0, 1}:
        t.skip("needs two processors")
    bundle = t.bundle("sleep", "1000", process__execCPUAffinity={"initial": "1", "final": "0"})
    identifier = t.create(bundle)
    before = allowed(t.read("/proc/self/status"))
    t.equal(allowed(t.read(f"/proc/{t.pid(identifier)}/status")), before, "init")
    t.equal(allowed(t.ok("exec", identifier, "cat", "/proc/self/status").out), "0", "exec")
    process = {**bundle.config["process"], "args": ["cat", "/proc/self/status"],
               "execCPUAffinity": {"final": "1"}}
    path = t.file("process.json", json.dumps(process))
    t.equal(allowed(t.ok("exec", "--process", path, identifier).out), "1", "exec --process")


@test(needs="root")
def ungrantable_capability(t):
    """a capability that the runtime has not is warned of, and the rest is given"""
    bundle = t.bundle("sh", "-c", "grep CapBnd /proc/self/status")
    bundle.config["process"]["capabilities"] = {
        kind: ["CAP_KILL", "CAP_SYS_TIME"] for kind in ("bounding", "effective", "permitted")}
    result = t.run(bundle, wrap=("setpriv", "--bounding-set", "-sys_time"))
    t.equal(result.out.split()[-1], f"{1 << 5:016x}", str(result))


@cases([("bind", {"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
        ("interleave", {"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
        ("preferred", {"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
        ("many", {"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0"),
        ("local", {"mode": "MPOL_LOCAL"}, "local"), ("default", {"mode": "MPOL_DEFAULT"}, "default"),
        ("weighted", {"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}, "weighted interleave:0"),
        ("static", {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
         "bind=static:0")])
def memory_policy(t, policy, expected):
    """linux.memoryPolicy is the program's"""
    if not os.path.exists("/proc/self/numa_maps"):
        t.skip("a kernel without NUMA")
    result = t.run(t.bundle("cat", "/proc/self/numa_maps", linux__memoryPolicy=policy))
    t.equal(result.code, 0, str(result))
    t.contains(result.out.splitlines()[0].split(" ", 1)[1], expected)


# --- devices


@cases([("file", "file"), ("other", "other"), ("directory", "directory")], needs="root")
def device_in_the_way(t, kind):
    """something else at a device's path is an error"""
    bundle = t.bundle(linux__devices=[{"type": "c", "path": "/home/d", "major": 1, "minor": 3}])
    place = f"{bundle.rootfs}/home/d"
    if kind == "file":
        t.file(os.path.relpath(place, t.directory), "data")
    elif kind == "directory":
        os.mkdir(place)
    else:
        os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    t.refused(bundle, text="/home/d", verb="create")


@test(needs="root")
def device_that_is_there(t):
    """a device may lie outside of /dev, and be there already"""
    bundle = t.bundle("sh", "-c", "echo x >/home/d && stat -c %t:%T /home/d",
                      linux__devices=[{"type": "c", "path": "/home/d", "major": 1, "minor": 3}])
    os.mknod(f"{bundle.rootfs}/home/d", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    t.equal(t.run(bundle).out, "1:3\n")


# --- life


@cases([(verb, verb) for verb in ("state", "create", "start", "kill", "delete")])
def no_id(t, verb):
    """an operation without the id of a container is an error"""
    t.fails(verb)


@test
def warnings(t):
    """what is passed over is warned of, in the log, and the container runs"""
    t.global_flags = ["--log", f"{t.directory}/log", "--log-level", "warning"]
    bundle = t.bundle("cat", "/m/f", annotations={"x": "y"}).bind(t.directory, "m", "rbind", "ro")
    bundle.config["process"]["capabilities"]["bounding"] = ["CAP_KILL", "CAP_BOGUS"]
    t.file("f", "fine")
    t.equal(t.run(bundle).out, "fine")
    log = t.read(f"{t.directory}/log")
    t.contains(log, "CAP_BOGUS")
    t.contains(log, "destination")


@test
def warning_of_poststop(t):
    """a poststop hook that fails is warned of"""
    identifier = t.create(t.bundle().hook("poststop", "echo a reason; exit 3"))
    t.global_flags = ["--log", f"{t.directory}/log", "--log-level", "warning"]
    t.ok("delete", "--force", identifier)
    t.contains(t.read(f"{t.directory}/log"), "poststop")



@test(needs="root")
def delete_leaves_what_it_did_not_make(t):
    """joined namespaces, sources of binds and the bundle outlive the container"""
    place = t.file("ns")
    subprocess.run(["unshare", f"--net={place}", "true"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", place], check=False))
    inode = os.stat(place).st_ino
    t.file("src/f", "kept")
    bundle = t.bundle("sleep", "1000").namespace("network", place).bind(f"{t.directory}/src", "/m")
    identifier = t.create(bundle)
    t.equal(os.stat(f"/proc/{t.pid(identifier)}/ns/net").st_ino, inode)
    t.ok("delete", "--force", identifier)
    t.equal(os.stat(place).st_ino, inode, "namespace")
    t.equal(t.read(f"{t.directory}/src/f"), "kept")
    t.true(os.path.exists(f"{bundle.path}/config.json"), "bundle")


STATE = {"ociVersion": str, "id": str, "status": str, "pid": int, "bundle": str, "annotations": dict}


@test
def state_has_the_schema(t):
    """state's properties have the schema's types in every status"""
    identifier = t.create(t.bundle("sleep", "1000", annotations={"a": "b"}))
    for status in ("created", "running", "stopped"):
        if status == "running":
            t.ok("start", identifier)
        if status == "stopped":
            t.kill_and_wait(identifier)
        state = t.state(identifier)
        t.equal(state["status"], status)
        for name, kind in STATE.items():
            t.true(type(state[name]) is kind, f"{name} of {state}")
        t.true(state["pid"] >= 0 and state["bundle"].startswith("/"), state)


# --- features

KNOWN = {
    "": {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations",
         "potentiallyUnsafeConfigAnnotations"},
    "linux": {"namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt",
              "memoryPolicy", "mountExtensions", "netDevices"},
    "linux.cgroup": {"v1", "v2", "systemd", "systemdUser", "rdma"},
    "linux.seccomp": {"enabled", "actions", "operators", "archs", "knownFlags", "supportedFlags"},
    "linux.apparmor": {"enabled"}, "linux.selinux": {"enabled"}, "linux.netDevices": {"enabled"},
    "linux.intelRdt": {"enabled", "schemata", "monitoring"}, "linux.memoryPolicy": {"modes", "flags"},
    "linux.mountExtensions": {"idmap"}}


def features(t):
    return json.loads(t.ok("features").out)


@test
def features_have_the_schema(t):
    """features has no property that its version of the specification does not define, and no null"""
    found = features(t)
    for path, names in KNOWN.items():
        part = found
        for name in path.split(".") if path else ():
            part = part.get(name, {})
        t.true(set(part) <= names, f"{path}: {set(part) - names}")
    t.lacks(json.dumps({**found, "annotations": {}}), "null")
    t.true(all(type(x) is str for x in found.get("annotations", {}).values()), "annotations")
    number = [tuple(map(int, found[f"ociVersion{x}"].split("-")[0].split("."))) for x in ("Min", "Max")]
    t.true(number[0] <= number[1], f"{number}")
    t.equal([o for o in found["mountOptions"] if "=" in o], [], "options of file systems")


@test
def features_versions_are_accepted(t):
    """both versions that features tells are accepted in a configuration"""
    for name in ("ociVersionMin", "ociVersionMax"):
        t.equal(t.sh("echo fine", ociVersion=features(t)[name]), "fine\n")


@test(needs="root")
def features_names_are_recognised(t):
    """every name that features tells is recognised where it may stand"""
    found = features(t)
    linux = found["linux"]
    for name in found["hooks"]:
        t.fails("create", "-b", broken(t, "hooks", {name: [{"path": "x"}]}), "x", text=f"hooks.{name}")
    t.equal(set(linux["namespaces"]), set(NAMESPACES) | {"user", "time"})
    for name in linux["namespaces"]:
        bundle = broken(t, "linux.namespaces", [{"type": name, "path": "x"}])
        t.fails("create", "-b", bundle, "x", text="linux.namespaces[0].path")
    names = linux["capabilities"]
    bundle = t.bundle(process__capabilities={"bounding": names})
    t.lacks(t.run(bundle).err, "unknown")
    # A name that is not known would go to the file system, which knows fewer still.
    skipped = {"bind", "rbind", "remount", "idmap", "ridmap", "ro", "rro", "tmpcopyup"}
    options = [o for o in found["mountOptions"] if o not in skipped and "mand" not in o]
    t.equal(t.run(t.bundle("true").mount("/m", "tmpfs", "tmpfs", *options)).code, 0, "options")


def broken(t, path, value):
    bundle = t.bundle(hostname=None, **{path.replace(".", "__"): value})
    bundle.save("x")
    return bundle.path


@test(needs="root")
def features_seccomp_is_recognised(t):
    """actions, operators, architectures and flags that features tells can be used"""
    known = features(t)["linux"]["seccomp"]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{t.directory}/listener")
    listener.listen()
    for action in known["actions"]:
        for operator in known["operators"] if action == "SCMP_ACT_ERRNO" else ("SCMP_CMP_EQ",):
            profile = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": known["archs"], "syscalls": [
                {"names": ["sync"], "action": action,
                 "args": [{"index": 0, "value": 77, "valueTwo": 77, "op": operator}]}]}
            if action == "SCMP_ACT_NOTIFY":
                profile["listenerPath"] = f"{t.directory}/listener"
            result = t.run(t.bundle("echo", "fine", linux__seccomp=profile))
            t.equal(result.out, "fine\n", f"{action} {operator}: {result}")
    t.true(set(known["supportedFlags"]) <= set(known["knownFlags"]), "flags")
    for flag in known["supportedFlags"]:
        profile = {"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag], "syscalls": []}
        t.equal(t.run(t.bundle("echo", "fine", linux__seccomp=profile)).out, "fine\n", flag)


@test(needs="root")
def features_memory_policy_is_recognised(t):
    """modes and flags of the memory policy that features tells are read"""
    known = features(t)["linux"]["memoryPolicy"]
    for mode in known["modes"]:
        for flag in known["flags"]:
            policy = {"mode": mode, "nodes": "0", "flags": [flag]}
            result = t.rt("create", "-b", broken(t, "linux.memoryPolicy", policy), t.own(t.new_id()))
            t.lacks(result.err, "unknown", f"{mode} {flag}")
            t.lacks(result.err, "expected", f"{mode} {flag}")

"""Namespaces: new, inherited, joined; user namespaces, sysctls, time, network devices."""
import os
import subprocess

from harness import cases, test

KINDS = [("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("mount", "mnt"),
         ("cgroup", "cgroup"), ("user", "user"), ("time", "time")]


@cases([(kind, kind, name) for kind, name in KINDS if kind not in ("user", "time")])
def new(t, kind, name):
    """a listed namespace is a new one"""
    inside = t.sh(f"readlink /proc/self/ns/{name}").strip() if kind != "pid" else None
    if kind == "pid":
        t.equal(t.sh("echo $$"), "1\n")
    elif not (os.geteuid() and kind == "network"):
        t.true(inside != os.readlink(f"/proc/self/ns/{name}"), "not new")


@cases([(kind, kind, name) for kind, name in KINDS if kind in ("network", "ipc", "uts", "cgroup")],
       needs="root")
def inherited(t, kind, name):
    """a namespace that is not listed is the caller's"""
    bundle = t.bundle("readlink", f"/proc/self/ns/{name}").without_namespace(kind)
    bundle.set("hostname", None)
    t.equal(t.run(bundle).out.strip(), os.readlink(f"/proc/self/ns/{name}"))


@cases([(kind, kind, name) for kind, name in KINDS if kind in ("network", "ipc", "uts", "cgroup", "pid")],
       needs="root")
def joined(t, kind, name):
    """a namespace with a path is joined"""
    other = t.up()
    path = f"/proc/{t.pid(other)}/ns/{name}"
    bundle = t.bundle("readlink", f"/proc/self/ns/{name}").namespace(kind, path)
    bundle.set("hostname", None)
    t.equal(t.run(bundle).out.strip(), os.readlink(path))


@cases([("kind", "network", "ipc"), ("user-as-net", "network", "user")], needs="root")
def joined_wrong_type(t, kind, name):
    """a path of another kind of namespace is refused"""
    t.refused(t.bundle().namespace(kind, f"/proc/self/ns/{name}"))


@test(needs="root")
def joined_file(t):
    """a path that is no namespace is refused"""
    t.refused(t.bundle().namespace("network", t.file("plain", "x")))


@test
def joined_missing(t):
    """a missing path is refused"""
    t.refused(t.bundle().namespace("ipc", "/no/such/ns"), text="/no/such/ns")


@test
def duplicate(t):
    """a namespace listed twice is refused"""
    bundle = t.bundle()
    bundle.config["linux"]["namespaces"].append({"type": "ipc"})
    t.refused(bundle)


@test
def unknown(t):
    """an unknown namespace is refused"""
    t.refused(t.bundle().namespace("quantum"))


@test
def loopback_is_up(t):
    """a new network namespace has lo, up"""
    bundle = t.bundle("ifconfig", "lo")
    if os.geteuid():
        bundle.namespace("network")
    t.contains(t.run(bundle).out, "UP LOOPBACK")


@test(needs="root")
def user_namespace(t):
    """a user namespace with mappings"""
    bundle = t.bundle("cat", "/proc/self/uid_map", "/proc/self/gid_map").user_namespace()
    t.equal(t.run(bundle).out.split(), ["0", "100000", "65536"] * 2)


@test(needs="root")
def user_namespace_owner(t):
    """files made inside belong to the mapped user outside"""
    bundle = t.bundle("touch", "/home/made").user_namespace()
    t.equal(t.run(bundle).code, 0)
    t.equal(os.stat(f"{bundle.rootfs}/home/made").st_uid, 100000)


@test(needs="root")
def user_namespace_user(t):
    """another user inside a user namespace"""
    bundle = t.bundle("id", "-u", process__user={"uid": 1000, "gid": 1000}).user_namespace()
    t.equal(t.run(bundle).out, "1000\n")


@test(needs="root")
def user_namespace_two_ranges(t):
    """several mappings"""
    bundle = t.bundle("cat", "/proc/self/uid_map").user_namespace()
    bundle.config["linux"]["uidMappings"] = [
        {"containerID": 0, "hostID": 100000, "size": 10},
        {"containerID": 10, "hostID": 200000, "size": 20}]
    t.equal(t.run(bundle).out.split(), ["0", "100000", "10", "10", "200000", "20"])


@test(needs="root")
def user_namespace_exec(t):
    """exec enters the user namespace"""
    identifier = t.create(t.bundle("sleep", "1000").user_namespace())
    t.ok("start", identifier)
    t.equal(t.ok("exec", identifier, "cat", "/proc/self/uid_map").out.split(),
            ["0", "100000", "65536"])


@test(needs="root")
def mappings_without_namespace(t):
    """mappings without a user namespace are refused"""
    t.refused(t.bundle(linux__uidMappings=[{"containerID": 0, "hostID": 1, "size": 1}]))


@test(needs="root")
def user_namespace_without_mappings(t):
    """a new user namespace without mappings has the caller as its only user"""
    bundle = t.bundle("cat", "/proc/self/uid_map", "/proc/self/gid_map").namespace("user")
    bundle.without_mount("/dev/pts")  # its group is not mapped
    t.equal(t.run(bundle).out.split(), ["0", "0", "1"] * 2)


@cases([(kind, kind) for kind in ("uidMappings", "gidMappings")], needs="root")
def user_namespace_half_mapped(t, kind):
    """mappings of users without those of groups, or the reverse, are refused"""
    bundle = t.bundle().namespace("user")
    bundle.config["linux"][kind] = [{"containerID": 0, "hostID": 100000, "size": 1}]
    t.refused(bundle, text="uidMappings and gidMappings")


@test(needs="root")
def owner_of_mqueue(t):
    """the message queues of a user namespace belong to its root"""
    bundle = t.bundle("stat", "-c", "%u:%g", "/dev/mqueue").user_namespace()
    t.equal(t.run(bundle).out, "0:0\n")


@test(needs="root")
def devices_in_user_namespace(t):
    """default devices work in a user namespace"""
    bundle = t.bundle("sh", "-c", "echo x >/dev/null; head -c 3 /dev/zero | wc -c; "
                                  "grep ' /dev/null ' /proc/self/mounts").user_namespace()
    result = t.run(bundle)
    t.equal((result.code, result.out.split()[0]), (0, "3"), str(result))
    t.true({"nosuid", "noexec"} <= set(result.out.split()[4].split(",")), result.out)


@cases([("kernel.shm", {"kernel.shm_rmid_forced": "1"}, "/proc/sys/kernel/shm_rmid_forced", "1"),
        ("net", {"net.ipv4.ip_forward": "1"}, "/proc/sys/net/ipv4/ip_forward", "1"),
        ("slashes", {"net/ipv4/ip_forward": "1"}, "/proc/sys/net/ipv4/ip_forward", "1"),
        ("msg", {"kernel.msgmax": "65536"}, "/proc/sys/kernel/msgmax", "65536"),
        ("mqueue", {"fs.mqueue.msg_max": "20"}, "/proc/sys/fs/mqueue/msg_max", "20")], needs="root")
def sysctl(t, values, path, expected):
    """a sysctl of the container's namespaces"""
    t.equal(t.sh(f"cat {path}", linux__sysctl=values).strip(), expected)


@cases([(name, name) for name in (
    "kernel.core_pattern", "kernel.panic", "vm.swappiness", "fs.file-max", "kernel.modprobe",
    "kernel/core_pattern", "net/../kernel/core_pattern", "net.ipv4../../kernel/core_pattern",
    "kernel.shmmax/../core_pattern", "kernel.ns_last_pid", "fs.mqueue/../file-max", "..", "",
    "kernel.pid_max", "user.max_user_namespaces", "abi.vsyscall32")], needs="root")
def sysctl_of_the_host(t, name):
    """a sysctl outside the container's namespaces is refused"""
    t.refused(t.bundle(linux__sysctl={name: "1"}))


@cases([("net", "network", "net.ipv4.ip_forward"), ("ipc", "ipc", "kernel.shmmax"),
        ("uts", "uts", "kernel.domainname")], needs="root")
def sysctl_without_namespace(t, kind, name):
    """a namespaced sysctl needs its namespace"""
    bundle = t.bundle(linux__sysctl={name: "1"}).without_namespace(kind)
    bundle.set("hostname", None)
    t.refused(bundle)


@test(needs="root")
def sysctl_unknown(t):
    """a sysctl that does not exist is an error"""
    t.refused(t.bundle(linux__sysctl={"net.ipv4.no_such": "1"}))


@test(needs="root")
def hostname_without_uts(t):
    """a host name without a UTS namespace is refused and the host's stays"""
    before = os.uname().nodename
    t.refused(t.bundle(hostname="evil").without_namespace("uts"))
    t.equal(os.uname().nodename, before)


@test(needs="root")
def time_namespace(t):
    """timeOffsets of a time namespace"""
    bundle = t.bundle("cat", "/proc/uptime").namespace("time")
    bundle.set("linux.timeOffsets", {"boottime": {"secs": 1000000, "nanosecs": 0}})
    out = t.run(bundle).out
    with open("/proc/uptime") as file:
        host = float(file.read().split()[0])
    t.true(abs(float(out.split()[0]) - host - 1000000) < 60, out)


@test(needs=("root", "ip"))
def network_device(t):
    """linux.netDevices moves and renames a device"""
    for kind in ("dummy", "ifb", "veth"):
        if subprocess.run(["ip", "link", "add", f"d{os.getpid()}", "type", kind],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0:
            break
    else:
        t.skip("the kernel makes no network device to move")
    t.cleanups.append(lambda: subprocess.run(["ip", "link", "del", f"d{os.getpid()}"],
                                             stderr=subprocess.DEVNULL, check=False))
    bundle = t.bundle("ifconfig", "inner0", linux__netDevices={f"d{os.getpid()}": {"name": "inner0"}})
    result = t.run(bundle)
    t.contains(result.out, "inner0", str(result))
    t.contains(result.out, "UP")


@test(needs="root")
def network_device_missing(t):
    """a network device that is not there is an error"""
    t.refused(t.bundle(linux__netDevices={"nosuchdev": {"name": "x"}}))


@test
def pid_one_sees_only_itself(t):
    """a pid namespace with its own /proc"""
    t.equal(t.sh("ls -d /proc/[0-9]* | wc -l; true").strip() in ("1", "2", "3", "4"), True)


@test(needs="root")
def no_mount_namespace(t):
    """without a mount namespace: refused or run, never mounts on the host"""
    bundle = t.bundle("true").without_namespace("mount")
    identifier = t.own(t.new_id(), bundle)
    t.rt("run", "-b", bundle.path, identifier)


@cases([("zero", 0, 0, 0), ("negative", -1, 0, 1), ("large", 0, 2**32, 1), ("overflow", 0, 2**32 - 2, 5)],
       needs="root")
def bad_mapping(t, container, host, size):
    """a mapping out of range is refused"""
    bundle = t.bundle().namespace("user")
    entry = [{"containerID": container, "hostID": host, "size": size}]
    bundle.config["linux"]["uidMappings"] = entry
    bundle.config["linux"]["gidMappings"] = entry
    t.refused(bundle)


def mounts_below(path):
    with open("/proc/self/mountinfo") as file:
        return [line.split()[4] for line in file if line.split()[4].startswith(path)]


@test(needs="root")
def without_mount_namespace(t):
    """without a mount namespace mounts are the host's, below the root; delete takes them away"""
    bundle = t.bundle("sh", "-c", "cat /proc/sys/kernel/hostname; touch /etc/x; exec sleep 1000",
                      root={"path": "rootfs", "readonly": True}).without_namespace("mount")
    identifier = t.create(bundle)
    t.true({f"{bundle.rootfs}{x}" for x in ("", "/proc", "/dev")} <= set(mounts_below(bundle.rootfs)), "mounts")
    t.ok("start", identifier)
    t.equal(t.ok("exec", identifier, "cat", "/proc/sys/kernel/hostname").out, "box\n")
    t.true(not os.path.exists(f"{bundle.rootfs}/etc/x"), "the root is writable")
    t.ok("delete", "--force", identifier)
    t.equal(mounts_below(bundle.rootfs), [], "mounts that are left")


@test(needs="root")
def without_mount_namespace_refused(t):
    """a create that fails leaves no mount on the host; a user namespace may make none there"""
    bundle = t.bundle("/nowhere").without_namespace("mount")
    t.refused(bundle)
    t.equal(mounts_below(bundle.rootfs), [], "mounts that are left")
    t.refused(t.bundle("true").user_namespace().without_namespace("mount"), text="mounts: a user namespace")

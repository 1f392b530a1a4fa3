"""An ordinary user: one id, the caller's own, and where there are any, subordinate ids."""
import os
import pwd
import shutil

from harness import cases, test


@test(needs="user")
def single_id(t):
    """the caller is root inside, and files made belong to the caller"""
    bundle = t.bundle("sh", "-c", "id -u; touch /made")
    t.equal(t.run(bundle).out, "0\n")
    t.equal(os.stat(f"{bundle.rootfs}/made").st_uid, os.geteuid())


@test(needs="user")
def setgroups_denied(t):
    """setgroups is denied, the container runs all the same"""
    t.equal(t.sh("cat /proc/self/setgroups"), "deny\n")


@test(needs="user")
def other_user_is_refused(t):
    """a user that is not mapped is refused"""
    t.refused(t.bundle(process__user={"uid": 5, "gid": 5}))


@test(needs="user")
def foreign_mapping_is_refused(t):
    """a mapping to somebody else's id is refused"""
    t.refused(t.bundle(linux__uidMappings=[{"containerID": 0, "hostID": 0, "size": 1}]))


@test(needs="user")
def exec_works(t):
    """exec"""
    t.equal(t.ok("exec", t.up(), "id", "-u").out, "0\n")


@test(needs="user")
def no_privileges_outside(t):
    """nothing that the caller could not do: the host's files stay closed"""
    bundle = t.bundle("cat", "/m/shadow").bind("/etc", "/m", "rbind", "ro")
    t.true(t.run(bundle).code != 0, "read /etc/shadow")


@test(needs="user")
def subordinate_ids(t):
    """ranges of /etc/subuid through newuidmap"""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
        with open("/etc/subuid") as file:
            ranges = [line.split(":") for line in file if line.startswith(f"{name}:")]
    except OSError:
        ranges = []
    if not ranges or not shutil.which("newuidmap"):
        t.skip("no subordinate ids")
    first, size = int(ranges[0][1]), int(ranges[0][2])
    bundle = t.bundle("sh", "-c", "cat /proc/self/uid_map; id -u", process__user={"uid": 7, "gid": 7})
    for key, own in (("uidMappings", os.geteuid()), ("gidMappings", os.getegid())):
        bundle.config["linux"][key] = [{"containerID": 0, "hostID": own, "size": 1},
                                       {"containerID": 1, "hostID": first, "size": min(size, 1000)}]
    os.chmod(bundle.path, 0o755)
    out = t.run(bundle).out.split()
    t.equal(out, ["0", str(os.geteuid()), "1", "1", str(first), "1000", "7"])


@test(needs=("user", "limits"))
def limits(t):
    """limits in a delegated cgroup"""
    bundle = t.bundle("sleep", "1000", linux__resources={"pids": {"limit": 30}})
    t.create(bundle)
    t.equal(t.read(f"{bundle.cgroup}/pids.max"), "30\n")


@test(needs="user")
def limits_without_cgroup(t):
    """limits that cannot be set are an error, never silently dropped"""
    from harness import Settings
    if Settings.cgroup_base:
        t.skip("this user has a cgroup")
    bundle = t.bundle(linux__resources={"pids": {"limit": 30}}, linux__cgroupsPath="/some/where")
    t.refused(bundle)


@cases([("sysctl", "linux.sysctl", {"net.ipv4.ip_forward": "1"}),
        ("oom", "process.oomScoreAdj", -1000)], needs="user")
def not_permitted(t, path, value):
    """what an ordinary user may not do is refused"""
    t.refused(t.bundle().set(path, value))


@test(needs="user")
def network_namespace(t):
    """an own network namespace"""
    t.contains(t.run(t.bundle("ifconfig", "lo").namespace("network")).out, "LOOPBACK")

"""A cgroup that belongs to the container: given away, divided from inside, joined by exec."""
import os

from harness import test


def divided(t, *args):
    """A bundle whose cgroup is mounted writable inside its cgroup namespace."""
    bundle = t.bundle(*args)
    for mount in bundle.config["mounts"]:
        if mount["type"] == "cgroup":
            mount["options"] = ["nosuid", "noexec", "nodev", "relatime", "rw"]
    return bundle


# Moves itself below, as buildkit and systemd do, so that its cgroup can be divided.
MOVES = """mkdir /sys/fs/cgroup/init && echo $$ >/sys/fs/cgroup/init/cgroup.procs &&
echo +pids >/sys/fs/cgroup/cgroup.subtree_control && echo ready; sleep 1000"""


@test(needs=("limits", "root"))
def given_away(t):
    """in a user namespace the writable cgroup belongs to the container's root, its limits do not"""
    bundle = divided(t, "sh", "-c", """cd /sys/fs/cgroup
        stat -c %u . cgroup.procs cgroup.subtree_control cgroup.threads memory.max pids.max
        cat /proc/self/cgroup; echo max >pids.max || echo kept
        mkdir sub && echo $$ >sub/cgroup.procs && cat /proc/self/cgroup""").user_namespace()
    bundle.config["linux"]["resources"]["pids"] = {"limit": 20}
    result = t.run(bundle)
    t.equal(result.out.split(), ["0", "0", "0", "0", "65534", "65534", "0::/", "kept", "0::/sub"],
            str(result))


@test(needs=("limits", "root"))
def not_given_away(t):
    """a cgroup that is mounted read-only stays the host's"""
    result = t.run(t.bundle("stat", "-c", "%u", "/sys/fs/cgroup").user_namespace())
    t.equal(result.out, "65534\n", str(result))


@test(needs=("limits", "root"))
def exec_goes_where_init_is(t):
    """a container that divided its cgroup takes no process there: exec joins init's"""
    bundle = divided(t, "sh", "-c", MOVES)
    identifier = t.create(bundle)
    out = t.last_out
    t.ok("start", identifier)
    t.eventually(lambda: "ready" in t.read(out), "ready")
    t.equal(t.ok("exec", identifier, "cat", "/proc/self/cgroup").out, "0::/init\n")
    t.true(str(t.pid(identifier)) in t.ok("ps", "-f", "json", identifier).out, "ps")
    t.ok("pause", identifier)
    t.equal(t.status(identifier), "paused")
    t.ok("resume", identifier)
    t.ok("delete", "--force", identifier, reap=True)
    t.true(not os.path.isdir(bundle.cgroup), "the cgroup is left")


@test(needs=("limits", "root"))
def exec_into_a_cgroup_below(t):
    """exec --cgroup names one below the container's, and no other"""
    bundle = divided(t, "sh", "-c", MOVES)
    identifier = t.create(bundle)
    out = t.last_out
    t.ok("start", identifier)
    t.eventually(lambda: "ready" in t.read(out), "ready")
    os.mkdir(f"{bundle.cgroup}/more")
    t.equal(t.ok("exec", "--cgroup", "more", identifier, "cat", "/proc/self/cgroup").out, "0::/more\n")
    for path in ("none", "../.."):
        t.fails("exec", "--cgroup", path, identifier, "true")


@test(needs="limits")
def limits_of_parts(t):
    """what the container's cgroup is limited to holds for the parts it made"""
    bundle = t.bundle("sleep", "1000")
    bundle.config["linux"].setdefault("resources", {})["pids"] = {"limit": 5}
    identifier = t.create(bundle)
    t.ok("start", identifier)
    t.equal(t.read(f"{bundle.cgroup}/pids.max"), "5\n")
    # Delegation downwards: the parent has every controller that it was given itself enabled.
    given = t.read(f"{os.path.dirname(bundle.cgroup)}/cgroup.controllers").split()
    t.equal(sorted(t.read(f"{bundle.cgroup}/cgroup.controllers").split()), sorted(given))

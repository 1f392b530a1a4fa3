"""explain and --dry-run: the plan, and nothing done."""
import json
import os

from harness import test


def snapshot(t, bundle):
    return sorted(os.path.join(d, f) for d, _, files in os.walk(t.directory) for f in files
                  if not os.path.basename(f)[:3] in ("in1", "in2", "out", "err", "in3", "in4", "in5", "in6"))


@test(needs="explain")
def says_what(t):
    """explain names the steps and where they come from"""
    bundle = t.bundle("true").mount("/somewhere", "tmpfs", "tmpfs", "nosuid")
    bundle.save("x")
    out = t.ok("explain", "--bundle", bundle.path).out
    t.contains(out, "/somewhere")
    t.contains(out, f"mounts[{len(bundle.config['mounts']) - 1}]")
    t.contains(out, "process")


@test(needs="explain")
def does_nothing(t):
    """explain makes neither state nor cgroup nor files"""
    bundle = t.bundle("sh", "-c", "touch /ran")
    bundle.save("x")
    before = snapshot(t, bundle)
    t.ok("explain", "--bundle", bundle.path)
    t.ok("create", "--dry-run", "--bundle", bundle.path, "x")
    t.equal(snapshot(t, bundle), before)
    t.equal(t.state_entries(), [])
    t.true(not (bundle.cgroup and os.path.isdir(bundle.cgroup)), "cgroup made")


@test(needs="explain")
def is_deterministic(t):
    """the same configuration gives the same text"""
    bundle = t.bundle("true", linux__sysctl={"kernel.msgmax": "1", "kernel.shmall": "2", "kernel.sem": "3"})
    if os.geteuid():
        bundle.set("linux.sysctl", None)
    bundle.save("x")
    texts = {t.ok("explain", "--bundle", bundle.path).out for _ in range(3)}
    t.equal(len(texts), 1)


@test(needs="explain")
def as_json(t):
    """explain --json is JSON"""
    bundle = t.bundle("true")
    bundle.save("x")
    t.true(json.loads(t.ok("explain", "--json", "--bundle", bundle.path).out), "empty")


@test(needs="explain")
def order(t):
    """no new privileges and seccomp are last, the bounding set before the user"""
    bundle = t.bundle("true", linux__seccomp={"defaultAction": "SCMP_ACT_ALLOW"})
    bundle.save("x")
    out = t.ok("explain", "--bundle", bundle.path).out.lower()
    t.true(out.index("seccomp") > out.index("/dev/pts"), "seccomp before mounts")


@test(needs="explain")
def errors_are_create_errors(t):
    """explain refuses what create refuses"""
    bundle = t.bundle("true", process__cwd="relative")
    bundle.save("x")
    t.fails("explain", "--bundle", bundle.path)

"""events, stats, pause and resume: what a container's cgroup tells."""
import json
import os
import time

from harness import Settings, test
from limits import MIB, limited, up


def lines(t, path):
    """The whole lines of JSON so far."""
    return [json.loads(line) for line in t.read(path).splitlines(True) if line.endswith("\n")]


def watch(t, identifier, interval):
    """`events` in the background: its process and the file it writes to."""
    out = f"{t.directory}/events"
    process = t.spawn("events", "--interval", interval, identifier, stdout=open(out, "wb"))
    return process, out


@test(needs=("limits", "probe"))
def statistics(t):
    """events --stats: every part of runc's record, and numbers that are true"""
    _, identifier = up(t, "sh", "-c", "probe burn 300; exec probe memory 10 hold",
                       memory={"limit": 64 * MIB}, pids={"limit": 20},
                       cpu={"quota": 50000, "period": 100000, "cpus": "0"})

    def data():
        return json.loads(t.ok("events", "--stats", identifier).out)["data"]
    t.eventually(lambda: data()["memory"]["usage"]["usage"] > 9 * MIB, "memory in use")
    found = data()
    t.equal(sorted(found), ["blkio", "cpu", "cpuset", "hugetlb", "intel_rdt", "memory",
                            "network_interfaces", "pids"])
    t.equal(found["pids"], {"current": 1, "limit": 20})
    memory = found["memory"]
    t.equal(memory["usage"]["limit"], 64 * MIB)
    t.true(memory["raw"]["anon"] > 9 * MIB, memory["raw"])
    t.true({"cache", "usage", "swap", "kernel", "kernelTCP", "raw"} <= set(memory), sorted(memory))
    cpu = found["cpu"]
    t.true(cpu["usage"]["total"] > 100_000_000, cpu)
    t.true(cpu["usage"]["user"] + cpu["usage"]["kernel"] <= cpu["usage"]["total"] * 1.1, cpu)
    t.true(cpu["throttling"]["periods"] > 0 and cpu["throttling"]["throttledTime"] > 0, cpu)
    t.equal(found["cpuset"]["cpus"], [0])
    if os.path.exists("/proc/pressure/cpu"):
        t.true("psi" in cpu and "psi" in memory and "psi" in found["blkio"], "pressure is missing")


@test(needs=("limits", "probe", "root"))
def statistics_of_devices(t):
    """events --stats: bytes and operations of a device"""
    bundle, identifier = up(t, "sh", "-c", "probe direct write /data 512; echo done; sleep 1000")
    t.eventually(lambda: "done" in t.read(bundle.out), "written")
    if "took" not in t.read(bundle.out):
        t.skip("no direct access to this file system")
    blkio = json.loads(t.ok("events", "--stats", identifier).out)["data"]["blkio"]
    written = sum(e["value"] for e in blkio["ioServiceBytesRecursive"] if e["op"] == "Write")
    requests = sum(e["value"] for e in blkio["ioServicedRecursive"] if e["op"] == "Write")
    t.true(written >= 512 << 10 and requests >= 8, blkio)


@test(needs=("limits", "probe"))
def out_of_memory(t):
    """events tells of a process killed for want of memory, and goes on"""
    _, identifier = up(t, memory={"limit": 20 * MIB, "swap": 20 * MIB})
    _, out = watch(t, identifier, "60s")
    time.sleep(0.3 * Settings.patience)
    t.equal(t.rt("exec", identifier, "probe", "memory", "100").code, 137)
    t.eventually(lambda: {"type": "oom", "id": identifier} in lines(t, out), "an oom event")
    t.equal(t.status(identifier), "running")


@test(needs="limits")
def stream(t):
    """events prints statistics again and again, and ends with the container"""
    _, identifier = up(t)
    process, out = watch(t, identifier, "100ms")
    t.eventually(lambda: len(lines(t, out)) >= 3, "three records")
    t.true(all(e["type"] == "stats" and e["id"] == identifier for e in lines(t, out)), "records")
    t.kill_and_wait(identifier)
    t.eventually(lambda: process.poll() is not None, "events ends")
    t.equal(process.returncode, 0)


@test(needs="limits")
def stats(t):
    """stats for people, and --json as events has it"""
    _, identifier = up(t, memory={"limit": 64 * MIB}, pids={"limit": 20})
    out = t.ok("stats", identifier).out
    for part in ("CPU time", "of 64.0 MiB", "1 of 20"):
        t.contains(out, part)
    record = json.loads(t.ok("stats", "--json", identifier).out)
    t.equal((record["type"], record["id"], record["data"]["pids"]["limit"]), ("stats", identifier, 20))


@test(needs="limits")
def created_and_paused(t):
    """statistics of a created and of a paused container"""
    identifier = t.create(limited(t))
    t.equal(json.loads(t.ok("events", "--stats", identifier).out)["data"]["pids"]["current"], 1)
    t.ok("start", identifier)
    t.ok("pause", identifier)
    t.equal(json.loads(t.ok("events", "--stats", identifier).out)["data"]["pids"]["current"], 1)


@test(needs="cgroup")
def exec_into_a_pause(t):
    """exec --ignore-paused waits in the paused container and runs when it is resumed"""
    bundle, identifier = up(t)
    t.ok("pause", identifier)
    process = t.spawn("exec", "--ignore-paused", identifier, "sh", "-c", "echo ran >/ran; exit 5")
    time.sleep(0.5)
    t.true(process.poll() is None and not os.path.exists(f"{bundle.rootfs}/ran"), "it ran")
    t.equal(t.status(identifier), "paused")
    t.ok("resume", identifier)
    t.eventually(lambda: process.poll() is not None, "exec ends")
    t.equal((process.returncode, t.read(f"{bundle.rootfs}/ran")), (5, "ran\n"))


@test(needs="cgroup")
def exec_into_a_pause_is_killed(t):
    """delete --force ends an exec that waits in a paused container"""
    _, identifier = up(t)
    t.ok("pause", identifier)
    process = t.spawn("exec", "--ignore-paused", identifier, "sleep", "1000")
    time.sleep(0.3)
    t.ok("delete", "--force", identifier, reap=True)
    t.eventually(lambda: process.poll() is not None, "exec ends")
    t.true(process.returncode != 0, "exec succeeded")


@test(needs="cgroup")
def pause_of_a_tree(t):
    """pause stops every process of a busy container, those being forked included"""
    bundle, identifier = up(t, "sh", "-c", "while :; do (true); done & while :; do (true); done")
    for _ in range(5):
        t.ok("pause", identifier)
        t.contains(t.read(f"{bundle.cgroup}/cgroup.events"), "frozen 1")
        t.ok("resume", identifier)
    t.ok("delete", "--force", identifier, reap=True)


@test
def unknown(t):
    """statistics and limits of what is not there"""
    for verb in (["events", "--stats"], ["stats"], ["pause"], ["resume"], ["update", "--pids-limit", "3"]):
        t.fails(*verb, "nobody", text="does not exist")

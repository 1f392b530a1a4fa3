"""events, stats, pause and resume: what a container's cgroup tells."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import termios
import time

from harness import Settings, cases, test
from limits import MIB, counter, limited, up


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


@cases([("cpu", "cpu", ["sh", "-c", "while :; do :; done & while :; do :; done"], {"cpu": {"cpus": "0"}}),
        ("memory", "memory", ["probe", "memory", "12", "hold"], {"unified": {"memory.high": str(8 * MIB)}})],
       needs=("limits", "probe"))
def pressure(t, kind, args, resources):
    """events --stats: two that want one processor, and one that wants more memory, have to wait"""
    if not os.path.exists(f"/proc/pressure/{kind}"):
        t.skip("this kernel does not measure pressure")
    _, identifier = up(t, *args, **resources)

    def waited():
        data = json.loads(t.ok("events", "--stats", identifier).out)["data"]
        return data[kind]["psi"]["some"]["total"] > 1000
    t.eventually(waited, f"a wait for {kind}")


@test(needs=("limits", "probe"))
def out_of_memory(t):
    """events tells of a process killed for want of memory, and goes on"""
    _, identifier = up(t, memory={"limit": 20 * MIB, "swap": 20 * MIB})
    _, out = watch(t, identifier, "60s")
    time.sleep(0.3 * Settings.patience)
    # Scripts look for the word.
    t.lacks(t.ok("events", "--stats", identifier).out, "oom")
    result = t.rt("exec", identifier, "probe", "memory", "100")
    t.equal(result.code, 137)
    t.contains(result.err, "the process was OOM-killed (memory limit too low?)")
    t.eventually(lambda: {"type": "oom", "id": identifier} in lines(t, out), "an oom event")
    t.equal(t.status(identifier), "running")
    t.equal(t.state(identifier)["oomKills"], 1)
    memory = json.loads(t.ok("events", "--stats", identifier).out)["data"]["memory"]
    t.equal(memory["events"]["oom_kill"], 1)
    t.true(memory["events"]["max"] > 0, memory["events"])


@test(needs=("limits", "probe"))
def killed_after_another(t):
    """an exec that was killed is not said to want memory because one before it did"""
    bundle, identifier = up(t, memory={"limit": 20 * MIB, "swap": 20 * MIB})
    t.equal(t.rt("exec", identifier, "probe", "memory", "100").code, 137)
    t.equal(counter(bundle, "memory.events", "oom_kill"), 1)
    result = t.rt("exec", identifier, "sh", "-c", "kill -9 $$")
    t.equal((result.code, result.err), (137, ""))
    # Nor one that was killed before it was the program: it waits in the pause.
    t.ok("pause", identifier)
    process = t.spawn("exec", "--ignore-paused", identifier, "true")
    error = f"{t.directory}/stderr{t.count}"
    init = str(t.pid(identifier))
    stage = t.eventually(lambda: set(t.read(f"{bundle.cgroup}/cgroup.procs").split()) - {init},
                         "the process of exec")
    os.kill(int(stage.pop()), signal.SIGKILL)
    t.eventually(lambda: process.poll() is not None, "exec ends")
    t.equal(process.returncode, 255)
    t.lacks(t.read(error), "OOM")


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
def stats_of_several(t):
    """stats of several: a line each, and with --json an object each"""
    names = [up(t)[1] for _ in range(2)]
    table = t.ok("stats", *names).out.splitlines()
    t.equal([line.split()[0] for line in table], ["ID", *names])
    records = [json.loads(line) for line in t.ok("stats", "--json", *names).out.splitlines()]
    t.equal([record["id"] for record in records], names)
    t.fails("stats", names[0], "nobody", text="does not exist")


@test(needs="limits", timeout=90)
def stats_on_a_terminal(t):
    """stats on a terminal: drawn again and again with the history, no line too long, until all end"""
    _, busy = up(t, "sh", "-c", "while :; do :; done", cpu={"quota": 50000, "period": 100000})
    _, quiet = up(t, memory={"limit": 64 * MIB})
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
    process = t.spawn("stats", busy, quiet, stdout=slave)
    os.close(slave)
    again, shown = "\x1b[3A", ""

    def shows(condition):
        nonlocal shown
        while select.select([master], [], [], 0)[0]:
            try:
                shown += os.read(master, 65536).decode()
            except OSError:  # its other side is closed
                break
        return condition()
    t.eventually(lambda: shows(lambda: shown.count(again) >= 4), "four more tables", 20)
    lines = shown.split(again)[3].replace("\x1b[K", "").splitlines()[:3]
    t.equal([line.split()[0] for line in lines], ["ID", busy, quiet])
    t.true(max(map(len, lines)) <= 70, lines)
    share, bars = lines[1].split()[1:3]
    t.true(20 < float(share.rstrip("%")) < 80, f"half a processor is shown as {share}")
    t.true(len(bars) == 3 and set(bars) <= set("▂▃▄▅▆▇"), lines)
    t.contains(lines[2], "of 64.0 MiB")
    for identifier in (busy, quiet):
        t.ok("delete", "--force", identifier, reap=True)
    t.eventually(lambda: shows(lambda: process.poll() is not None), "it ends")
    t.equal(process.returncode, 0)
    shows(lambda: True)
    t.equal(shown.split(again)[-1].count("ended"), 2)


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

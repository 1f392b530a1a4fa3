"""kill, delete, list, ps, pause and resume."""
import json
import os
import signal
import time

from harness import cases, test


@test
def delete_unknown_force(t):
    """delete --force of an unknown id succeeds in silence"""
    result = t.ok("delete", "--force", "nobody")
    t.equal((result.out, result.err), ("", ""))


@test
def delete_running(t):
    """delete of a running container is refused with its status"""
    identifier = t.up()
    t.fails("delete", identifier, text="that is not stopped: running")
    t.equal(t.status(identifier), "running")


@test
def delete_force_running(t):
    """delete --force kills"""
    identifier = t.up()
    pid = t.pid(identifier)
    t.ok("delete", "--force", identifier)
    t.equal(t.wait(pid), -9)
    t.fails("state", identifier, text="does not exist")


@test
def delete_force_is_quick(t):
    """delete --force of a running container takes less than half a second"""
    identifier = t.up()
    began = time.monotonic()
    t.ok("delete", "--force", identifier)
    t.quick(time.monotonic() - began, 0.5, "delete --force")


@test
def delete_created(t):
    """delete of a created container works and runs nothing"""
    bundle = t.bundle("sh", "-c", "echo ran >/mark")
    identifier = t.create(bundle)
    pid = t.pid(identifier)
    t.ok("delete", identifier)
    t.wait(pid)
    t.true(not os.path.exists(f"{bundle.rootfs}/mark"), "the program ran")


@test
def kill_created(t):
    """a created container can be killed"""
    identifier = t.create(t.bundle())
    pid = t.pid(identifier)
    t.ok("kill", identifier, "KILL")
    t.wait(pid)
    t.equal(t.status(identifier), "stopped")
    t.ok("delete", identifier)


@test
def kill_created_gently(t):
    """a created container ends by SIGTERM, though it is the first of its pid namespace"""
    identifier = t.create(t.bundle())
    pid = t.pid(identifier)
    t.ok("kill", identifier, "TERM")
    t.wait(pid)
    t.equal(t.status(identifier), "stopped")


@test
def kill_stopped(t):
    """kill of a stopped container says so"""
    identifier = t.up("true")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.fails("kill", identifier, "TERM",
            text=["container not running", "no such process", "process already finished"])


@test
def kill_all_stopped(t):
    """kill --all of a stopped container succeeds"""
    identifier = t.up("true")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.ok("kill", "--all", identifier, "KILL")


@cases([("default", None, 15), ("number", "10", 10), ("name", "USR2", 12), ("SIG", "SIGHUP", 1),
        ("lower", "hup", 1), ("INT", "INT", 2), ("WINCH", "SIGWINCH", 28)], needs="probe")
def kill_signal(t, name, number):
    """kill sends the named signal, TERM by default"""
    bundle = t.bundle("probe", "catch")
    identifier = t.create(bundle)
    out = t.last_out
    t.ok("start", identifier)
    t.eventually(lambda: "ready" in t.read(out), "ready")
    t.ok("kill", identifier, *([name] if name else []))
    t.eventually(lambda: f"signal {number}\n" in t.read(out), f"signal {number}")


@test(needs="probe")
def kill_realtime_signal(t):
    """kill takes the numbers of real-time signals"""
    identifier = t.create(t.bundle("probe", "catch"))
    out = t.last_out
    t.ok("start", identifier)
    t.eventually(lambda: "ready" in t.read(out), "ready")
    t.ok("kill", identifier, "37")
    t.eventually(lambda: "signal 37" in t.read(out), "signal 37")


@cases([("word", "NOPE"), ("number", "99"), ("negative", "-5"), ("empty", ""), ("suffix", "9x")])
def kill_bad_signal(t, name):
    """an unknown signal is refused and sends nothing"""
    identifier = t.up()
    t.fails("kill", identifier, name)
    t.equal(t.status(identifier), "running")


@test(needs="cgroup")
def kill_all(t):
    """kill --all reaches every process of the container"""
    identifier = t.up("sh", "-c", "sleep 1000 & sleep 1000 & wait; sleep 1000")
    t.eventually(lambda: len(json.loads(t.ok("ps", "-f", "json", identifier).out)) >= 3, "three")
    t.ok("kill", "--all", identifier, "KILL")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")


@test(needs="cgroup")
def shared_pid_namespace(t):
    """without a pid namespace the end of init by KILL ends its children too"""
    identifier = t.create(t.bundle("sh", "-c", "sleep 4321 & sleep 4321; true")
                          .without_namespace("pid"))
    t.ok("start", identifier)
    t.eventually(lambda: len(json.loads(t.ok("ps", "-f", "json", identifier).out)) >= 3, "child")
    pid = t.pid(identifier)
    t.ok("kill", identifier, "KILL")
    t.wait(pid)
    t.eventually(lambda: not t.descendants(), "the children end too")


@test(needs="cgroup")
def kill_left_processes(t):
    """without a pid namespace KILL ends what init left behind, once"""
    identifier = t.create(t.bundle("sh", "-c", "sleep 4321 & exit 0").without_namespace("pid"))
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.wait(pid)
    t.ok("kill", identifier, "KILL")
    t.eventually(lambda: not t.descendants(), "left process ends")
    t.fails("kill", identifier, "KILL", text="container not running")


@test(needs="cgroup")
def delete_kills_left_processes(t):
    """without a pid namespace delete ends what init left behind"""
    identifier = t.create(t.bundle("sh", "-c", "sleep 4321 & exit 0").without_namespace("pid"))
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.wait(pid)
    t.ok("delete", "--force", identifier)
    t.eventually(lambda: not t.descendants(), "left process ends")


@test
def list_empty(t):
    """list of an empty root"""
    t.equal(t.ok("list", "-q").out, "")
    t.equal(t.ok("list", "-f", "json").out.strip(), "null")


@test
def list_table(t):
    """list prints a table with a head"""
    identifier = t.up()
    lines = t.ok("list").out.splitlines()
    t.equal(lines[0].split()[:5], ["ID", "PID", "STATUS", "BUNDLE", "CREATED"])
    row = [line.split() for line in lines[1:] if line.startswith(identifier)]
    t.equal(row[0][:3], [identifier, str(t.pid(identifier)), "running"])


@test
def list_json_and_quiet(t):
    """list -f json is an array of states, list -q the ids"""
    first, second = t.up(), t.create(t.bundle())
    states = json.loads(t.ok("list", "--format", "json").out)
    t.equal({s["id"]: s["status"] for s in states}, {first: "running", second: "created"})
    t.equal(sorted(t.ok("list", "--quiet").out.split()), sorted([first, second]))


@test(needs="cgroup")
def ps_json(t):
    """ps -f json lists the host pids"""
    identifier = t.up("sh", "-c", "sleep 1000 & wait")
    pids = t.eventually(lambda: (p := json.loads(t.ok("ps", "--format", "json", identifier).out))
                        and len(p) == 2 and p, "two processes")
    t.true(t.pid(identifier) in pids, "init is missing")


@test(needs="cgroup")
def ps_table(t):
    """ps prints the lines of ps(1) that belong to the container"""
    identifier = t.up("sleep", "4242")
    result = t.ok("ps", identifier)
    t.contains(result.out.splitlines()[0], "PID")
    t.contains(result.out, str(t.pid(identifier)))
    t.equal(len(result.out.splitlines()), 2)


@test(needs="cgroup")
def pause_and_resume(t):
    """pause stops the processes, resume lets them go on"""
    bundle = t.bundle("sh", "-c", "while :; do date +%s%N >/tick; usleep 10000; done")
    identifier = t.create(bundle)
    t.ok("start", identifier)
    t.eventually(lambda: os.path.exists(f"{bundle.rootfs}/tick"), "ticks")
    t.ok("pause", identifier)
    t.equal(t.status(identifier), "paused")
    one = t.read(f"{bundle.rootfs}/tick")
    time.sleep(0.1)
    t.equal(t.read(f"{bundle.rootfs}/tick"), one, "a paused container ticks")
    t.ok("resume", identifier)
    t.equal(t.status(identifier), "running")
    t.eventually(lambda: t.read(f"{bundle.rootfs}/tick") != one, "ticks again")


@test(needs="cgroup")
def pause_twice(t):
    """pause of a paused, resume of a running container are refused"""
    identifier = t.up()
    t.ok("pause", identifier)
    t.fails("pause", identifier)
    t.ok("resume", identifier)
    t.fails("resume", identifier)
    t.equal(t.status(identifier), "running")


@test(needs="cgroup")
def pause_stopped(t):
    """pause of a stopped container is refused"""
    identifier = t.up("true")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.fails("pause", identifier)


@test(needs="cgroup")
def exec_paused(t):
    """exec in a paused container is refused and names the flag"""
    identifier = t.up()
    t.ok("pause", identifier)
    t.fails("exec", identifier, "true",
            text="cannot exec in a paused container (use --ignore-paused to override)")


@test
def exec_stopped(t):
    """exec in a stopped container is refused"""
    identifier = t.up("true")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.fails("exec", identifier, "true", text="cannot exec in a stopped container")


@test(needs="cgroup")
def kill_and_delete_paused(t):
    """a paused container dies of KILL and delete --force"""
    identifier = t.up()
    t.ok("pause", identifier)
    began = time.monotonic()
    t.ok("delete", "--force", identifier)
    t.quick(time.monotonic() - began, 2, "delete --force")


@test
def delete_sigstopped_init(t):
    """delete --force ends a stopped (SIGSTOP) init"""
    identifier = t.up()
    os.kill(t.pid(identifier), signal.SIGSTOP)
    t.ok("delete", "--force", identifier)

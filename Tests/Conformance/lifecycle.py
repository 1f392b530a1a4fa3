"""create, start, state, kill, delete, list, ps, pause, resume: what happens in which order."""
import json
import os
import pwd
import re
import signal
import time

from harness import Settings, cases, test


@test
def created_is_not_running(t):
    """create makes the container, start runs its program"""
    bundle = t.bundle("sh", "-c", "echo ran >/mark")
    identifier = t.create(bundle)
    t.equal(t.status(identifier), "created")
    t.true(not os.path.exists(f"{bundle.rootfs}/mark"), "ran before start")
    t.ok("start", identifier)
    t.eventually(lambda: os.path.exists(f"{bundle.rootfs}/mark"), "the program runs")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.ok("delete", identifier)
    t.fails("state", identifier, text="does not exist")


@test
def state_fields(t):
    """state has what OCI and the engines read"""
    bundle = t.bundle("sleep", "1000", annotations={"a.b/c": "d e"})
    identifier = t.create(bundle)
    state = t.state(identifier)
    for key in ("ociVersion", "id", "status", "pid", "bundle"):
        t.true(key in state, f"no {key} in {state}")
    t.equal(state["id"], identifier)
    t.equal(os.path.realpath(state["bundle"]), os.path.realpath(bundle.path))
    t.equal(state["annotations"], {"a.b/c": "d e"})
    t.true(os.path.exists(f"/proc/{state['pid']}"), "pid is no process")
    t.true(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
                    state.get("created", "")), f"created: {state.get('created')}")
    t.equal(os.path.realpath(state["rootfs"]), os.path.realpath(bundle.rootfs))


@test
def state_is_one_json_object(t):
    """state prints one JSON document and nothing else"""
    identifier = t.create(t.bundle())
    result = t.ok("state", identifier)
    json.loads(result.out)
    t.equal(result.err, "", "stderr")


@test
def stopped_has_pid_zero(t):
    """a stopped container, even an unreaped one, is stopped and has pid 0"""
    identifier = t.up("true")
    t.eventually(lambda: t.status(identifier) == "stopped", "zombie is stopped")
    t.equal(t.state(identifier).get("pid", 0), 0, "pid")


@test
def exit_code_reaches_the_engine(t):
    """init is a child of the subreaper and its exit code is the program's"""
    identifier = t.create(t.bundle("sh", "-c", "exit 42"))
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.equal(t.wait(pid), 42)


@cases([("0", 0), ("1", 1), ("7", 7), ("125", 125), ("126", 126), ("127", 127), ("255", 255)])
def run_exit_code(t, code):
    """foreground run ends with the program's code"""
    t.equal(t.run(t.bundle("sh", "-c", f"exit {code}")).code, code)


@cases([("TERM", 15), ("KILL", 9), ("SEGV", 11), ("USR1", 10)])
def run_signal_code(t, number):
    """foreground run of a program ended by a signal ends with 128 + number"""
    script = f"sh -c 'kill -{number} $$'; exit $?"
    t.equal(t.run(t.bundle("sh", "-c", script)).code, 128 + number)


@test
def init_killed_by_signal(t):
    """run of an init killed from outside ends with 137"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("run", "-b", bundle.path, identifier)
    t.eventually(lambda: t.rt("state", identifier).out.count('"running"'), "running")
    t.ok("kill", identifier, "KILL")
    t.equal(process.wait(10 * Settings.patience), 137)


@test
def run_deletes(t):
    """foreground run deletes the container when it ended"""
    bundle = t.bundle()
    result = t.run(bundle)
    t.equal(result.code, 0)
    t.fails("state", t.ids[-1], text="does not exist")


@test
def run_keep(t):
    """run --keep leaves the stopped container"""
    result = t.run(t.bundle(), "--keep")
    t.equal(result.code, 0, str(result))
    t.equal(t.status(t.ids[-1]), "stopped")
    t.ok("delete", t.ids[-1])


@test
def run_detached(t):
    """run --detach returns with the container running"""
    result = t.run(t.bundle("sleep", "1000"), "--detach")
    t.equal(result.code, 0, str(result))
    t.equal(t.status(t.ids[-1]), "running")


@test
def run_output_and_input(t):
    """foreground run passes stdin, stdout and stderr through"""
    result = t.run(t.bundle("sh", "-c", "cat; echo two >&2"), stdin="one")
    t.equal((result.code, result.out, result.err), (0, "one", "two\n"))


@test
def run_in_bundle_directory(t):
    """without --bundle the bundle is the working directory"""
    bundle = t.bundle("echo", "here")
    identifier = t.own(t.new_id(), bundle)
    t.equal(t.ok("run", identifier, cwd=bundle.path).out, "here\n")


@test
def relative_bundle(t):
    """a relative --bundle is reported as an absolute path"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    t.ok("create", "--bundle", os.path.relpath(bundle.path, t.directory), identifier)
    t.equal(os.path.realpath(t.state(identifier)["bundle"]), os.path.realpath(bundle.path))
    t.true(t.state(identifier)["bundle"].startswith("/"), "not absolute")


@test
def config_changes_after_create(t):
    """changes of config.json after create have no effect"""
    bundle = t.bundle("sh", "-c", "echo first >/mark")
    identifier = t.create(bundle)
    bundle.set("process.args", ["sh", "-c", "echo second >/mark"]).save(identifier)
    t.ok("start", identifier)
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.equal(t.read(f"{bundle.rootfs}/mark"), "first\n")


@test
def works_after_config_is_gone(t):
    """start, exec, kill and delete do not need the bundle's config.json"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.create(bundle)
    os.unlink(f"{bundle.path}/config.json")
    t.ok("start", identifier)
    t.ok("exec", identifier, "true")
    t.ok("kill", identifier, "KILL")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.ok("delete", identifier)


@test
def duplicate_id(t):
    """a second create of an id is refused and leaves the first alone"""
    identifier = t.up()
    pid = t.pid(identifier)
    bundle = t.bundle("sleep", "1000")
    bundle.save("other")
    t.fails("create", "-b", bundle.path, identifier, text=["already exists", "exists"])
    t.equal((t.status(identifier), t.pid(identifier)), ("running", pid))


@test
def start_twice(t):
    """start of a running container is refused"""
    identifier = t.up()
    t.fails("start", identifier, text="cannot start an already running container")
    t.equal(t.status(identifier), "running")


@test
def start_stopped(t):
    """start of a stopped container is refused"""
    identifier = t.up("true")
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.fails("start", identifier, text=["cannot start a container that has stopped", "stopped"])


@cases([(verb, verb, rest) for verb, *rest in
        (("start",), ("state",), ("kill", "KILL"), ("delete",), ("pause",), ("resume",), ("ps",),
         ("exec", "true"), ("update", "--pids-limit"))])
def unknown_id(t, verb, rest):
    """every verb names an unknown id: "does not exist" """
    if verb == "update":
        t.fails("update", "--pids-limit", "10", "nobody", text="does not exist")
    else:
        t.fails(verb, "nobody", *rest, text="does not exist")


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


@test
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


@test
def ps_json(t):
    """ps -f json lists the host pids"""
    identifier = t.up("sh", "-c", "sleep 1000 & wait")
    pids = t.eventually(lambda: (p := json.loads(t.ok("ps", "--format", "json", identifier).out))
                        and len(p) == 2 and p, "two processes")
    t.true(t.pid(identifier) in pids, "init is missing")


@test
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


@test
def pid_file(t):
    """--pid-file holds the decimal host pid, without line end, once create returned"""
    path = f"{t.directory}/pid"
    identifier = t.create(t.bundle(), "--pid-file", path)
    t.equal(t.read(path), str(t.pid(identifier)))


@test
def pid_file_replaces(t):
    """--pid-file replaces an old file and does not follow a symlink in its place"""
    victim = t.file("victim", "keep")
    path = f"{t.directory}/pid"
    os.symlink(victim, path)
    t.create(t.bundle(), "--pid-file", path)
    t.equal(t.read(victim), "keep")


@test
def pid_file_directory_missing(t):
    """an impossible --pid-file fails the create and leaves nothing"""
    bundle = t.bundle()
    identifier = t.own(t.new_id(), bundle)
    t.fails("create", "-b", bundle.path, "--pid-file", f"{t.directory}/no/pid", identifier)
    t.fails("state", identifier, text="does not exist")


@test
def ids_are_reusable(t):
    """an id is free again after delete"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.create(bundle)
    for _ in range(5):
        t.ok("delete", "--force", identifier)
        t.reap()
        t.ok("create", "-b", bundle.path, identifier)


@test
def many_in_parallel(t):
    """twelve containers at once"""
    started = []
    for _ in range(12):
        bundle = t.bundle("sh", "-c", "echo fine; exit 3")
        identifier = t.own(t.new_id(), bundle)
        started.append(t.spawn("run", "-b", bundle.path, identifier))
    t.equal([process.wait(30 * Settings.patience) for process in started], [3] * 12)


@test
def runtime_is_short_lived(t):
    """after create and start no process of the runtime stays"""
    identifier = t.up()
    pids = json.loads(t.ok("ps", "-f", "json", identifier).out)
    t.eventually(lambda: sorted(t.descendants()) == sorted(pids),
                 f"only the container's processes: {t.descendants()} and {pids}")


@test
def oci_version_of_state(t):
    """state tells a version of the specification"""
    identifier = t.create(t.bundle())
    t.true(re.match(r"1\.\d+\.\d+", t.state(identifier)["ociVersion"]), "no version")


@test
def owner(t):
    """state names the user who made the container"""
    identifier = t.create(t.bundle())
    t.equal(t.state(identifier).get("owner"), pwd.getpwuid(os.geteuid()).pw_name)


@test
def start_gate_is_private(t):
    """the state directory is closed to others"""
    identifier = t.create(t.bundle())
    mode = os.stat(f"{t.root}/{identifier}").st_mode & 0o777
    t.true(mode & 0o066 == 0, f"mode {mode:o}")


@test
def root_is_created(t):
    """a missing --root is made"""
    t.root = f"{t.directory}/some/where/else"
    t.create(t.bundle())


@test
def survives_death_of_creator(t):
    """a created container outlives the process that called create"""
    identifier = t.create(t.bundle("sleep", "1000"))
    t.ok("start", identifier)
    time.sleep(0.05)
    t.equal(t.status(identifier), "running")

"""create, start, state, kill, delete, list, ps, pause, resume: what happens in which order."""
import json
import os
import pwd
import re
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
    # Not by `ps`: an ordinary user's container may have no cgroup to count.
    t.eventually(lambda: t.descendants() == [t.pid(identifier)],
                 f"only the container's process: {t.descendants()} and {t.pid(identifier)}")


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

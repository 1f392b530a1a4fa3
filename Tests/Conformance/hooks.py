"""Hooks: order, place, state, environment, failure."""
import json
import os
import shutil

from harness import cases, test

KINDS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]


def log_hook(t, bundle, kind, script=None):
    """Appends its name to a log: inside for startContainer (in the root), outside for the others."""
    place = "/log" if kind == "startContainer" else f"{bundle.rootfs}/log"
    return bundle.hook(kind, f"echo {script or kind} >>{place}")


@test
def order(t):
    """all hooks run, in the order of the specification, around the program"""
    bundle = t.bundle("sh", "-c", "echo program >>/log; sleep 0.3")
    os.chmod(bundle.rootfs, 0o777)
    for kind in KINDS:
        log_hook(t, bundle, kind)
        log_hook(t, bundle, kind, kind + "2")
    identifier = t.create(bundle)
    t.equal(t.read(f"{bundle.rootfs}/log").split(),
            [w for k in KINDS[:3] for w in (k, k + "2")], "after create")
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.wait(pid)
    started = t.read(f"{bundle.rootfs}/log").split()
    t.equal([w for w in started if w != "program"],
            [w for k in KINDS[:5] for w in (k, k + "2")], "after start")
    t.true(started.index("program") > started.index("startContainer2"), started)
    t.ok("delete", identifier)
    t.equal(t.read(f"{bundle.rootfs}/log").split()[-2:], ["poststop", "poststop2"])


@cases([(kind, kind) for kind in KINDS if kind not in ("createContainer", "startContainer")])
def working_directory(t, kind):
    """a hook in the runtime's namespaces starts in the bundle"""
    bundle = t.bundle("true")
    bundle.hook(kind, f"pwd >{t.directory}/place")
    t.equal(t.run(bundle).code, 0)
    t.equal(t.read(f"{t.directory}/place"), bundle.path + "\n")


@test
def bundle_is_gone(t):
    """a poststop hook runs also when the bundle was removed"""
    bundle = t.bundle("true").hook("poststop", f"echo ran >{t.directory}/ran")
    identifier = t.create(bundle)
    shutil.rmtree(bundle.path)
    t.ok("delete", "--force", identifier)
    t.equal(t.read(f"{t.directory}/ran"), "ran\n")


@cases([(kind, kind) for kind in KINDS])
def state_on_stdin(t, kind):
    """a hook gets the container's state"""
    bundle = t.bundle("sleep", "0.3", annotations={"k": "v"})
    os.chmod(bundle.rootfs, 0o777)
    place = "/state" if kind == "startContainer" else f"{bundle.rootfs}/state"
    bundle.hook(kind, f"cat >{place}")
    identifier = t.create(bundle)
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.wait(pid)
    t.ok("delete", identifier)
    state = json.loads(t.read(f"{bundle.rootfs}/state"))
    t.equal(state["id"], identifier)
    t.equal(os.path.realpath(state["bundle"]), os.path.realpath(bundle.path))
    t.equal(state["annotations"], {"k": "v"})
    expected = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
                "startContainer": "created", "poststart": "running", "poststop": "stopped"}[kind]
    t.contains(state["status"], [expected, "created"] if kind != "poststop" else expected)
    if kind in ("prestart", "createRuntime", "poststart"):
        t.equal(state["pid"], pid)


@cases([(kind, kind) for kind in KINDS[:4]])
def failure_stops(t, kind):
    """a failing hook fails create or start and stops the container"""
    bundle = t.bundle("sh", "-c", "echo ran >/ran")
    bundle.hook(kind, "echo the-hooks-own-words >&2; exit 3")
    identifier = t.own(t.new_id(), bundle)
    result = t.fails("run", "-b", bundle.path, identifier)
    t.true(not os.path.exists(f"{bundle.rootfs}/ran"), f"the program ran: {result}")
    t.fails("state", identifier, text="does not exist")


@cases([(kind, kind) for kind in ("prestart", "createRuntime")])
def failure_says_what(t, kind):
    """the error has the hook's own output"""
    bundle = t.bundle()
    bundle.hook(kind, "echo the-hooks-own-words >&2; exit 3")
    identifier = t.own(t.new_id(), bundle)
    t.fails("create", "-b", bundle.path, identifier, text="the-hooks-own-words")


@test
def failing_poststop(t):
    """a failing poststop hook does not fail delete; the others still run"""
    bundle = t.bundle()
    os.chmod(bundle.rootfs, 0o777)
    bundle.hook("poststop", "exit 1").hook("poststop", f"touch {bundle.rootfs}/second")
    identifier = t.create(bundle)
    t.ok("delete", "--force", identifier)
    t.true(os.path.exists(f"{bundle.rootfs}/second"), "the second did not run")


@test
def failing_poststart(t):
    """a failing poststart hook stops the container"""
    bundle = t.bundle("sleep", "1000").hook("poststart", "exit 1")
    identifier = t.create(bundle)
    t.fails("start", identifier)
    t.eventually(lambda: '"running"' not in t.rt("state", identifier).out, "stopped")


@test
def environment_is_exact(t):
    """a hook gets exactly the environment of the config"""
    bundle = t.bundle()
    entry = {"path": "/usr/bin/env", "args": ["env"], "env": ["ONE=1", "TWO=2"]}
    entry["path"] = "/bin/sh"
    entry["args"] = ["sh", "-c", f"tr '\\0' '\\n' </proc/self/environ >{bundle.rootfs}/env"]
    bundle.config["hooks"] = {"createRuntime": [entry]}
    os.chmod(bundle.rootfs, 0o777)
    t.create(bundle, env={**os.environ, "SECRET": "x"})
    t.equal(sorted(w for w in t.read(f"{bundle.rootfs}/env").split() if w[:4] not in ("PWD=", "SHLV", "_=")),
            ["ONE=1", "TWO=2"])


@test
def container_hooks_find_their_place(t):
    """startContainer has the process's environment, createContainer the root as its directory"""
    bundle = t.bundle("sh", "-c", "cat /seen; test -e /touched && echo touched")
    bundle.config["process"]["env"] = ["PATH=/bin", "ONE=two"]
    bundle.config["hooks"] = {
        "createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "/usr/bin/touch ./touched"]}],
        "startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "echo $ONE >/seen"]}]}
    os.chmod(bundle.rootfs, 0o777)
    result = t.run(bundle)
    t.equal((result.code, result.out.split()), (0, ["two", "touched"]))


@test
def no_environment(t):
    """a hook with an empty env gets none of the caller's"""
    bundle = t.bundle()
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "env": [], "args": [
        "sh", "-c", f"/usr/bin/tr '\\0' '\\n' </proc/$$/environ >{bundle.rootfs}/env"]}]}
    os.chmod(bundle.rootfs, 0o777)
    t.create(bundle, env={**os.environ, "SECRET": "x"})
    t.lacks(t.read(f"{bundle.rootfs}/env"), "SECRET")


@cases([(kind, kind) for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")])
def inherited_environment(t, kind):
    """a hook without env, of the runtime's files, has the runtime's environment, as with runc and crun"""
    bundle = t.bundle("sleep", "1000")
    os.chmod(bundle.rootfs, 0o777)
    bundle.config["hooks"] = {kind: [{"path": "/bin/sh", "args": [
        "sh", "-c", f"echo $GIVEN >{bundle.rootfs}/env"]}]}
    environment = {**os.environ, "GIVEN": "yes"}
    identifier = t.create(bundle, env=environment)
    t.ok("start", identifier, env=environment)
    t.ok("delete", "--force", identifier, env=environment)
    t.equal(t.read(f"{bundle.rootfs}/env"), "yes\n")


@test(needs="probe")
def handles(t):
    """a hook has handles 0 to 2 only"""
    from harness import tool
    bundle = t.bundle()
    os.chmod(bundle.rootfs, 0o777)
    bundle.hook("createRuntime", f"{tool('probe')} fds >{bundle.rootfs}/fds")
    held = [os.open("/", os.O_RDONLY) for _ in range(10)]
    t.create(bundle, pass_fds=held)
    t.equal([x.split()[0] for x in t.read(f"{bundle.rootfs}/fds").splitlines()], ["0", "1", "2"])


@test
def timeout(t):
    """a hook that takes longer than its timeout is killed and fails the create"""
    bundle = t.bundle().hook("createRuntime", "sleep 1000", timeout=1)
    identifier = t.own(t.new_id(), bundle)
    result = t.fails("create", "-b", bundle.path, identifier)
    t.true(result.seconds > 0.9, f"{result.seconds} s")
    t.quick(result.seconds, 5, "a timeout of one second")


@test
def missing_program(t):
    """a hook that does not exist is an error that names it"""
    bundle = t.bundle()
    bundle.config["hooks"] = {"createRuntime": [{"path": "/no/such/hook"}]}
    identifier = t.own(t.new_id(), bundle)
    t.fails("create", "-b", bundle.path, identifier, text="/no/such/hook")


@test
def relative_path(t):
    """a hook's path must be absolute"""
    bundle = t.bundle()
    bundle.config["hooks"] = {"createRuntime": [{"path": "bin/true"}]}
    identifier = t.own(t.new_id(), bundle)
    t.fails("create", "-b", bundle.path, identifier)


@test
def namespaces_of_hooks(t):
    """createRuntime runs in the runtime's namespaces, createContainer in the container's"""
    bundle = t.bundle("sleep", "1000")
    os.chmod(bundle.rootfs, 0o777)
    bundle.hook("createRuntime", f"readlink /proc/self/ns/uts /proc/self/ns/mnt >{bundle.rootfs}/runtime")
    bundle.hook("createContainer", f"readlink /proc/self/ns/uts >{bundle.rootfs}/container")
    identifier = t.create(bundle)
    t.equal(t.read(f"{bundle.rootfs}/runtime").split(),
            [os.readlink("/proc/self/ns/uts"), os.readlink("/proc/self/ns/mnt")])
    t.equal(t.read(f"{bundle.rootfs}/container").strip(),
            os.readlink(f"/proc/{t.pid(identifier)}/ns/uts"))


@test
def create_container_hook_sees_the_runtimes_files(t):
    """createContainer's path is resolved outside, before pivot_root"""
    bundle = t.bundle("sleep", "1000")
    os.chmod(bundle.rootfs, 0o777)
    program = t.file("hook.sh", f"#!/bin/sh\necho yes >{bundle.rootfs}/seen\n", 0o755)
    bundle.config["hooks"] = {"createContainer": [{"path": program}]}
    t.create(bundle)
    t.equal(t.read(f"{bundle.rootfs}/seen"), "yes\n")


@test
def start_container_hook_is_confined(t):
    """a startContainer hook, a program of the image, has no privileges that the process has not"""
    bundle = t.bundle("cat", "/seen", process__noNewPrivileges=True, process__env=["PATH=/bin"])
    bundle.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}
    bundle.config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": [
        "sh", "-c", "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status >/seen; mkdir /d 2>>/seen; "
                    "echo $HOME >>/seen"]}]}
    os.chmod(bundle.rootfs, 0o777)
    out = t.run(bundle).out.split()
    t.equal((out[1], out[3], out[-3:]), ("1", "2", ["Input/output", "error", "/root"]), str(out))


@test
def filter_kills_hook(t):
    """the end of a startContainer hook by the filter is told"""
    bundle = t.bundle("true")
    bundle.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}
    bundle.config["hooks"] = {"startContainer": [{"path": "/bin/mkdir", "args": ["mkdir", "/d"]}]}
    identifier = t.own(t.new_id(), bundle)
    t.fails("run", "-b", bundle.path, identifier, text="bad system call")


@test
def start_container_hook_is_inside(t):
    """startContainer's path is the container's"""
    bundle = t.bundle("cat", "/from-hook")
    program = f"{bundle.rootfs}/bin/inner-hook"
    with open(program, "w") as file:
        file.write("#!/bin/sh\nhostname >/from-hook\n")
    os.chmod(program, 0o755)
    bundle.config["hooks"] = {"startContainer": [{"path": "/bin/inner-hook"}]}
    t.equal(t.run(bundle).out, "box\n")


@test
def output_of_hooks_is_not_the_containers(t):
    """what a good hook prints does not reach the container's stdout"""
    bundle = t.bundle("echo", "program").hook("createRuntime", "echo noise")
    t.lacks(t.run(bundle).out, "noise")


@test
def long_output(t):
    """a hook with a megabyte of output neither hangs nor fills memory"""
    bundle = t.bundle("true").hook("createRuntime", "head -c 1000000 /dev/zero | tr '\\0' x; exit 0")
    t.equal(t.run(bundle).code, 0)


@test
def hook_can_use_the_runtime(t):
    """a poststart hook may ask for the state"""
    from harness import Settings
    bundle = t.bundle("sleep", "1000")
    os.chmod(bundle.rootfs, 0o777)
    identifier = t.new_id()
    bundle.hook("poststart", f"{Settings.runtime} --root {t.root} state {identifier} >{bundle.rootfs}/s")
    t.own(identifier, bundle)
    t.ok("create", "-b", bundle.path, identifier)
    t.ok("start", identifier)
    t.contains(t.read(f"{bundle.rootfs}/s"), '"running"')

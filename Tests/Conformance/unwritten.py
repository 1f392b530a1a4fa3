"""What engines rest on and no specification says: words, handles, identity, cgroups. A rule, a test."""
import ctypes
import json
import os
import signal
import socket

from harness import LIBC, cases, test
from terminal import ConsoleSocket

SYS_CLONE3 = 435
NEWS = "mount -t tmpfs {options} none '{place}' && "
# The runtime follows in $0 and $@.
RUN = 'exec "$0" "$@"'


def shell(script):
    """A wrapper that makes something of the host's look different, for the runtime alone."""
    return ("unshare", "-m", "--propagation", "private", "sh", "-c", script + RUN)


@cases([("mount", "mounts", [{"destination": "/x", "source": "/nope", "options": ["bind"]}]),
        ("root", "root", {"path": "nope"}),
        ("namespace", "linux.namespaces", [{"type": "mount"}, {"type": "network", "path": "/nope"}]),
        ("hook", "hooks", {"createRuntime": [{"path": "/nope"}]})])
def words_of_a_missing_program(t, path, value):
    """only a missing program is told of in the words that podman and docker take for one (exit code 127)"""
    error = t.refused(t.bundle().set(path, value)).err
    for words in ("no such file", "not found", "open executable"):
        t.lacks(error.lower(), words)


@test(needs="limits")
def words_of_a_failed_limit(t):
    """nor does a limit that the kernel lacks have those words"""
    bundle = t.bundle(linux__resources={"unified": {"memory.nope": "1"}})
    t.lacks(t.refused(bundle).err.lower(), "no such file")


@test
def file_over_directory(t):
    """a file mounted over a directory: "not a directory", for which docker has advice"""
    t.refused(t.bundle().bind(t.file("file"), "/etc"), text="not a directory")


@test(needs=("root", "apparmor"))
def words_of_a_security_module(t):
    """a profile that does not exist: the file of procfs in backquotes, by which podman tells such errors"""
    bundle = t.bundle(process__apparmorProfile="no-such-profile")
    error = t.refused(bundle).err
    t.contains(error, "`/proc/")
    t.contains(error, "/attr/")


def process_with_pid(pid):
    """A child that sleeps and has that number (clone3(2), set_tid)."""
    number = (ctypes.c_int * 1)(pid)
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = signal.SIGCHLD
    arguments[8], arguments[9] = ctypes.addressof(number), 1
    child = LIBC.syscall(SYS_CLONE3, ctypes.byref(arguments), ctypes.c_size_t(ctypes.sizeof(arguments)))
    if child < 0:
        raise OSError(ctypes.get_errno(), "clone3")
    if child == 0:
        signal.pause()
        os._exit(0)
    return child


@test(needs="root")
def reused_pid(t):
    """another process that got init's number is not the container: stopped, not killed, deleted without it"""
    identifier = t.up()
    pid = t.pid(identifier)
    os.kill(pid, signal.SIGKILL)
    t.wait(pid)
    stranger = process_with_pid(pid)
    try:
        t.equal(stranger, pid)
        t.equal(t.status(identifier), "stopped")
        t.fails("kill", identifier, "KILL", text="not running")
        t.ok("kill", "--all", identifier, "KILL")
        t.ok("delete", "--force", identifier)
        t.equal(os.waitpid(stranger, os.WNOHANG), (0, 0), "the stranger lives")
    finally:
        os.kill(stranger, signal.SIGKILL)
        os.waitpid(stranger, 0)


@test(needs="root")
def stdio_on_a_read_only_file_system(t):
    """stdio that cannot be given to the user is passed all the same"""
    place = os.path.dirname(t.file("place/file"))
    script = (f"mount -t tmpfs none '{place}' && echo word >'{place}/file' && mount -o remount,ro '{place}' && "
              f"exec <'{place}/file' && ")
    bundle = t.bundle("cat", process__user={"uid": 1001, "gid": 1002})
    t.equal(t.run(bundle, wrap=shell(script)).out, "word\n")


@test
def console_message(t):
    """the console socket gets one message of 1 to 4095 bytes with one handle"""
    console = ConsoleSocket(t)
    identifier = t.own(t.new_id(), bundle := t.bundle("sleep", "1000", process__terminal=True))
    t.ok("create", "-b", bundle.path, "--console-socket", console.path, identifier)
    connection, _ = console.server.accept()
    data, handles, _, _ = socket.recv_fds(connection, 8192, 8)
    t.true(0 < len(data) < 4096, len(data))
    t.equal(len(handles), 1)
    t.equal(connection.recv(1), b"", "what follows")


@cases([(kind, kind) for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart")])
def state_of_hooks_is_one_line(t, kind):
    """a hook gets compact JSON: shell hooks read a line"""
    bundle = t.bundle("sleep", "1000")
    os.chmod(bundle.rootfs, 0o777)
    place = "/line" if kind == "startContainer" else f"{bundle.rootfs}/line"
    bundle.hook(kind, f"cat >{place}")
    t.ok("start", t.create(bundle))
    text = t.read(f"{bundle.rootfs}/line")
    t.equal(len(text.splitlines()), 1)
    t.equal(json.loads(text)["ociVersion"][:2], "1.")


@test
def affinity(t):
    """a caller bound to one processor does not bind what it executes in a container that is not"""
    everything = os.sched_getaffinity(0)
    if len(everything) < 2:
        t.skip("one processor")
    narrow = ("taskset", "-c", str(min(everything)))
    identifier = t.up()
    t.equal(t.ok("exec", identifier, "nproc", wrap=narrow).out, f"{len(everything)}\n")


@test(needs="limits")
def memory_events_of_init(t):
    """conmon and the shim watch memory.events where /proc/PID/cgroup of init points: the limit is there"""
    bundle = t.bundle("sleep", "1000", linux__resources={"memory": {"limit": 32 << 20}})
    identifier = t.create(bundle)
    path = t.read(f"/proc/{t.pid(identifier)}/cgroup").strip().rpartition("::")[2]
    t.equal(t.read(f"/sys/fs/cgroup{path}/memory.max"), f"{32 << 20}\n")
    t.contains(t.read(f"/sys/fs/cgroup{path}/memory.events"), "oom_kill 0")


@test(needs=("root", "cgroup"))
def exec_after_init_moved(t):
    """init moved to a cgroup below and gave controllers on: exec cannot join above it and goes where init is"""
    bundle = t.bundle("sh", "-c", "cd /sys/fs/cgroup && mkdir own && echo 1 >own/cgroup.procs && "
                      "for name in $(cat cgroup.controllers); do echo +$name >cgroup.subtree_control; done; "
                      "touch /moved; sleep 1000")
    for mount in bundle.config["mounts"]:
        if mount["destination"] == "/sys/fs/cgroup":
            mount["options"].remove("ro")
    identifier = t.create(bundle)
    t.ok("start", identifier)
    t.eventually(lambda: os.path.exists(f"{bundle.rootfs}/moved"), "init has moved")
    if not t.read(f"{bundle.cgroup}/cgroup.subtree_control").strip():
        t.skip("no controller to give on")
    t.contains(t.ok("exec", identifier, "cat", "/proc/self/cgroup").out, "/own\n")


@test(needs="root")
def locked_flags(t):
    """a bind of a mount that is nosuid, nodev and noexec keeps all three in a user namespace, whatever is added"""
    place = os.path.dirname(t.file("place/file"))
    bundle = t.bundle("grep", " /v ", "/proc/self/mountinfo").user_namespace()
    bundle.bind(place, "/v", "rbind", "ro")
    result = t.run(bundle, wrap=shell(f"mount -t tmpfs -o nosuid,nodev,noexec none '{place}' && "))
    t.equal(result.code, 0, result)
    for flag in ("ro", "nosuid", "nodev", "noexec"):
        t.contains(result.out.split()[5].split(","), [flag])


@test(needs="root")
def bound_dev_is_left_alone(t):
    """where /dev is a bind no node, link or directory is made in it"""
    place = os.path.dirname(t.file("dev/null"))
    bundle = t.bundle("ls", "/dev").bind(place, "/dev")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if not m["destination"].startswith("/dev/")]
    t.equal(t.run(bundle).out, "null\n")


@test(needs="root")
def no_cgroup_file_system(t):
    """without any cgroup file system a container that wants no limits runs"""
    bundle = t.bundle("echo", "fine").without_mount("/sys/fs/cgroup")
    bundle.config["linux"].pop("resources")
    bundle.config["linux"]["cgroupsPath"] = None
    t.check_cgroup = False
    hidden = "mount -t tmpfs none /sys/fs/cgroup && "
    result = t.run(bundle, wrap=shell(hidden))
    t.equal(result.out, "fine\n", result)


@cases([("without", {}, "33"), ("with", {"run.oci.keep_original_groups": "1"}, "33 4242")], needs="root")
def keep_groups(t, annotations, groups):
    """the annotation of podman's --group-add keep-groups: the caller's groups stay, also in exec"""
    bundle = t.bundle("sleep", "1000", annotations=annotations, process__user={"uid": 33, "gid": 33})
    identifier = t.own(t.new_id(), bundle)
    caller = ("setpriv", "--groups", "4242")
    t.ok("create", "-b", bundle.path, identifier, wrap=caller)
    with open(f"/proc/{t.pid(identifier)}/status") as file:
        found = [line.split()[1:] for line in file if line.startswith("Groups:")][0]
    t.equal(found, groups.split()[1:])
    t.ok("start", identifier)
    t.equal(t.ok("exec", identifier, "id", "-G", wrap=caller).out.strip(), groups)


@test(needs="user")
def state_root_is_sticky(t):
    """below XDG_RUNTIME_DIR the state has the sticky bit, so that nobody tidies it up"""
    directory = t.directory + "/runtime"
    os.mkdir(directory, 0o700)
    t.rt("list", plain=True, env={**os.environ, "XDG_RUNTIME_DIR": directory})
    bundle = t.bundle("true")
    bundle.save("sticky")
    t.rt("run", "-b", bundle.path, "sticky", plain=True, env={**os.environ, "XDG_RUNTIME_DIR": directory})
    for name in os.listdir(directory):
        t.true(os.stat(f"{directory}/{name}").st_mode & 0o1000, name)

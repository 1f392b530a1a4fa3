"""What engines rely on and no specification says: who is whose parent, pid files, logs, notify."""
import json
import os
import signal
import socket
import time

from harness import Settings, cases, test


@test
def init_is_the_subreapers_child(t):
    """init becomes a child of the engine (the nearest subreaper)"""
    identifier = t.create(t.bundle("sleep", "1000"))
    with open(f"/proc/{t.pid(identifier)}/stat") as file:
        t.equal(int(file.read().rpartition(")")[2].split()[1]), os.getpid())


@test
def exec_is_the_subreapers_child(t):
    """so does a detached exec"""
    identifier = t.up()
    t.ok("exec", "-d", "--pid-file", f"{t.directory}/pid", identifier, "sleep", "1000")
    with open(f"/proc/{t.read(t.directory + '/pid')}/stat") as file:
        t.equal(int(file.read().rpartition(")")[2].split()[1]), os.getpid())


@test
def pid_file_exists_when_create_returns(t):
    """the pid file is complete when create returned, for twenty containers"""
    for n in range(20):
        identifier = t.create(t.bundle("true"), "--pid-file", f"{t.directory}/pid{n}")
        t.true(t.read(f"{t.directory}/pid{n}").isdigit(), "no number")
        t.ok("delete", "--force", identifier)
        t.reap()


@test
def no_pid_file_after_failure(t):
    """a failed create leaves no pid file"""
    bundle = t.bundle("no-such-program")
    bundle.save("x")
    t.fails("create", "-b", bundle.path, "--pid-file", f"{t.directory}/pid", "x")
    t.true(not os.path.exists(f"{t.directory}/pid"), "left")


@test
def create_returns_while_stdio_is_a_pipe(t):
    """create returns although the container keeps its stdio, and leaves no other writer"""
    bundle = t.bundle("sh", "-c", "echo out; exit 0")
    identifier = t.own(t.new_id(), bundle)
    reader, writer = os.pipe()
    process = t.spawn("create", "-b", bundle.path, identifier, stdout=writer)
    os.close(writer)
    t.equal(process.wait(10 * Settings.patience), 0)
    t.ok("start", identifier)
    got = b""
    while part := os.read(reader, 100):
        got += part
    t.equal(got, b"out\n")


@test
def start_does_not_hold_stdio(t):
    """start's own stdio is not the container's"""
    identifier = t.create(t.bundle("sleep", "1000"))
    reader, writer = os.pipe()
    process = t.spawn("start", identifier, stdout=writer)
    os.close(writer)
    t.equal(process.wait(10 * Settings.patience), 0)
    os.set_blocking(reader, False)
    t.eventually(lambda: os.read(reader, 1) == b"", "the pipe ends")


@test
def survives_parent_death_signal(t):
    """a creator that dies with its parent leaves nothing half done after delete --force"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("create", "-b", bundle.path, identifier)
    time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    t.ok("delete", "--force", identifier, reap=True)


@test
def zombie_is_stopped(t):
    """an init that nobody reaped is stopped, and can be deleted"""
    identifier = t.create(t.bundle("true"))
    t.ok("start", identifier)
    t.eventually(lambda: t.status(identifier) == "stopped", "stopped")
    t.ok("delete", identifier)


@test
def foreground_exec_with_process_file_and_pid_file(t):
    """exec --process F --pid-file P, attached"""
    identifier = t.up()
    process = t.file("p.json", json.dumps({"args": ["sh", "-c", "exit 4"], "cwd": "/",
                                           "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}))
    t.equal(t.rt("exec", "--process", process, "--pid-file", f"{t.directory}/pid", identifier).code, 4)


@test
def exec_process_of_create(t):
    """a relative working directory of the caller does not matter to --process"""
    identifier = t.up()
    t.file("p.json", json.dumps({"args": ["echo", "x"], "cwd": "/", "env": ["PATH=/bin"],
                                 "user": {"uid": 0, "gid": 0}}))
    t.equal(t.ok("exec", "--process", "p.json", identifier).out, "x\n")


@test
def notify_socket(t):
    """NOTIFY_SOCKET: start waits for READY=1 and passes it on with MAINPID"""
    path = f"{t.directory}/notify.sock"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    server.settimeout(10)
    bundle = t.bundle("sh", "-c", "env | grep ^NOTIFY_SOCKET; sleep 1000")
    identifier = t.own(t.new_id(), bundle)
    t.ok("create", "-b", bundle.path, identifier, env={**os.environ, "NOTIFY_SOCKET": path})
    pid = t.pid(identifier)
    process = t.spawn("start", identifier, env={**os.environ, "NOTIFY_SOCKET": path})
    directory = f"/proc/{pid}/root/run/notify"
    t.eventually(lambda: os.path.isdir(directory) and os.listdir(directory), "the socket inside")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.sendto(b"READY=1\n", f"{directory}/{os.listdir(directory)[0]}")
    got = b""
    while b"READY=1" not in got or b"MAINPID" not in got:
        got += server.recv(4096)
    t.contains(got.decode(), f"MAINPID={pid}")
    t.equal(process.wait(10 * Settings.patience), 0)


def manager(t):
    """A service manager's socket, and the environment that names it."""
    path = f"{t.directory}/manager.sock"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    server.settimeout(10)
    return server, {**os.environ, "NOTIFY_SOCKET": path}


def say(t, identifier, words):
    """What the program of a container tells its manager."""
    path = f"/proc/{t.pid(identifier)}/root/run/notify/notify.sock"
    t.eventually(lambda: os.path.exists(path), "the socket inside")
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(words, path)


@test
def notify_in_the_foreground(t):
    """run passes READY=1 on, and stays the service's main process"""
    server, environment = manager(t)
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("run", "-b", bundle.path, identifier, env=environment)
    t.eventually(lambda: t.rt("state", identifier).code == 0 and t.status(identifier) == "running",
                 "running")
    say(t, identifier, b"STATUS=at work\nMAINPID=1\nREADY=1")
    t.equal(server.recv(4096), b"STATUS=at work\nREADY=1\n")
    t.equal(process.poll(), None)
    t.ok("kill", identifier, "KILL")
    t.equal(process.wait(10 * Settings.patience), 137)


@test
def notify_barrier(t):
    """start ends when the manager has read everything"""
    server, environment = manager(t)
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    t.ok("create", "-b", bundle.path, identifier, env=environment)
    process = t.spawn("start", identifier, env=environment)
    say(t, identifier, b"READY=1")
    t.contains(server.recv(4096).decode(), "READY=1")
    words, fds, _, _ = socket.recv_fds(server, 4096, 2)
    t.equal((words, len(fds)), (b"BARRIER=1", 1))
    time.sleep(0.1)
    t.equal(process.poll(), None, "it did not wait")
    os.close(fds[0])
    t.equal(process.wait(3 * Settings.patience), 0)


@test
def notify_never(t):
    """a container that is never ready can be killed, and start ends with it"""
    _, environment = manager(t)
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    t.ok("create", "-b", bundle.path, identifier, env=environment)
    process = t.spawn("start", identifier, env=environment)
    t.eventually(lambda: t.status(identifier) == "running", "running")
    t.ok("kill", identifier, "KILL")
    process.wait(10 * Settings.patience)
    t.ok("delete", "--force", identifier)

@test
def thirty_annotations(t):
    """annotations of engines do not disturb"""
    annotations = {f"io.example.{n}": "x" * 100 for n in range(30)}
    annotations.update({"io.podman.annotations.autoremove": "FALSE", "run.oci.handler": "",
                        "org.opencontainers.image.stopSignal": "15"})
    annotations.pop("run.oci.handler")
    identifier = t.up("sleep", "1000", annotations=annotations)
    t.equal(t.state(identifier)["annotations"]["io.example.7"], "x" * 100)


@test
def dev_null_as_stdio(t):
    """/dev/null as stdio is the container's own"""
    bundle = t.bundle("sh", "-c", "readlink /proc/self/fd/0 >/out; sleep 1000")
    identifier = t.own(t.new_id(), bundle)
    t.equal(t.spawn("create", "-b", bundle.path, identifier).wait(10 * Settings.patience), 0)
    t.ok("start", identifier)
    t.eventually(lambda: os.path.exists(f"{bundle.rootfs}/out") and t.read(f"{bundle.rootfs}/out"), "read")
    t.equal(t.read(f"{bundle.rootfs}/out"), "/dev/null\n")
    inside = os.stat(f"/proc/{t.pid(identifier)}/fd/0")
    t.equal((os.major(inside.st_rdev), os.minor(inside.st_rdev)), (1, 3))


@cases([("state", "state"), ("list", "list")])
def reading_verbs_change_nothing(t, verb):
    """state and list leave the files of the state as they are"""
    identifier = t.up()

    def snapshot():
        return {name: (os.lstat(f"{t.root}/{identifier}/{name}").st_mtime_ns)
                for name in os.listdir(f"{t.root}/{identifier}")}
    before = snapshot()
    t.ok(verb, *([identifier] if verb == "state" else []))
    t.equal(snapshot(), before)


@test
def pidfd_socket(t):
    """--pidfd-socket gets a pidfd of init"""
    if "--pidfd-socket" not in t.rt("create", "--help").out:
        t.skip("the runtime has no --pidfd-socket")
    path = f"{t.directory}/pidfd.sock"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()
    server.settimeout(10)
    identifier = t.create(t.bundle("sleep", "1000"), "--pidfd-socket", path)
    connection, _ = server.accept()
    _, fds, _, _ = socket.recv_fds(connection, 4096, 2)
    with open(f"/proc/self/fdinfo/{fds[0]}") as file:
        t.contains(file.read(), f"Pid:\t{t.pid(identifier)}\n")

"""Checkpoint and restore by CRIU: what goes on, what is reconnected, what is refused."""
import json
import os
import subprocess
import time

from harness import Settings, test
from terminal import ConsoleSocket, read_until

NEEDS = ("root", "cgroup", "criu")
COUNT = "i=0; while :; do i=$((i+1)); echo $i >>/count; sleep 0.1; done"


def counted(bundle):
    """What a counter has written; it must never have begun anew."""
    try:
        with open(f"{bundle.rootfs}/count") as file:
            return [int(line) for line in file.read().split("\n")[:-1]]
    except FileNotFoundError:
        return []


def counting(t, bundle, more=3):
    """Waits until the counter has gone on."""
    before = len(counted(bundle))
    t.eventually(lambda: len(counted(bundle)) >= before + more, "the counter goes on")
    numbers = counted(bundle)
    t.equal(numbers, list(range(1, len(numbers) + 1)), "the counter")


def started(t, bundle, *flags, **options):
    identifier = t.create(bundle, *flags, **options)
    t.ok("start", identifier)
    return identifier


def saved(t, identifier, *flags, image="image"):
    """A checkpoint; the directory of its image."""
    path = f"{t.directory}/{image}"
    t.ok("checkpoint", "--image-path", path, *flags, identifier, reap=True, timeout=40)
    return path


def restored(t, bundle, image, *flags, **options):
    """A container with the processes of the image, under another name and in another cgroup."""
    identifier = t.own(t.new_id())
    bundle.config["linux"].pop("cgroupsPath", None)
    bundle.save(identifier)
    t.ok("restore", "--detach", "-b", bundle.path, "--image-path", image, *flags, identifier,
         timeout=40, **options)
    return identifier


@test(needs=NEEDS, timeout=120)
def goes_on(t):
    """a counter in memory goes on where it stopped, in a container of another name"""
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    counting(t, bundle)
    image = saved(t, identifier)
    t.true(os.path.exists(f"{image}/inventory.img"), "no image")
    t.true(os.path.exists(f"{image}/dump.log"), "no log")
    t.fails("state", identifier, text="does not exist")
    count = len(counted(bundle))
    time.sleep(0.3)
    t.equal(len(counted(bundle)), count, "counted after the checkpoint")
    pid_file = f"{t.directory}/pid"
    back = restored(t, bundle, image, "--pid-file", pid_file)
    counting(t, bundle)
    state = t.state(back)
    t.equal(state["status"], "running")
    t.equal(int(t.read(pid_file)), state["pid"])
    if bundle.cgroup:
        t.contains(t.read(f"{bundle.cgroup}/cgroup.procs").split(), str(state["pid"]))
    t.equal(t.ok("exec", back, "hostname").out.strip(), "box")
    t.ok("pause", back)
    t.equal(t.status(back), "paused")
    t.ok("resume", back)
    t.equal(t.kill_and_wait(back), -9)
    t.equal(t.status(back), "stopped")
    t.ok("delete", back)


@test(needs=NEEDS, timeout=120)
def twice_under_one_name(t):
    """a container is saved and restored under its own name, again and again"""
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    for turn in range(2):
        counting(t, bundle)
        image = saved(t, identifier, image=f"image{turn}")
        t.ok("restore", "-d", "-b", bundle.path, "--image-path", image, identifier, timeout=40)
    counting(t, bundle)


@test(needs=NEEDS, timeout=120)
def leave_running(t):
    """--leave-running lets the container go on"""
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    pid = t.pid(identifier)
    counting(t, bundle)
    saved(t, identifier, "--leave-running")
    t.equal(t.state(identifier)["pid"], pid)
    t.equal(t.status(identifier), "running")
    counting(t, bundle)


@test(needs=NEEDS, timeout=120)
def pre_dump(t):
    """a chain of pre-dumps, and of a last image that refers to them"""
    if subprocess.run(["criu", "check", "--feature", "mem_dirty_track"], capture_output=True).returncode:
        t.skip("this kernel does not track dirty memory (CONFIG_MEM_SOFT_DIRTY)")
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    work = f"{t.directory}/work"
    saved(t, identifier, "--pre-dump", "--work-path", work, image="first")
    t.equal(t.status(identifier), "running")
    counting(t, bundle)
    saved(t, identifier, "--pre-dump", "--parent-path", "../first", image="second")
    counting(t, bundle)
    image = saved(t, identifier, "--parent-path", "../second", "--work-path", work, image="last")
    t.equal(os.readlink(f"{image}/parent"), "../second")
    t.true(os.path.exists(f"{work}/dump.log"), "no log in the work path")
    restored(t, bundle, image, "--work-path", work)
    t.true(os.path.exists(f"{work}/restore.log"), "no log in the work path")
    counting(t, bundle)


@test(needs=NEEDS, timeout=120)
def tcp_established(t):
    """an open TCP connection survives with --tcp-established, and is refused without"""
    # nc leaves the connection to programs that only read and write: its own poll would end with EINTR
    # when CRIU lets go of it.
    # What a client that came too early says would be in the file of stderr, and CRIU restores none
    # onto a file of another size.
    script = ("exec 2>/dev/null; nc -l -p 5000 -e sh -c 'exec cat >/count' & "
              "until nc 127.0.0.1 5000 -e sh -c "
              "'i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done'; do sleep 0.1; done")
    bundle = t.bundle("sh", "-c", script)
    identifier = started(t, bundle)
    counting(t, bundle)
    image = f"{t.directory}/image"
    result = t.fails("checkpoint", "--image-path", image, identifier, timeout=40,
                     text="tcp-established")
    t.contains(result.err, f"{image}/dump.log")
    t.equal(t.status(identifier), "running")
    counting(t, bundle)
    result = t.rt("checkpoint", "--image-path", image, "--tcp-established", identifier, reap=True,
                  timeout=40)
    if "Can't get 1:16 opt" in result.err:
        t.skip("this CRIU asks TCP sockets for SO_PASSCRED, which Linux 6.16 refuses")
    t.equal(result.code, 0, f"exit code of {result}")
    t.fails("restore", "-d", "-b", bundle.path, "--image-path", image, t.own(t.new_id()),
            timeout=40, reap=True)
    restored(t, bundle, image, "--tcp-established")
    counting(t, bundle)


@test(needs=NEEDS, timeout=120)
def terminal(t):
    """the terminal is made anew, and its master goes to the console socket"""
    bundle = t.bundle("sh", "-c", "while read line; do echo \"got $line\"; done",
                      process__terminal=True)
    console = ConsoleSocket(t)
    identifier = started(t, bundle, "--console-socket", console.path)
    master = console.master()
    os.write(master, b"one\n")
    read_until(master, "got one")
    image = saved(t, identifier)
    os.close(master)
    t.fails("restore", "-d", "-b", bundle.path, "--image-path", image, t.own(t.new_id()),
            text="console socket")
    restored(t, bundle, image, "--console-socket", console.path)
    master = console.master()
    os.write(master, b"two\n")
    read_until(master, "got two")


@test(needs=NEEDS, timeout=120)
def pipes(t):
    """stdin and stdout of a pipe become those of restore"""
    bundle = t.bundle("sh", "-c", "while read line; do echo \"got $line\"; done")
    identifier = t.own(t.new_id(), bundle)

    def piped(*arguments):
        process = t.spawn(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        t.equal(process.wait(40 * Settings.patience), 0, f"exit code of {arguments[0]}")
        return process

    def answer(process, word):
        process.stdin.write(f"{word}\n".encode())
        process.stdin.flush()
        t.equal(process.stdout.readline(), f"got {word}\n".encode(), "answer")

    first = piped("run", "-d", "-b", bundle.path, identifier)
    answer(first, "one")
    image = saved(t, identifier)
    second = piped("restore", "-d", "-b", bundle.path, "--image-path", image, identifier)
    answer(second, "two")


@test(needs=NEEDS, timeout=120)
def foreground(t):
    """without --detach, restore waits, passes the exit code on and deletes"""
    bundle = t.bundle("sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; echo over; exit 7")
    identifier = started(t, bundle)
    image = saved(t, identifier)
    with open(f"{bundle.rootfs}/go", "w"):
        pass
    result = t.rt("restore", "-b", bundle.path, "--image-path", image, identifier, timeout=40)
    t.equal(result.code, 7, f"exit code of {result}")
    t.contains(result.out, "over")
    t.fails("state", identifier, text="does not exist")


@test(needs=NEEDS, timeout=120)
def binds(t):
    """binds are made from the configuration of restore, also below a link of the image"""
    one, two = f"{t.directory}/one", f"{t.directory}/two"
    for path in (one, two):
        os.mkdir(path)
        with open(f"{path}/name", "w") as file:
            file.write(os.path.basename(path))
    bundle = t.bundle("sh", "-c", COUNT)
    os.mkdir(f"{bundle.rootfs}/run")
    os.symlink("/run", f"{bundle.rootfs}/var/run")
    bundle.bind(one, "/var/run/shared").bind(f"{one}/name", "/etc/name", "bind", "ro")
    identifier = started(t, bundle)
    counting(t, bundle)
    image = saved(t, identifier)
    for mount in bundle.config["mounts"]:
        mount["source"] = mount["source"].replace(one, two)
    os.rmdir(f"{bundle.rootfs}/run/shared")
    os.unlink(f"{bundle.rootfs}/etc/name")
    back = restored(t, bundle, image)
    counting(t, bundle)
    t.equal(t.ok("exec", back, "cat", "/run/shared/name").out, "two")
    t.equal(t.ok("exec", back, "cat", "/etc/name").out, "two")


@test(needs=NEEDS, timeout=120)
def bind_of_the_bundle(t):
    """a bind of ".", the bundle itself, onto a link of the image is made again"""
    bundle = t.bundle("sh", "-c", COUNT)
    os.makedirs(f"{bundle.rootfs}/real/conf")
    os.symlink("/real/conf", f"{bundle.rootfs}/conf")
    bundle.bind(".", "/conf", "bind")
    identifier = started(t, bundle)
    counting(t, bundle)
    back = restored(t, bundle, saved(t, identifier))
    counting(t, bundle)
    t.contains(t.ok("exec", back, "ls", "/conf").out, "config.json")


@test(needs=NEEDS, timeout=120)
def namespaces_by_path(t):
    """a network namespace given by its path is left alone, and another can take its place"""
    def space():
        holder = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        t.cleanups.append(lambda: (holder.kill(), holder.wait()))
        path = f"/proc/{holder.pid}/ns/net"
        t.eventually(lambda: os.readlink(path) != os.readlink("/proc/self/ns/net"), "a namespace")
        return path

    first, second = space(), space()
    bundle = t.bundle("sh", "-c", COUNT).namespace("network", first)
    identifier = started(t, bundle)
    counting(t, bundle)
    image = saved(t, identifier)
    bundle.namespace("network", second)
    back = restored(t, bundle, image)
    counting(t, bundle)
    t.equal(os.readlink(f"/proc/{t.pid(back)}/ns/net"), os.readlink(second))


@test(needs=NEEDS, timeout=120)
def hooks(t):
    """restore runs createRuntime and poststart, checkpoint runs poststop"""
    bundle = t.bundle("sh", "-c", COUNT)
    log = f"{t.directory}/log"
    for kind in ("createRuntime", "poststart", "poststop"):
        bundle.hook(kind, f"echo {kind} $(cat) >>{log}")
    identifier = started(t, bundle)
    image = saved(t, identifier)
    back = restored(t, bundle, image)
    lines = [line.split(" ", 1) for line in t.read(log).splitlines()]
    t.equal([kind for kind, _ in lines],
            ["createRuntime", "poststart", "poststop", "createRuntime", "poststart"])
    for _, text in lines[3:]:
        t.equal(json.loads(text)["pid"], t.pid(back), "pid that a hook is told")


@test(needs=NEEDS, timeout=120)
def failing_hook(t):
    """a restore whose hook fails leaves nothing"""
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    image = saved(t, identifier)
    bundle.hook("createRuntime", "exit 3")
    bundle.save(identifier)
    t.fails("restore", "-d", "-b", bundle.path, "--image-path", image, identifier,
            text="exit status 3", reap=True, timeout=40)
    t.equal(t.state_entries(), [])


@test(needs=("root", "cgroup"))
def refused(t):
    """a stopped or created container, and paths that are none"""
    image = f"{t.directory}/image"
    created = t.create(t.bundle("sleep", "1000"))
    t.fails("checkpoint", "--image-path", image, created, text="created")
    ended = t.up("true")
    t.eventually(lambda: t.status(ended) == "stopped", "the end of true")
    t.fails("checkpoint", "--image-path", image, ended, text="stopped")
    t.fails("checkpoint", "--image-path", image, "nobody", text="does not exist")
    t.fails("checkpoint", "--manage-cgroups-mode", "hard", created, text="manage-cgroups-mode")
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    t.fails("restore", "-d", "-b", bundle.path, "--image-path", f"{t.directory}/none", identifier,
            text="none")
    t.equal(t.rt("state", identifier).code != 0, True, "a refused restore is unknown")


@test(needs=("root", "cgroup"))
def without_criu(t):
    """without the criu program, the error says so and the container goes on"""
    running = t.up()
    empty = f"{t.directory}/empty"
    os.mkdir(empty)
    t.fails("checkpoint", "--image-path", f"{t.directory}/image", running, text="criu",
            env={"PATH": empty})
    t.equal(t.status(running), "running")


@test(needs=NEEDS, timeout=120)
def empty_image(t):
    """a directory that holds no image: CRIU's own words, and its log is kept"""
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    image = f"{t.directory}/image"
    os.mkdir(image)
    t.fails("restore", "-d", "-b", bundle.path, "--image-path", image, identifier,
            text=f"{image}/restore.log", timeout=40)
    t.equal(t.state_entries(), [])


@test(needs=NEEDS, timeout=120)
def user_namespace(t):
    """a container in a user namespace, whose devices are the host's, goes on as well"""
    bundle = t.bundle("sh", "-c", COUNT).user_namespace()
    identifier = started(t, bundle)
    counting(t, bundle)
    image = saved(t, identifier)
    back = restored(t, bundle, image)
    counting(t, bundle)
    t.equal(t.ok("exec", back, "sh", "-c", "echo x >/dev/null && id -u").out.strip(), "0")


@test(needs=NEEDS, timeout=120)
def cgroups_ignored(t):
    """--manage-cgroups-mode ignore puts the processes into the container's cgroup all the same"""
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    image = saved(t, identifier, "--manage-cgroups-mode", "ignore")
    back = restored(t, bundle, image, "--manage-cgroups-mode", "ignore")
    counting(t, bundle)
    if bundle.cgroup:
        t.contains(t.read(f"{bundle.cgroup}/cgroup.procs").split(), str(t.pid(back)))

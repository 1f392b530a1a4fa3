"""exec: another process in a running container."""
import json
import os
import time

from harness import Settings, cases, test
from process import bits, caps, CHOWN, KILL, BIND, AUDIT


@test
def output_and_code(t):
    """exec passes stdio and the exit code"""
    identifier = t.up()
    result = t.rt("exec", identifier, "sh", "-c", "cat; echo err >&2; exit 9", stdin="in")
    t.equal((result.out, result.err, result.code), ("in", "err\n", 9))


@test
def signal_code(t):
    """exec of a process ended by a signal is 128 + number"""
    t.equal(t.rt("exec", t.up(), "sh", "-c", "kill -TERM $$").code, 143)


@test
def flags_end_at_the_id(t):
    """options after the id belong to the program"""
    t.equal(t.ok("exec", t.up(), "echo", "-t", "--cwd", "x").out, "-t --cwd x\n")


@test
def same_namespaces(t):
    """the process is in init's namespaces"""
    identifier = t.up()
    own = t.ok("exec", identifier, "sh", "-c",
               "cd /proc/self/ns; for n in pid net ipc uts mnt; do readlink $n; done").out.split()
    pid = t.pid(identifier)
    t.equal(own, [os.readlink(f"/proc/{pid}/ns/{n}") for n in ("pid", "net", "ipc", "uts", "mnt")])


@test(needs="cgroup")
def same_cgroup(t):
    """the process is in the container's cgroup"""
    identifier = t.up()
    t.ok("exec", "-d", "--pid-file", f"{t.directory}/pid", identifier, "sleep", "1000")
    pid = t.read(f"{t.directory}/pid")
    t.equal(t.read(f"/proc/{pid}/cgroup"), t.read(f"/proc/{t.pid(identifier)}/cgroup"))


@test
def detached(t):
    """exec -d returns, the pid file has the host pid, the caller gets the exit code"""
    identifier = t.up()
    t.ok("exec", "--detach", "--pid-file", f"{t.directory}/pid", identifier,
         "sh", "-c", "sleep 0.2; exit 5")
    pid = int(t.read(f"{t.directory}/pid"))
    t.equal(t.wait(pid), 5)


@test(needs="probe")
def own_session(t):
    """an exec'd process leads a session of its own"""
    words = t.ok("exec", t.up(), "probe", "session").out.split()
    t.equal(words[1], words[3])


@cases([("cwd", ["--cwd", "/home"], "pwd", "/home"),
        ("env", ["-e", "A=1", "-e", "B=2"], "echo $A$B", "12"),
        ("path", [], "echo $PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("nnp", ["--no-new-privs"], "awk '/NoNewPrivs/{print $2}' /proc/self/status", "1")])
def flag(t, flags, script, expected):
    """a flag of exec"""
    t.equal(t.ok("exec", *flags, t.up(), "sh", "-c", script).out.strip(), expected)


@test
def env_overrides(t):
    """--env replaces a variable of the config, once"""
    out = t.ok("exec", "-e", "TERM=mine", t.up(), "env").out
    t.equal([line for line in out.splitlines() if line.startswith("TERM")], ["TERM=mine"])


@cases([("uid", "5", "5 0"), ("uid:gid", "5:6", "5 6"), ("zero", "0", "0 0"),
        ("one", "1", "1 0"), ("digits-name", "1000", "1000 0"), ("large", "2147483647", "2147483647 0")],
       needs="root")
def user(t, value, expected):
    """--user takes numbers, never a name made of digits"""
    out = t.ok("exec", "-u", value, t.up(), "sh", "-c",
               "awk '/^Uid|^Gid/{print $2}' /proc/self/status").out.split()
    t.equal(" ".join(out[:1]), expected.split()[0])
    if ":" in value:
        t.equal(out[1], expected.split()[1])


@test(needs="root", timeout=90)
def user_sweep(t):
    """every uid from 0 to 20 is the one asked for"""
    identifier = t.up()
    for uid in range(21):
        out = t.ok("exec", "-u", f"{uid}:{uid + 1}", identifier, "sh", "-c",
                   "awk '/^Uid|^Gid/{print $2, $3, $4, $5}' /proc/self/status").out.split()
        t.equal(out, [str(uid)] * 4 + [str(uid + 1)] * 4)


@cases([("negative", "-1"), ("2^32", "4294967296"), ("suffix", "1x"), ("space", " 1"),
        ("gid", "1:x"), ("three", "1:2:3"), ("plus", "+1"), ("hex", "0x10"), ("2^64", "18446744073709551616")],
       needs="root")
def bad_user(t, value):
    """a malformed --user is refused"""
    result = t.rt("exec", f"--user={value}", t.up(), "id", "-u")
    t.true(result.code != 0 and result.out == "", str(result))


@test(needs="root")
def additional_gids(t):
    """--additional-gids"""
    out = t.ok("exec", "-g", "7", "-g", "8", t.up(), "grep", "^Groups", "/proc/self/status").out
    t.equal(sorted(out.split()[1:]), ["7", "8"])


@test(needs="root")
def capabilities_are_the_containers(t):
    """without --cap the capabilities are the container's, nothing inheritable"""
    found = caps(t.ok("exec", t.up(), "cat", "/proc/self/status").out)
    asked = bits(KILL, BIND, AUDIT)
    t.equal((found["Bnd"], found["Eff"], found["Inh"], found["Amb"]), (asked, asked, 0, 0))


@test(needs="root")
def added_capability(t):
    """--cap adds a capability and leaves the inheritable set empty"""
    found = caps(t.ok("exec", "--cap", "CAP_CHOWN", t.up(), "cat", "/proc/self/status").out)
    t.true(found["Eff"] & bits(CHOWN), "not added")
    t.equal((found["Inh"], found["Amb"]), (0, 0))


@test(needs="root")
def added_capability_is_inherited(t):
    """--cap adds to the inheritable and ambient sets where the container uses them"""
    bundle = t.bundle("sleep", "1000")
    sets = bundle.config["process"]["capabilities"]
    for name in ("bounding", "effective", "permitted", "inheritable"):
        sets[name] = ["CAP_KILL"]
    identifier = t.create(bundle)
    t.ok("start", identifier)
    found = caps(t.ok("exec", "--cap", "CAP_CHOWN", identifier, "cat", "/proc/self/status").out)
    t.equal((found["Inh"], found["Amb"]), (bits(KILL, CHOWN), bits(CHOWN)))


@test
def no_new_privileges_kept(t):
    """the container's noNewPrivileges holds for exec"""
    t.equal(t.ok("exec", t.up(), "awk", "/NoNewPrivs/{print $2}", "/proc/self/status").out, "1\n")


@test
def process_file(t):
    """--process FILE"""
    identifier = t.up()
    process = {"args": ["sh", "-c", "echo $A; pwd; umask"], "env": ["PATH=/bin", "A=b"],
               "cwd": "/home", "user": {"uid": 0, "gid": 0, "umask": 0o27}}
    path = t.file("process.json", json.dumps(process))
    t.equal(t.ok("exec", "--process", path, identifier).out.split(), ["b", "/home", "0027"])


@test(needs="root")
def process_file_capabilities(t):
    """--process with its own user, groups and capabilities"""
    process = {"args": ["cat", "/proc/self/status"], "env": ["PATH=/bin"], "cwd": "/",
               "user": {"uid": 3, "gid": 4, "additionalGids": [9]},
               "capabilities": {kind: ["CAP_KILL"] for kind in
                                ("bounding", "effective", "permitted", "inheritable", "ambient")}}
    out = t.ok("exec", "--process", t.file("p.json", json.dumps(process)), t.up()).out
    found = caps(out)
    t.equal((found["Eff"], found["Amb"], found["Bnd"]), (bits(KILL),) * 3)
    t.contains(out, "Groups:\t9")


@cases([("missing", "no-such-program", ["not found in $PATH", "no such file or directory"]),
        ("path", "/no/such", ["no such file or directory"]),
        ("directory", "/etc", ["is a directory", "permission denied"]),
        ("not-executable", "/etc/passwd", ["permission denied"])])
def cannot_start(t, program, text):
    """exec of a program that cannot start exits with 255 and says why"""
    identifier = t.up()
    t.fails("exec", identifier, program, code=255, text=text)
    t.equal(t.status(identifier), "running")


@test
def exec_without_program(t):
    """exec without a program is refused"""
    t.fails("exec", t.up())


@test
def exec_created(t):
    """exec in a created container works"""
    identifier = t.create(t.bundle("sleep", "1000"))
    t.equal(t.ok("exec", identifier, "echo", "hi").out, "hi\n")


@test(needs="probe")
def handles(t):
    """an exec'd process has handles 0 to 2 only"""
    held = [os.open("/", os.O_RDONLY) for _ in range(40)]
    out = t.ok("exec", t.up(), "probe", "fds", pass_fds=held).out
    t.equal([line.split()[0] for line in out.splitlines()], ["0", "1", "2"])


@test(needs="probe")
def preserve_fds(t):
    """exec --preserve-fds"""
    held = os.open(t.file("m", "x"), os.O_RDONLY)
    out = t.ok("exec", "--preserve-fds", "1", t.up(), "probe", "fds", pass_fds=[held],
               wrap=["sh", "-c", f"exec \"$@\" 3<&{held}", "sh"]).out
    t.equal([line.split()[0] for line in out.splitlines()], ["0", "1", "2", "3"])


@test(needs="cgroup")
def ignore_paused(t):
    """--ignore-paused lets exec enter a paused container"""
    identifier = t.up()
    t.ok("pause", identifier)
    process = t.spawn("exec", "--ignore-paused", identifier, "true")
    time.sleep(0.2)
    t.ok("resume", identifier)
    t.equal(process.wait(10 * Settings.patience), 0)


@test
def large_output(t):
    """a megabyte passes unchanged"""
    out = t.ok("exec", t.up(), "sh", "-c", "yes 0123456789abcde | head -n 65536").out
    t.equal(out, "0123456789abcde\n" * 65536)


@test
def many(t):
    """thirty execs one after the other leave nothing"""
    identifier = t.up()
    for n in range(30):
        t.equal(t.rt("exec", identifier, "sh", "-c", f"exit {n}").code, n)
    t.reap()
    t.equal(t.descendants(), [t.pid(identifier)])


@test
def parallel(t):
    """ten execs at once"""
    identifier = t.up()
    started = [t.spawn("exec", identifier, "sh", "-c", f"exit {n}") for n in range(10)]
    t.equal([process.wait(20 * Settings.patience) for process in started], list(range(10)))


def sleepers(t):
    """How many processes are `sleep` by now; not by `ps`, which needs a cgroup."""
    comms = [f"/proc/{pid}/comm" for pid in t.descendants()]
    return [t.read(comm).strip() for comm in comms if os.path.exists(comm)].count("sleep")


@test
def container_ends_during_exec(t):
    """exec ends when the container does"""
    identifier = t.up()
    process = t.spawn("exec", identifier, "sleep", "1000")
    # Killed before it is the program, it is an exec that failed: 255.
    t.eventually(lambda: sleepers(t) == 2, "exec runs")
    t.ok("kill", identifier, "KILL")
    t.equal(process.wait(10 * Settings.patience), 137)


@test(needs="root")
def added_groups_of_container(t):
    """exec keeps the container's user unless told otherwise"""
    identifier = t.up(process__user={"uid": 1001, "gid": 1002, "additionalGids": [100]})
    t.equal(t.ok("exec", identifier, "id", "-u").out, "1001\n")


@test
def cwd_is_the_containers(t):
    """exec starts in the container's cwd"""
    identifier = t.up("sleep", "1000", **{"process.cwd": "/home"})
    t.equal(t.ok("exec", identifier, "pwd").out, "/home\n")


@test(needs="cgroup")
def exec_in_subcgroup(t):
    """--cgroup puts the process into a cgroup below the container's"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.create(bundle)
    t.ok("start", identifier)
    pid = t.pid(identifier)
    own = t.read(f"/proc/{pid}/cgroup").strip().splitlines()[-1][3:]
    os.mkdir(f"/sys/fs/cgroup{own}/sub")
    t.ok("exec", "--cgroup", "sub", "-d", "--pid-file", f"{t.directory}/p", identifier,
         "sleep", "1000")
    t.contains(t.read(f"/proc/{t.read(t.directory + '/p')}/cgroup"), f"{own}/sub\n")


@cases([("dotdot", ".."), ("absolute", "/../.."), ("missing", "nope")], needs="cgroup")
def bad_cgroup(t, value):
    """--cgroup outside the container's cgroup or missing is refused"""
    t.fails("exec", "--cgroup", value, t.up(), "true")

"""Faults at every system call of the runtime: killed, failed, stopped while another verb runs; damaged
state. Whatever happens, `delete --force` ends it all and nothing is left."""
import errno
import os
import platform
import re
import signal
import subprocess

from harness import Failure, Settings, cases, test, tool


def step(t, mode, *arguments, timeout=30):
    """Runs the runtime under the stepper; (exit code, stderr)."""
    t.count += 1
    path = f"{t.directory}/step{t.count}"
    with open(path, "wb") as log:
        process = subprocess.Popen([tool("stepper"), *map(str, mode), *t.command(arguments)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=t.directory)
        try:
            code = t.wait_and_reap(process, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            t.fail(f"{mode} {arguments} did not end; {t.read(path)[-500:]!r}")
    return code, t.read(path)


def calls(t, *arguments):
    """How many system calls the verb makes."""
    _, text = step(t, ["count"], *arguments)
    return int(re.search(r"(\d+)\s*$", text).group(1))


def clean(t, identifier, bundle, what):
    """delete --force works and nothing is left; says which point it was."""
    result = t.rt("delete", "--force", identifier, reap=True)
    t.equal(result.code, 0, f"{what}: {result}")
    t.reap()
    if not settled(t):
        t.fail(f"{what}: processes left: {t.descendants()}")
    t.equal(t.state_entries(), [], f"{what}: state left")
    if bundle.cgroup and os.path.isdir(bundle.cgroup):
        t.fail(f"{what}: cgroup left")


def settled(t):
    try:
        t.eventually(lambda: t.reap() or not t.descendants(), seconds=2)
        return True
    except Exception:
        return False


def points(t, total, every=None):
    """The swept points: every Settings.sample-th, starting somewhere else for each test."""
    every = every or Settings.sample
    return range(1 + len(t.name) % every, total + 1, every)


def fresh(t):
    bundle = t.bundle("sleep", "1000")
    identifier = t.own(t.new_id(), bundle)
    return bundle, identifier


@test(needs="stepper", slow=True, timeout=600)
def kill_create(t):
    """create killed at each system call"""
    bundle, identifier = fresh(t)
    total = calls(t, "create", "-b", bundle.path, identifier)
    clean(t, identifier, bundle, "unharmed")
    for k in points(t, total):
        step(t, ["kill", k], "create", "-b", bundle.path, identifier)
        clean(t, identifier, bundle, f"create killed at {k} of {total}")


@cases([("start", ["start"], False), ("delete", ["delete", "--force"], True),
        ("kill", ["kill"], True), ("state", ["state"], True)], needs="stepper", slow=True, timeout=600)
def kill_verb(t, verb, started):
    """another verb killed at each system call"""
    bundle, identifier = fresh(t)

    def prepare():
        t.ok("create", "-b", bundle.path, identifier)
        if started:
            t.ok("start", identifier)

    prepare()
    arguments = [*verb, identifier, *(["KILL"] if verb == ["kill"] else [])]
    total = calls(t, *arguments)
    clean(t, identifier, bundle, "unharmed")
    for k in points(t, total):
        prepare()
        step(t, ["kill", k], *arguments)
        clean(t, identifier, bundle, f"{verb[0]} killed at {k} of {total}")


@test(needs="stepper", slow=True, timeout=600)
def kill_run(t):
    """run in the foreground killed at each system call"""
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    total = calls(t, "run", "-b", bundle.path, identifier)
    for k in points(t, total):
        step(t, ["kill", k], "run", "-b", bundle.path, identifier)
        clean(t, identifier, bundle, f"run killed at {k} of {total}")


@test(needs="stepper", slow=True, timeout=600)
def kill_exec(t):
    """exec killed at each system call leaves the container as it was"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    t.ok("start", identifier)
    total = calls(t, "exec", identifier, "true")
    for k in points(t, total):
        step(t, ["kill", k], "exec", identifier, "true")
        t.equal(t.status(identifier), "running", f"exec killed at {k} of {total}")
    t.reap()
    clean(t, identifier, bundle, "at last")


def code_of(name):
    return getattr(errno, name)


def failed_create(t, identifier, bundle, what, k, error):
    """create whose system call K fails: it succeeds all the same, or nothing of it is left."""
    code, text = step(t, ["fail", k, error], "create", "-b", bundle.path, identifier)
    if code == 200:
        return  # it made fewer calls this time: unharmed
    # The C library ends by a signal where it cannot set up a thread: before the runtime's first line.
    t.true(k <= 3 or code < 128 or code == 255, f"{what}: ended by a signal ({code}): {text}")
    if code == 0:
        t.equal(t.status(identifier), "created", what)
        t.ok("start", identifier)
        t.equal(t.rt("exec", identifier, "awk", "/NoNewPrivs/{print $2}",
                     "/proc/self/status").out, "1\n", what)
    else:
        # Nothing needs a delete: what failed has put away its own.
        t.true(settled(t), f"{what}: processes left {t.descendants()}: {text}")
        t.equal(t.state_entries(), [], f"{what}: state left ({text})")
        t.true(not (bundle.cgroup and os.path.isdir(bundle.cgroup)), f"{what}: cgroup left ({text})")


@cases([(name, name) for name in ("ENOSPC", "EMFILE", "ENOMEM", "EPERM")],
       needs="stepper", slow=True, timeout=600)
def fail_create(t, name):
    """a system call of create fails: refused and nothing left, or the container is complete"""
    bundle, identifier = fresh(t)
    total = calls(t, "create", "-b", bundle.path, identifier)
    clean(t, identifier, bundle, "unharmed")
    problems = []
    for k in points(t, total, Settings.sample * 2):
        try:
            failed_create(t, identifier, bundle, f"{name} at call {k} of {total}", k, code_of(name))
        except Failure as problem:
            problems.append(str(problem))
        clean(t, identifier, bundle, f"{name} at call {k} of {total}")
    t.equal(problems, [], f"{len(problems)} of {total} calls")


@cases([(name, name) for name in ("ENOSPC", "EMFILE", "ENOMEM")], needs="stepper", slow=True, timeout=600)
def fail_start(t, name):
    """a system call of start fails: the container runs, or start says why not and can be tried again or
    the container deleted"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    total = calls(t, "start", identifier)
    clean(t, identifier, bundle, "unharmed")
    for k in points(t, total, Settings.sample):
        what = f"{name} at call {k} of {total}"
        t.ok("create", "-b", bundle.path, identifier)
        code, text = step(t, ["fail", k, code_of(name)], "start", identifier)
        t.true(k <= 3 or code < 128 or code in (200, 255), f"{what}: ended by a signal ({code}): {text}")
        status = t.status(identifier)
        t.true(status in (("running",) if code in (0, 200) else ("running", "created", "stopped")),
               f"{what}: start ended with {code}, the container is {status}: {text}")
        if status == "created":
            t.ok("start", identifier)
        clean(t, identifier, bundle, what)


@cases([(name, name) for name in ("ENOSPC", "EMFILE", "ENOMEM", "EPERM")],
       needs="stepper", slow=True, timeout=600)
def fail_exec(t, name):
    """a system call of exec fails: the process runs whole, or exec says why not; the container is untouched"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    t.ok("start", identifier)
    total = calls(t, "exec", identifier, "true")
    for k in points(t, total, Settings.sample):
        what = f"{name} at call {k} of {total}"
        mark = f"{bundle.rootfs}/mark{k}"
        code, text = step(t, ["fail", k, code_of(name)], "exec", identifier, "touch", f"/mark{k}")
        t.true(k <= 3 or code < 128 or code in (200, 255), f"{what}: ended by a signal ({code}): {text}")
        t.true(code not in (0, 200) or os.path.exists(mark), f"{what}: success, but nothing ran: {text}")
        t.equal(t.status(identifier), "running", what)
        t.eventually(lambda: t.descendants() == [t.pid(identifier)], f"{what}: one process")
    clean(t, identifier, bundle, "at last")


@cases([(name, name) for name in ("ENOSPC", "EPERM")], needs="stepper", slow=True, timeout=600)
def fail_delete(t, name):
    """a system call of delete --force fails: a second one succeeds"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    total = calls(t, "delete", "--force", identifier)
    for k in points(t, total, Settings.sample):
        t.ok("create", "-b", bundle.path, identifier)
        step(t, ["fail", k, code_of(name)], "delete", "--force", identifier)
        clean(t, identifier, bundle, f"{name} at call {k} of {total}")


@test(needs="stepper", slow=True, timeout=600)
def delete_paused_while_created(t):
    """delete --force stands at a call while a create of the same id runs to its end: the new container
    is reachable, or was refused"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    total = calls(t, "delete", "--force", identifier)
    create = " ".join(t.command(["create", "-b", bundle.path, identifier]))
    for k in points(t, total):
        t.ok("create", "-b", bundle.path, identifier)
        mark = f"{t.directory}/created{k}"
        # A create that waits for the lock of a delete that stands must not stand for ever itself.
        command = f"timeout 1 {create} </dev/null >/dev/null 2>&1 && touch {mark}"
        step(t, ["pause", k, command], "delete", "--force", identifier)
        t.reap()
        if os.path.exists(mark) and t.descendants():
            state = t.rt("state", identifier)
            t.true(state.code == 0, f"at {k} of {total}: a container lives that state does not know")
        clean(t, identifier, bundle, f"delete stood at {k} of {total}")


@test(needs="stepper", slow=True, timeout=600)
def delete_resumes_after_another(t):
    """delete stands, another delete and a create of the same id run, delete goes on: the new container
    is untouched"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    total = calls(t, "delete", "--force", identifier)
    # A delete that has not looked yet means whatever container it will find.
    blind = calls(t, "delete", "--force", "nobody")
    delete = " ".join(t.command(["delete", "--force", identifier]))
    create = " ".join(t.command(["create", "-b", bundle.path, identifier]))
    for k in [k for k in points(t, total) if k > blind]:
        t.ok("create", "-b", bundle.path, identifier)
        mark = f"{t.directory}/done{k}"
        command = (f"timeout 1 {delete} </dev/null >/dev/null 2>&1 && "
                   f"timeout 1 {create} </dev/null >/dev/null 2>&1 && touch {mark}")
        step(t, ["pause", k, command], "delete", "--force", identifier)
        t.reap()
        if os.path.exists(mark):
            result = t.rt("state", identifier)
            t.true(result.code == 0 and '"created"' in result.out,
                   f"at {k} of {total}: the new container is gone: {result}")
        clean(t, identifier, bundle, f"delete stood at {k} of {total}")


@test(needs="stepper", slow=True, timeout=600)
def create_paused_while_deleted(t):
    """create stands at a call while delete --force of the id runs: both end, nothing is left"""
    bundle, identifier = fresh(t)
    total = calls(t, "create", "-b", bundle.path, identifier)
    clean(t, identifier, bundle, "unharmed")
    delete = " ".join(t.command(["delete", "--force", identifier]))
    for k in points(t, total, Settings.sample * 2):
        command = f"timeout 1 {delete} </dev/null >/dev/null 2>&1"
        step(t, ["pause", k, command], "create", "-b", bundle.path, identifier)
        clean(t, identifier, bundle, f"create stood at {k} of {total}")


def state_files(t, identifier):
    place = f"{t.root}/{identifier}"
    return [f"{place}/{n}" for n in sorted(os.listdir(place)) if os.path.isfile(f"{place}/{n}")
            and not os.path.islink(f"{place}/{n}")]


DAMAGE = {
    "empty": lambda old: b"",
    "half": lambda old: old[:len(old) // 2],
    "noise": lambda old: bytes((b * 7 + 13) % 256 for b in range(len(old) or 64)),
    "other": lambda old: b'{"ociVersion": "9.9", "something": [1, 2]}',
    "array": lambda old: b"[]",
    "flipped": lambda old: old[:len(old) // 3] + bytes([(old or b"x")[len(old) // 3] ^ 0x20])
    + old[len(old) // 3 + 1:] if old else b"x",
}


@cases([(f"{kind}-{status}", kind, status) for kind in DAMAGE for status in ("created", "running")],
       needs="cgroup")
def damaged_state(t, kind, status):
    """a damaged state file: delete --force kills and removes all the same"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    if status == "running":
        t.ok("start", identifier)
    for path in state_files(t, identifier):
        with open(path, "rb") as file:
            old = file.read()
        with open(path, "wb") as file:
            file.write(DAMAGE[kind](old))
    result = t.rt("state", identifier)
    t.true(0 <= result.code < 128, f"state: {result}")
    t.rt("list")
    clean(t, identifier, bundle, f"{kind} state of a {status} container")


@test(needs="cgroup")
def missing_state_file(t):
    """a state directory without its files is removed by delete --force"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    for path in state_files(t, identifier):
        os.unlink(path)
    clean(t, identifier, bundle, "state files gone")


@test
def empty_state_directory(t):
    """an empty state directory does not hide the other containers and can be removed"""
    other = t.up()
    os.mkdir(f"{t.root}/ghost")
    t.contains(t.ok("list", "-q").out, other)
    t.equal(t.rt("delete", "--force", "ghost").code, 0)
    t.true(not os.path.isdir(f"{t.root}/ghost"), "still there")


@test
def foreign_files_in_root(t):
    """files in the state root that are no containers are left alone"""
    t.file("root/readme", "mine")
    t.ok("list")
    t.equal(t.read(f"{t.root}/readme"), "mine")


@test
def boot_changed(t):
    """a state whose pid now belongs to somebody else is stopped, and the stranger is not harmed"""
    bundle, identifier = fresh(t)
    t.ok("create", "-b", bundle.path, identifier)
    t.ok("start", identifier)
    pid = t.pid(identifier)
    os.kill(pid, signal.SIGKILL)
    t.wait(pid)
    stranger = subprocess.Popen(["sleep", "1000"])
    t.background.append(stranger)
    for path in state_files(t, identifier):
        with open(path, "rb") as file:
            old = file.read()
        with open(path, "wb") as file:
            file.write(old.replace(str(pid).encode(), str(stranger.pid).encode()))
    t.rt("state", identifier)
    t.rt("kill", identifier, "KILL")
    t.rt("delete", "--force", identifier)
    t.equal(stranger.poll(), None, "the stranger's end")


@test(needs="stepper", slow=True)
def state_is_written_safely(t):
    """the record is synced before the container is made, and replaced by rename"""
    if platform.machine() != "x86_64":
        t.skip("the numbers are those of x86_64")
    bundle, identifier = fresh(t)
    names = f"{t.directory}/numbers"
    step(t, ["names", names], "create", "-b", bundle.path, identifier)
    numbers = list(map(int, t.read(names).split()))
    sync = [i for i, n in enumerate(numbers) if n in (74, 75)]
    clone = [i for i, n in enumerate(numbers) if n in (56, 57, 58, 435)]
    t.true(sync and clone and sync[0] < clone[0], "no fsync before the clone")
    t.true(any(n in (82, 264, 316) for n in numbers), "no rename")

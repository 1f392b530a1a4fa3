"""What a test is and what it gets: a bundle, a private state root, a runtime with deadlines, and the
invariants that hold after every test (no process, cgroup, mount or state left)."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import time
import traceback

import bundles
from invariants import descendants, describe, mount_changes, mountinfo, remove_cgroup
# What test files take from here as well.
from registry import (  # noqa: F401
    TESTS, Failure, Settings, Skip, cases, controllers, has_verb, test, tool, unmet)

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


class Result:
    def __init__(self, arguments, code, out, err, seconds):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err
        self.seconds = seconds

    def __str__(self):
        return (f"`{' '.join(map(str, self.arguments))}` -> {self.code}\n"
                f"  stdout: {self.out[-800:]!r}\n  stderr: {self.err[-1200:]!r}")


class T:
    """One run of one test."""

    def __init__(self, name, number):
        self.name = name
        self.directory = f"{Settings.work}/t{number}"
        self.root = f"{self.directory}/root"
        os.makedirs(self.root)
        os.chmod(self.directory, 0o755)
        self.prefix = f"t{number}"
        self.count = 0
        self.ids = []
        self.cgroups = set()
        self.background = []
        self.cleanups = []
        self.global_flags = []
        self.check_cgroup = True

    # --- expectations
    def fail(self, text):
        raise Failure(text)

    def skip(self, text):
        raise Skip(text)

    def true(self, condition, text="expectation does not hold"):
        if not condition:
            raise Failure(str(text))

    def equal(self, found, expected, what="value"):
        if found != expected:
            raise Failure(f"{what}: expected {expected!r}, found {found!r}")

    def contains(self, text, part, what="text"):
        parts = part if isinstance(part, (list, tuple)) else [part]
        if not any(p in text for p in parts):
            raise Failure(f"{what}: expected {' or '.join(map(repr, parts))} in {text[-1500:]!r}")

    def quick(self, seconds, limit, what):
        """`seconds` were taken and no more than `limit` may be, on a machine of ordinary speed."""
        if seconds > limit * Settings.patience:
            raise Failure(f"took {seconds:.2f} s, expected {limit}: {what}")

    def lacks(self, text, part, what="text"):
        if part in text:
            raise Failure(f"{what}: did not expect {part!r} in {text[-1500:]!r}")

    def eventually(self, condition, text="condition", seconds=10):
        deadline = time.monotonic() + seconds * Settings.patience
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise Failure(f"not within {seconds} s: {text}")
            time.sleep(0.01)

    # --- bundles
    def new_id(self):
        self.count += 1
        return f"{self.prefix}-{self.count}"

    def bundle(self, *args, **changes):
        self.count += 1
        return bundles.Bundle(self, f"{self.directory}/b{self.count}", args or ("true",), changes)

    def file(self, name, content="", mode=0o644):
        path = f"{self.directory}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def read(self, path):
        with open(path, errors="replace") as file:
            return file.read()

    # --- the runtime
    def command(self, arguments):
        return [Settings.runtime, "--root", self.root, *self.global_flags, *map(str, arguments)]

    def rt(self, *arguments, stdin=None, timeout=20, env=None, cwd=None, wrap=(), pass_fds=(),
           plain=False, reap=False):
        """Runs the runtime to its end; stdio are files, so that a container cannot hold a pipe."""
        timeout *= Settings.patience
        self.count += 1
        paths = [f"{self.directory}/{kind}{self.count}" for kind in ("in", "out", "err")]
        with open(paths[0], "wb") as file:
            file.write((stdin or "").encode() if isinstance(stdin, (str, type(None))) else stdin)
        command = [*wrap, *([Settings.runtime, *map(str, arguments)] if plain
                            else self.command(arguments))]
        began = time.monotonic()
        with open(paths[0], "rb") as i, open(paths[1], "wb") as o, open(paths[2], "wb") as e:
            process = subprocess.Popen(command, stdin=i, stdout=o, stderr=e, cwd=cwd or self.directory,
                                       env=env, pass_fds=pass_fds)
            try:
                code = self.wait_and_reap(process, timeout) if reap else process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise Failure(f"`{' '.join(command)}` did not end in {timeout} s; "
                              f"stderr: {self.read(paths[2])[-800:]!r}") from None
        self.last_out, self.last_err = paths[1], paths[2]
        return Result(command, code, self.read(paths[1]), self.read(paths[2]),
                      time.monotonic() - began)

    def wait_and_reap(self, process, timeout):
        """Waits for the runtime and reaps the container's processes meanwhile, as an engine does: a
        pid namespace does not end before its dead are reaped."""
        deadline = time.monotonic() + timeout
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(process.args, timeout)
            mine = {process.pid, *(p.pid for p in self.background)}
            with open("/proc/thread-self/children") as file:
                for pid in set(map(int, file.read().split())) - mine:
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.002)
        return process.returncode

    def ok(self, *arguments, **options):
        result = self.rt(*arguments, **options)
        if result.code != 0:
            raise Failure(f"expected success: {result}")
        return result

    def fails(self, *arguments, text=None, code=None, **options):
        """Expects a refusal, not a crash: a code of 1 to 127 or 255, and something on stderr."""
        result = self.rt(*arguments, **options)
        if result.code == 0:
            raise Failure(f"expected a refusal: {result}")
        if result.code < 0 or 128 < result.code < 192:
            raise Failure(f"ended by a signal: {result}")
        if code is not None and result.code != code:
            raise Failure(f"expected exit code {code}: {result}")
        if not result.err.strip():
            raise Failure(f"said nothing on stderr: {result}")
        if text is not None:
            self.contains(result.err, text, f"stderr of {' '.join(map(str, arguments))}")
        return result

    def own(self, identifier, bundle=None):
        self.ids.append(identifier)
        if bundle is not None:
            bundle.save(identifier)
        return identifier

    def run(self, bundle, *flags, **options):
        identifier = self.own(self.new_id(), bundle)
        return self.rt("run", "-b", bundle.path, *flags, identifier, **options)

    def refused(self, bundle, text=None, verb="run", **options):
        """Neither `run` nor anything the container did may happen; nothing is left."""
        identifier = self.own(self.new_id(), bundle)
        result = self.fails(verb, "-b", bundle.path, identifier, text=text, **options)
        self.equal(self.rt("state", identifier).code != 0, True, "a refused container is unknown")
        self.true(not self.state_entries(), f"state left: {self.state_entries()} by {result}")
        if bundle.cgroup and os.path.isdir(bundle.cgroup):
            self.fail(f"cgroup left by a refused create: {result}")
        return result

    def sh(self, script, code=0, **changes):
        """Runs a shell script in a fresh container and returns what it printed."""
        bundle = self.bundle("sh", "-c", script, **changes)
        result = self.run(bundle)
        if result.code != code:
            raise Failure(f"expected exit code {code}: {result}")
        return result.out

    def create(self, bundle, *flags, **options):
        identifier = self.own(self.new_id(), bundle)
        self.ok("create", "-b", bundle.path, *flags, identifier, **options)
        return identifier

    def up(self, *args, **changes):
        """A running container, by default one that sleeps."""
        identifier = self.create(self.bundle(*(args or ("sleep", "1000")), **changes))
        self.ok("start", identifier)
        return identifier

    def state(self, identifier):
        return json.loads(self.ok("state", identifier).out)

    def status(self, identifier):
        return self.state(identifier)["status"]

    def pid(self, identifier):
        return self.state(identifier)["pid"]

    def kill_and_wait(self, identifier, sig="KILL"):
        pid = self.pid(identifier)
        self.ok("kill", identifier, sig)
        return self.wait(pid)

    def wait(self, pid, seconds=10):
        """The exit code of a container's init, as the engine (its subreaper) gets it."""
        status = []

        def ended():
            done, value = os.waitpid(pid, os.WNOHANG)
            status.append(value)
            return done

        self.eventually(ended, f"process {pid} ends", seconds)
        return os.waitstatus_to_exitcode(status[-1])

    def spawn(self, *arguments, program=None, **options):
        """The runtime, or another program, in the background; ended with the test at the latest."""
        self.count += 1
        for name, mode in (("stdin", "rb"), ("stdout", "wb"), ("stderr", "wb")):
            if name not in options:
                path = f"{self.directory}/{name}{self.count}" if mode == "wb" else "/dev/null"
                options[name] = open(path, mode)
        command = [program, *arguments] if program else self.command(arguments)
        process = subprocess.Popen([*options.pop("wrap", ()), *command], cwd=self.directory, **options)
        self.background.append(process)
        return process

    # --- afterwards
    def state_entries(self):
        """Directories of the state root; lock files may stay."""
        return [e for e in os.listdir(self.root) if os.path.isdir(f"{self.root}/{e}")]

    def descendants(self):
        return descendants(os.getpid())

    def finish(self):
        """Deletes what the test made, then checks that nothing is left of it."""
        problems = []
        for process in self.background:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.global_flags = []
        for identifier in dict.fromkeys(self.ids):
            try:
                result = self.rt("delete", "--force", identifier, reap=True)
                if result.code != 0:
                    problems.append(f"delete --force: {result}")
            except Failure as failure:
                problems.append(str(failure))
        for cleanup in reversed(self.cleanups):
            cleanup()
        self.reap()
        deadline = time.monotonic() + Settings.patience
        while (left := self.descendants()) and time.monotonic() < deadline:
            time.sleep(0.01)
        for pid in left:
            problems.append(f"process left: {describe(pid)}")
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.reap()
        if self.state_entries():
            problems.append(f"state left: {self.state_entries()}")
        for path in self.cgroups if self.check_cgroup else ():
            if os.path.isdir(path):
                problems.append(f"cgroup left: {path}")
                remove_cgroup(path)
        return problems

    def reap(self):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def isolate():
    """The test's process becomes the subreaper of its containers and, as root, gets its own mounts."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.geteuid() == 0:
        if LIBC.unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def perform(entry, number):
    """Runs one test in this (forked) process; returns ("ok" | "FAIL" | "skip", text)."""
    reason = unmet(entry.needs)
    if reason:
        return "skip", reason
    isolate()
    before = mountinfo()

    def late(*_):
        raise Failure(f"the test did not end in {entry.timeout} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(int(entry.timeout * Settings.patience))
    t = T(entry.name, number)
    verdict, text = "ok", ""
    try:
        entry.function(t)
    except Skip as skip:
        verdict, text = "skip", str(skip)
    except Failure as failure:
        verdict, text = "FAIL", str(failure)
    except Exception as error:  # a fault of the test is a failure too
        verdict, text = "FAIL", f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-4)}"
    signal.alarm(0)
    problems = t.finish()
    if os.geteuid() == 0 and not t.cleanups:
        problems += mount_changes(before, mountinfo())
    if problems:
        verdict, text = "FAIL", "\n".join(filter(None, [text, *problems]))
    shutil.rmtree(t.directory, ignore_errors=True)
    return verdict, text

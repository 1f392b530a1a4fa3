"""What the engine checks share: a registry of checks, a shell that never waits for ever."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

CHECKS = []
USER = "user"  # the ordinary user of the machine's image, uid 1000, lingering


class Skip(Exception):
    """The check cannot be made here; the text says why."""


class Unavailable(Exception):
    """None of an engine's checks can be made here."""


class Failed(Exception):
    """The check was made and does not hold."""


def check(*engines):
    """Registers a function as a check, once for each engine object that it is given."""

    def register(function):
        for engine in engines:
            CHECKS.append((f"{engine.name}.{function.__name__}", function, engine))
        return function

    return register


def as_user(command, user):
    """The arguments that run a shell command as a user with a systemd instance, or as root."""
    if not user:
        return ["sh", "-c", command]
    environment = ["XDG_RUNTIME_DIR=/run/user/1000", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus"]
    return ["runuser", "-u", user, "--", "env", *environment, "sh", "-c", "cd && " + command]


def sh(command, timeout=120, user=None, stdin=None, expect=0):
    """Runs a shell command; gives its output (both streams). `expect` is the exit code, None for any."""
    arguments = as_user(command, user)
    try:
        done = subprocess.run(
            arguments, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True, errors="replace")
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command}\n  still running after {timeout} s: {late.output}") from None
    if expect is not None and done.returncode != expect:
        raise Failed(f"{command}\n  exit code {done.returncode}, expected {expect}: {done.stdout.strip()}")
    return done.stdout if expect is not None else (done.returncode, done.stdout)


def set_size(terminal, rows, columns):
    """Gives a terminal a size; who reads from it is told by SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def in_terminal(command, rows, columns, user=None, timeout=120, then=None):
    """Runs a shell command in a terminal of that size; gives what it wrote there.

    `then` is another size, (rows, columns), which the terminal gets when the command has written the first."""
    master, slave = pty.openpty()
    set_size(slave, rows, columns)
    child = subprocess.Popen(as_user(command, user), stdin=slave, stdout=slave, stderr=slave,
                             start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    text, end = b"", time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            part = os.read(master, 4096)
        except OSError:  # EIO: nobody holds the other end any more
            break
        if not part:
            break
        text += part
        if then and f"{rows} {columns}".encode() in text:
            time.sleep(1)  # the client may not yet listen to SIGWINCH
            set_size(master, *then)
            then = None
    else:
        child.kill()
    os.close(master)
    child.wait()
    return text.decode(errors="replace")


def controllers():
    """The cgroup controllers of this machine."""
    with open("/sys/fs/cgroup/cgroup.controllers", encoding="utf-8") as file:
        return file.read().split()


def needs(*names):
    """Skips the check where a cgroup controller is missing."""
    missing = [name for name in names if name not in controllers()]
    if missing:
        raise Skip(f"no cgroup controller here: {' '.join(missing)}")


def equal(found, expected, what=""):
    """Fails unless the two are equal."""
    if found != expected:
        raise Failed(f"{what}: found {found!r}, expected {expected!r}")


def contains(text, part):
    """Fails unless `part` stands in `text`."""
    if part not in text:
        raise Failed(f"{part!r} is not in {text!r}")


def until(condition, seconds=30, what="condition"):
    """Waits for a condition to hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise Failed(f"{what}: not within {seconds} s")


# A program that counts in /count.
COUNTING = "sh -c 'i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.2; done'"


def counted(read, least=0):
    """The number in /count, which `read` reads; empty for a moment whenever it is written. Waits for `least`."""
    numbers = []

    def reads():
        text = read().strip()
        numbers.append(int(text) if text.isdigit() else -1)
        return numbers[-1] >= max(least, 1)

    until(reads, what=f"a count of {least}")
    return numbers[-1]


def run_all(pattern, unavailable):
    """Runs every check whose name matches; gives the number of failures. `unavailable` maps engines to reasons."""
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    for name, function, engine in CHECKS:
        if not re.search(pattern, name):
            continue
        started = time.monotonic()
        try:
            if engine in unavailable:
                raise Skip(unavailable[engine])
            function(engine)
            verdict, why = "ok", ""
        except Skip as reason:
            verdict, why = "skip", f": {reason}"
        except Failed as reason:
            verdict, why = "FAIL", f": {reason}"
        except Exception as error:  # a fault of the check itself is a failure too
            verdict, why = "FAIL", f": {type(error).__name__}: {error}"
        counts[verdict] += 1
        print(f"{verdict} {name} ({time.monotonic() - started:.1f} s){why}", flush=True)
        if verdict != "skip":
            engine.clean()
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped", flush=True)
    return counts["FAIL"]


def leftovers(runtime_root):
    """State directories, and cgroups of containers, that outlived their containers."""
    left = []
    if os.path.isdir(runtime_root):
        left += [os.path.join(runtime_root, name) for name in os.listdir(runtime_root)
                 if os.path.isdir(os.path.join(runtime_root, name))]
    return left


def note(text):
    """A line for the person who reads the log."""
    print(f"# {text}", file=sys.stdout, flush=True)

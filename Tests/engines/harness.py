"""What the engine checks share: a registry of checks, a shell that never waits for ever."""

import os
import subprocess
import sys
import time

CHECKS = []
USER = "user"  # the ordinary user of the machine's image, uid 1000, lingering


class Skip(Exception):
    """The check cannot be made here; the text says why."""


class Failed(Exception):
    """The check was made and does not hold."""


def check(*engines):
    """Registers a function as a check, once for each engine object that it is given."""

    def register(function):
        for engine in engines:
            CHECKS.append((f"{engine.name}.{function.__name__}", function, engine))
        return function

    return register


def sh(command, timeout=120, user=None, stdin=None, expect=0):
    """Runs a shell command; gives its output (both streams). `expect` is the exit code, None for any."""
    if user:
        environment = f"XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus"
        arguments = ["runuser", "-u", user, "--", "env"] + environment.split() + ["sh", "-c", "cd && " + command]
    else:
        arguments = ["sh", "-c", command]
    try:
        done = subprocess.run(
            arguments, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True, errors="replace")
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command}\n  still running after {timeout} s: {late.output}") from None
    if expect is not None and done.returncode != expect:
        raise Failed(f"{command}\n  exit code {done.returncode}, expected {expect}: {done.stdout.strip()}")
    return done.stdout if expect is not None else (done.returncode, done.stdout)


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


def run_all(pattern):
    """Runs every check whose name matches; gives the number of failures."""
    import re

    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    for name, function, engine in CHECKS:
        if not re.search(pattern, name):
            continue
        started = time.monotonic()
        try:
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

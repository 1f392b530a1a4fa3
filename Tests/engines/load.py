"""Load: twenty at a time, the engine killed in the middle, and nothing left when all is over."""

import os
import signal
import subprocess
import time

from containerd import CTR, IMAGE
from harness import Failed, as_user, check, equal, leftovers, note, sh, until
from podman import ROOT, ROOTLESS

SECONDS = int(os.environ.get("APUS_ENGINES_LOAD", "20"))
AT_ONCE = 20


def loop(engine_user, command):
    """Starts shells that repeat the command, `$i` and `$n` naming the round, until they are stopped."""
    script = f"n=0; while :; do n=$((n+1)); {command} >/dev/null 2>&1; done"
    return [subprocess.Popen(as_user(f"i={i}; {script}", engine_user), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)
            for i in range(AT_ONCE)]


def end(shells):
    """Stops the shells; what they have started meanwhile is the engine's to clean."""
    for shell in shells:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait()


def processes(name):
    """The processes whose command is `name`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read().strip() == name:
                    found.append(int(pid))
        except OSError:
            pass
    return found


def cgroups(part):
    """The cgroups whose name holds `part`."""
    return [path for path, _, _ in os.walk("/sys/fs/cgroup") if part in os.path.basename(path)]


def nothing(what, find, seconds=30):
    """Waits until nothing is found any more."""
    try:
        until(lambda: not find(), seconds, what)
    except Failed:
        raise Failed(f"left behind: {what} {find()[:5]}") from None


def roots(name):
    """Where a runtime keeps its state when podman gives no --root."""
    return [f"/run/{name}", f"/run/user/1000/{name}"]


def forget(podman):
    """Removes with the runtime what a killed podman had not yet written down, so that nobody else ever would."""
    runtime = f"podman unshare {podman.runtime}" if podman.user else podman.runtime
    names = sh(f"{runtime} list -q", user=podman.user).split()
    if names:
        note(f"{podman.name}.load: {len(names)} containers that the killed podman did not record")
    for name in names:
        sh(f"{runtime} delete --force {name}", user=podman.user)


@check(ROOT, ROOTLESS)
def load(podman):
    """Containers come and go; every podman is killed once in the middle, at whatever it was doing."""
    shells = loop(podman.user, f"{podman.command} run --rm --net none --name load-$i-$n box true")
    time.sleep(SECONDS / 2)
    victims = processes("podman")
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    time.sleep(SECONDS / 2)
    end(shells)
    nothing("podman", lambda: processes("podman"), 60)
    until(lambda: podman("rm -af -t 0", expect=None)[0] == 0, 60, "rm")
    equal(podman("ps -aq").split(), [], "containers")
    forget(podman)
    nothing("conmon", lambda: processes("conmon"))
    for root in roots(podman.runtime):
        nothing("state", lambda: [path for path in leftovers(root) if os.path.basename(path)[0] not in "@."])
    nothing("cgroups", lambda: cgroups("libpod-"))
    if not victims:
        raise Failed("no podman was running")


@check(CTR)
def load_and_kill(ctr):
    """Containers come and go; containerd is killed in the middle and comes back."""
    shells = loop(None, f"{ctr.command} --rm {IMAGE} load-$i-$n true")
    time.sleep(SECONDS / 2)
    sh("systemctl kill -s KILL --kill-whom main containerd; systemctl reset-failed containerd; systemctl start containerd")
    time.sleep(SECONDS / 2)
    end(shells)
    nothing("ctr", lambda: processes("ctr"), 60)
    for _ in range(3):
        ctr.clean()
    equal(ctr("container ls -q").split(), [], "containers")
    nothing("state", lambda: leftovers("/run/containerd/runc/default"))
    nothing("cgroups", lambda: cgroups("load-"))

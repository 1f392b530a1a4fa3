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
KEEPERS = ("keeper1", "keeper2", "keeper3")


class Load:
    """Shells that repeat a command, `$i` and `$n` naming the round, and what was there before them."""

    def __init__(self, user, command):
        self.mounts, self.memfds = set(mounts()), set(memfds())
        self.counts = "/tmp/load-counts"
        sh(f"rm -rf {self.counts} && mkdir -m 777 {self.counts}")
        script = f"n=0; while :; do n=$((n+1)); echo $n >{self.counts}/$i; {command} >/dev/null 2>&1; done"
        self.shells = [subprocess.Popen(as_user(f"i={i}; {script}", user), stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True) for i in range(AT_ONCE)]

    def end(self, name):
        """Stops the shells; what they have started meanwhile is the engine's to clean."""
        for shell in self.shells:
            os.killpg(shell.pid, signal.SIGTERM)
            shell.wait()
        total = sum(int(number) for number in sh(f"cat {self.counts}/*").split())
        note(f"{name}: {total} containers in {SECONDS} s")

    def nothing_is_left(self, runtime):
        """No process, mount or memfd that was not there before."""
        for program in (runtime, "apus-init", "conmon", "containerd-shim"):
            nothing(program, lambda program=program: processes(program))
        nothing("mounts", lambda: sorted(set(mounts()) - self.mounts))
        nothing("memfds", lambda: sorted(set(memfds()) - self.memfds))


def mounts():
    """The places where something is mounted."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line.split()[4] for line in file]


def memfds():
    """Who holds or executes a file that is in memory only: (process, file)."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = [f"/proc/{pid}/exe", *(f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd"))]
        except OSError:
            continue
        for link in links:
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("/memfd:"):
                found.append((pid, target))
    return found


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
    """Containers come and go; every podman is killed once in the middle, at whatever it was doing. Those that
    should run do so still."""
    for name in KEEPERS:
        podman(f"run -d --name {name} --net none box sleep 100000")
    podman("run --rm --net none box true")  # whatever podman mounts once for all
    load_ = Load(podman.user, f"{podman.command} run --rm --net none --name load-$i-$n box true")
    time.sleep(SECONDS / 2)
    victims = processes("podman")
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    time.sleep(SECONDS / 2)
    load_.end(f"{podman.name}.load")
    nothing("podman", lambda: processes("podman"), 60)
    for name in KEEPERS:
        equal(podman.inspect(name, ".State.Status"), "running", name)
        equal(podman(f"exec {name} echo still").strip(), "still", name)
    until(lambda: podman("rm -af -t 0", expect=None)[0] == 0, 60, "rm")
    equal(podman("ps -aq").split(), [], "containers")
    forget(podman)
    for root in roots(podman.runtime):
        nothing("state", lambda: [path for path in leftovers(root) if os.path.basename(path)[0] not in "@."])
    nothing("cgroups", lambda: cgroups("libpod-"))
    load_.mounts.update(place for place in mounts() if "/overlay-containers/" not in place and "/overlay/" not in place)
    load_.nothing_is_left(podman.runtime)
    if not victims:
        raise Failed("no podman was running")


@check(CTR)
def load_and_kill(ctr):
    """Containers come and go; containerd is killed in the middle and comes back. Those that should run do so still."""
    load_ = Load(None, f"{ctr.command} --rm {IMAGE} load-$i-$n true")
    for name in KEEPERS:
        ctr.run("-d", name, "sleep 100000")
    time.sleep(SECONDS / 2)
    ctr.kill()
    time.sleep(SECONDS / 2)
    load_.end("containerd.load")
    nothing("ctr", lambda: processes("ctr"), 60)
    for name in KEEPERS:
        equal(ctr(f"task exec --exec-id after {name} echo still").strip(), "still", name)
    for _ in range(3):
        ctr.clean()
    equal(ctr("container ls -q").split(), [], "containers")
    nothing("state", lambda: leftovers("/run/containerd/runc/default"))
    nothing("cgroups", lambda: cgroups("load-") + cgroups("keeper"))
    load_.nothing_is_left(os.path.basename(ctr.runtime))

"""containerd's runc shim with the runtime under test, through ctr."""

import json
import subprocess
import time

import grpc
from harness import COUNTING, Failed, check, contains, controllers, counted, equal, needs, sh, until

SOCKET = "/run/containerd/containerd.sock"

IMAGE = "docker.io/library/box:latest"


class Containerd:
    """ctr with io.containerd.runc.v2 and --runc-binary."""

    name = "containerd"

    def __init__(self):
        self.runtime = self.command = None

    def __call__(self, arguments, **options):
        return sh(f"ctr {arguments}", **options)

    def run(self, options, name, command, **more):
        """`ctr run` with the runtime under test."""
        return sh(f"{self.command} {options} {IMAGE} {name} {command}", **more)

    def prepare(self, runtime, archive):
        """Starts containerd and imports the image that podman wrote."""
        self.runtime = runtime
        self.command = f"ctr run --runc-binary {runtime}"
        if "cpu" not in controllers():  # ctr's default is a weight of the cpu
            self.command += " --cpu-shares 0"
        sh("systemctl unmask containerd.service; systemctl start containerd", timeout=120)
        sh(f"podman import {archive} {IMAGE} >/dev/null && podman save --format oci-archive -o /tmp/box.oci {IMAGE}")
        self("image import /tmp/box.oci")

    def kill(self):
        """Kills the daemon and starts it again; docker, too, which is slow to look for it anew."""
        sh("systemctl kill -s KILL --kill-whom main containerd; systemctl reset-failed containerd; "
           "systemctl start containerd; systemctl try-restart docker", timeout=300)

    def clean(self):
        """Removes what a failed check left."""
        sh("ctr task ls -q | xargs -r -n1 ctr task rm -f >/dev/null 2>&1; "
           "ctr container ls -q | xargs -r -n1 ctr container rm >/dev/null 2>&1; true", expect=None)


CTR = Containerd()


@check(CTR)
def run(ctr):
    """Output and exit code."""
    equal(ctr.run("--rm", "one", "echo hello").strip(), "hello", "output")
    ctr.run("--rm", "two", "sh -c 'exit 5'", expect=5)


@check(CTR)
def missing_program(ctr):
    """The error's text reaches the client."""
    contains(ctr.run("--rm", "three", "nope", expect=1), "not found in $PATH")


@check(CTR)
def tasks(ctr):
    """exec, ps, pause, resume, kill."""
    ctr.run("-d", "task", "sleep 1000")
    equal(ctr("task exec --exec-id e1 task echo inside").strip(), "inside", "exec")
    ctr("task exec --exec-id e2 task sh -c 'exit 6'", expect=6)
    contains(ctr("task ps task"), "PID")
    ctr("task pause task")
    contains(ctr("task ls"), "PAUSED")
    ctr("task resume task")
    equal(ctr("task exec --exec-id e3 task echo on").strip(), "on", "exec")
    ctr("task kill -s KILL task")
    until(lambda: "STOPPED" in ctr("task ls"), what="stopped")
    ctr("task rm task")
    ctr("container rm task")


@check(CTR)
def metrics_and_update(ctr):
    """The shim's metrics of the task's cgroup, and an update of its limits."""
    needs("memory", "cpu", "pids")
    ctr.run("-d --memory-limit 67108864", "task", "sleep 1000")
    metrics = ctr("task metrics --format json task")
    contains(metrics, "67108864")
    resources = json.dumps({"memory": {"limit": 96 << 20}, "pids": {"limit": 50}})
    grpc.call(SOCKET, "/containerd.services.tasks.v1.Tasks/Update", {1: "task", 2: {
        1: "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources", 2: resources}},
        headers=(("containerd-namespace", "default"),))
    # ctr mounts no cgroup2 inside.
    pid = ctr("task list").split("task", 1)[1].split()[0]
    group = sh(f"cut -d: -f3 /proc/{pid}/cgroup").strip()
    found = sh(f"cd /sys/fs/cgroup{group} && cat memory.max pids.max")
    equal(found.split(), [str(96 << 20), "50"], "limits")


@check(CTR)
def oom(ctr):
    """The kill of a task over its limit is an event of containerd."""
    needs("memory")
    with subprocess.Popen(["ctr", "events"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as events:
        try:
            ctr.run("--rm --memory-limit 25165824", "eater", "tail /dev/zero", expect=137)
            time.sleep(1)
        finally:
            events.terminate()
        contains(events.stdout.read(), "/tasks/oom")


@check(CTR)
def checkpoint(ctr):
    """A task is checkpointed with its container, and another is restored from it, which goes on counting."""
    def read():
        return ctr(f"task exec --exec-id e{time.monotonic_ns()} counter cat /count")

    ctr.run("-d", "counter", COUNTING)
    before = counted(read, 4)
    ctr("container checkpoint --rw --task counter saved", timeout=120)
    ctr("task kill -s KILL counter")
    until(lambda: "STOPPED" in ctr("task ls"), what="stopped")
    ctr("task rm counter")
    ctr("container rm counter")
    ctr("container restore --rw --live counter saved", timeout=120)
    until(lambda: "RUNNING" in ctr("task ls"), what="running")
    if counted(read) < before:
        raise Failed("it began anew")
    ctr("image rm saved", expect=None)


@check(CTR)
def restart(ctr):
    """containerd is killed: the task goes on under its shim, and can be used by the next containerd."""
    ctr.run("-d", "stays", "sleep 1000")
    ctr.kill()
    equal(ctr("task exec --exec-id e1 stays echo still").strip(), "still", "exec")


@check(CTR)
def terminal(ctr):
    """A terminal through the shim's console socket."""
    contains(sh(f"script -qec '{ctr.command} --rm -t {IMAGE} tty tty' /dev/null"),
             "/dev/pts/0")


@check(CTR)
def parallel(ctr):
    """Twenty at once; nothing is left."""
    sh(f"for i in $(seq 20); do {ctr.command} --rm {IMAGE} p$i true & done; wait",
       timeout=300)
    equal(ctr("container ls -q").split(), [], "containers")
    left = sh("ls /run/containerd/runc/default 2>/dev/null", expect=None)[1].split()
    if left:
        raise Failed(f"state is left: {left}")

"""containerd's runc shim with the runtime under test, through ctr."""

from harness import Failed, Unavailable, check, contains, controllers, equal, sh, until


IMAGE = "docker.io/library/box:latest"


class Containerd:
    """ctr with io.containerd.runc.v2 and --runc-binary."""

    name = "containerd"

    def __init__(self):
        self.runtime = None

    def __call__(self, arguments, **options):
        return sh(f"ctr {arguments}", **options)

    def run(self, options, name, command, **more):
        """`ctr run` with the runtime under test."""
        return self(f"run --runc-binary {self.runtime} {options} {IMAGE} {name} {command}", **more)

    def prepare(self, runtime, archive):
        """Starts containerd and imports the image that podman wrote."""
        self.runtime = runtime
        missing = {"cpu", "memory"} - set(controllers())
        if missing:  # ctr asks for a weight of the cpu in every container
            raise Unavailable(f"no cgroup controller here: {' '.join(sorted(missing))}")
        sh("systemctl unmask containerd.service; systemctl start containerd", timeout=120)
        sh(f"podman import {archive} {IMAGE} >/dev/null && podman save --format oci-archive -o /tmp/box.oci {IMAGE}")
        self("image import /tmp/box.oci")

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
    contains(ctr.run("--rm", "three", "nope", expect=1), "executable file not found in $PATH")


@check(CTR)
def tasks(ctr):
    """exec, ps, pause, resume, metrics, kill."""
    ctr.run("-d --memory-limit 67108864", "task", "sleep 1000")
    equal(ctr("task exec --exec-id e1 task echo inside").strip(), "inside", "exec")
    ctr("task exec --exec-id e2 task sh -c 'exit 6'", expect=6)
    contains(ctr("task ps task"), "PID")
    ctr("task pause task")
    contains(ctr("task ls"), "PAUSED")
    ctr("task resume task")
    contains(ctr("task metrics task"), "memory")
    ctr("task kill -s KILL task")
    until(lambda: "STOPPED" in ctr("task ls"), what="stopped")
    ctr("task rm task")
    ctr("container rm task")


@check(CTR)
def terminal(ctr):
    """A terminal through the shim's console socket."""
    contains(sh(f"script -qec 'ctr run --rm -t --runc-binary {ctr.runtime} {IMAGE} tty tty' /dev/null"),
             "/dev/pts/0")


@check(CTR)
def parallel(ctr):
    """Twenty at once; nothing is left."""
    sh(f"for i in $(seq 20); do ctr run --rm --runc-binary {ctr.runtime} {IMAGE} p$i true & done; wait",
       timeout=300)
    equal(ctr("container ls -q").split(), [], "containers")
    left = sh("ls /run/containerd/runc/default 2>/dev/null", expect=None)[1].split()
    if left:
        raise Failed(f"state is left: {left}")

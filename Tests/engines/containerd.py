"""containerd's runc shim with the runtime under test, through ctr."""

from harness import Failed, check, contains, controllers, equal, needs, sh, until


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
    """exec, ps, pause, resume, metrics, kill."""
    needs("memory")
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

"""containerd's CRI plugin with the runtime under test, called as the kubelet calls it."""

import os

import grpc
from containerd import CTR
from harness import Failed, Unavailable, check, contains, controllers, equal, leftovers, sh, until

CONFIGURATION = """version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:latest"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested.options]
  BinaryName = "{runtime}"
  SystemdCgroup = true
"""
NODE = 2  # the namespace of the node: no CNI plugin is wanted


class Cri:
    """The RuntimeService of containerd."""

    name = "cri"

    def __call__(self, method, message, **options):
        try:
            return grpc.call("/run/containerd/containerd.sock", f"/runtime.v1.RuntimeService/{method}", message, **options)
        except grpc.CallFailed:
            raise Failed(f"{method}: " + sh("journalctl -q -u containerd -o cat | tail -n 3")) from None

    def prepare(self, runtime, archive):
        """Starts containerd with the runtime as a handler, and imports a pause image that sleeps."""
        missing = {"cpu", "memory"} - set(controllers())
        if missing:
            raise Unavailable(f"no cgroup controller here: {' '.join(sorted(missing))}")
        CTR.prepare(runtime, archive)
        os.makedirs("/etc/containerd", exist_ok=True)
        with open("/etc/containerd/config.toml", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(runtime=runtime))
        pause = "docker.io/library/pause:latest"
        sh(f"podman import --change 'CMD [\"sleep\", \"100000\"]' {archive} {pause} >/dev/null && "
           f"podman save --format oci-archive -o /tmp/pause.oci {pause}")
        sh("ctr -n k8s.io image import /tmp/pause.oci; ctr -n k8s.io image import /tmp/box.oci; systemctl restart containerd")
        until(self.is_ready, 60, "the CRI plugin")

    def is_ready(self):
        """Whether the plugin answers: it does not yet when containerd says that it has started."""
        try:
            self("ListPodSandbox", {})
            return True
        except (Failed, OSError):
            return False

    def clean(self):
        """Removes what a failed check left."""
        sh("ctr -n k8s.io task ls -q | xargs -r -n1 ctr -n k8s.io task rm -f >/dev/null 2>&1; "
           "ctr -n k8s.io container ls -q | xargs -r -n1 ctr -n k8s.io container rm >/dev/null 2>&1; true", expect=None)

    def execute(self, container, *command):
        """ExecSync: exit code, output, errors."""
        answer = self("ExecSync", {1: container, 2: list(command), 3: 30})
        return answer.get(3, 0), answer.get(1, b"").decode(), answer.get(2, b"").decode()


CRI = Cri()
SANDBOX = {1: {1: "pod", 2: "uid-1", 3: "default"}, 2: "pod", 3: "/tmp/pods",
           8: {1: "/kubepods.slice", 2: {1: {1: NODE}}}}


@check(CRI)
def pod(cri):
    """A sandbox and a container: limits, exec, update, stop, and nothing left."""
    sandbox = cri("RunPodSandbox", {1: SANDBOX, 2: "tested"})[1].decode()
    container = cri("CreateContainer", {1: sandbox, 3: SANDBOX, 2: {
        1: {1: "c"}, 2: {1: "docker.io/library/box:latest"}, 3: ["sleep", "1000"], 11: "c.log",
        15: {1: {1: 100000, 2: 50000, 3: 512, 4: 64 << 20}}}})[1].decode()
    cri("StartContainer", {1: container})
    equal(cri.execute(container, "echo", "inside")[:2], (0, "inside\n"), "exec")
    equal(cri.execute(container, "sh", "-c", "exit 7")[0], 7, "exit code")
    equal(cri.execute(container, "cat", "/sys/fs/cgroup/memory.max")[1].strip(), str(64 << 20), "memory.max")
    contains(sh("find /sys/fs/cgroup/kubepods.slice -maxdepth 1"), f"cri-containerd-{container}.scope")
    cri("UpdateContainerResources", {1: container, 2: {4: 96 << 20}})
    equal(cri.execute(container, "cat", "/sys/fs/cgroup/memory.max")[1].strip(), str(96 << 20), "memory.max")
    cri("StopContainer", {1: container, 2: 1})
    equal(grpc.decode(cri("ContainerStatus", {1: container})[1])[7], 137, "exit code of the stopped")
    for method, name in (("RemoveContainer", container), ("StopPodSandbox", sandbox), ("RemovePodSandbox", sandbox)):
        cri(method, {1: name})
    until(lambda: not leftovers("/run/containerd/runc/k8s.io"), what="state removed")

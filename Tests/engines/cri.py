"""containerd's CRI plugin with the runtime under test, called as the kubelet calls it."""

import json
import os

import grpc
from containerd import CTR, SOCKET
from harness import Failed, check, contains, controllers, equal, leftovers, needs, sh, until

CONFIGURATION = """version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:latest"
  disable_cgroup = {disable_cgroup}
  restrict_oom_score_adj = {disable_cgroup}
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "other"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.other]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.other.options]
  BinaryName = "/usr/bin/false"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.tested.options]
  BinaryName = "{runtime}"
  SystemdCgroup = {systemd}
"""
NODE = 2  # the namespace of the node

# A network plugin that leaves the pod's namespace as it is: what it does is no concern of the runtime.
PLUGIN = """#!/bin/sh
cat >/dev/null
case $CNI_COMMAND in
VERSION) echo '{"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}' ;;
ADD) echo '{"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "'$CNI_NETNS'"}], "ips":
    [{"address": "10.44.0.2/24", "interface": 0}], "dns": {}}' ;;
esac
"""
NETWORK = {"cniVersion": "1.0.0", "name": "still", "plugins": [{"type": "still"}]}
BOX, PAUSE = "docker.io/library/box:latest", "docker.io/library/pause:latest"


class Cri:
    """The RuntimeService of containerd."""

    name = "cri"

    def __init__(self):
        self.runtime = self.has_cgroups = None

    def __call__(self, method, message, **options):
        try:
            return grpc.call(SOCKET, f"/runtime.v1.RuntimeService/{method}", message, **options)
        except (grpc.CallFailed, OSError) as error:
            log = sh("journalctl -q -u containerd -o cat | grep -E 'level=(error|fatal)' | tail -n 3")
            raise Failed(f"{method}: {error}: {log}") from None

    def add_network(self):
        """Gives containerd a network for pods that have one of their own."""
        os.makedirs("/opt/cni/bin", exist_ok=True)
        os.makedirs("/etc/cni/net.d", exist_ok=True)
        for name in ("still", "loopback"):
            with open(f"/opt/cni/bin/{name}", "w", encoding="utf-8") as file:
                file.write(PLUGIN)
            os.chmod(file.name, 0o755)
        with open("/etc/cni/net.d/10-still.conflist", "w", encoding="utf-8") as file:
            json.dump(NETWORK, file)

    def prepare(self, runtime, archive):
        """Starts containerd with the runtime as a handler, and imports a pause image that sleeps."""
        # A pod always has a weight of the cpu; where there is no such controller, it can have no cgroup.
        self.runtime, self.has_cgroups = runtime, {"cpu", "memory"} <= set(controllers())
        os.makedirs("/etc/containerd", exist_ok=True)
        with open("/etc/containerd/config.toml", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(runtime=runtime, disable_cgroup=str(not self.has_cgroups).lower(),
                                            systemd=str(self.has_cgroups).lower()))
        self.add_network()
        sh("systemctl stop containerd")
        CTR.prepare(runtime, archive)
        sh(f"podman import --change 'CMD [\"/bin/sleep\", \"100000\"]' {archive} {PAUSE} >/dev/null && "
           f"podman save --format oci-archive -o /tmp/pause.oci {PAUSE}")
        sh("ctr -n k8s.io image import /tmp/pause.oci; ctr -n k8s.io image import /tmp/box.oci")
        until(self.is_ready, 120, "the CRI plugin")

    def is_ready(self):
        """Whether the plugin answers: it does not yet when containerd says that it has started."""
        try:
            self("ListPodSandbox", {})
            return True
        except Failed:
            return False

    def clean(self):
        """Removes what a failed check left."""
        for _ in range(10):
            left = self("ListPodSandbox", {}).get(1)  # the last of them
            if not left:
                break
            sandbox = grpc.decode(left)[1].decode()
            self("StopPodSandbox", {1: sandbox})
            self("RemovePodSandbox", {1: sandbox})

    def execute(self, container, *command, timeout=30):
        """ExecSync: exit code, output, errors."""
        answer = self("ExecSync", {1: container, 2: list(command), 3: timeout})
        return answer.get(3, 0), answer.get(1, b"").decode(), answer.get(2, b"").decode()


CRI = Cri()


class Pod:
    """A sandbox and its containers; stopped and removed at the end, and then nothing is left."""

    def __init__(self, cri, handler="tested", namespaces=None):
        self.cri, self.containers = cri, []
        self.namespaces = {1: NODE} if namespaces is None else namespaces
        # As the kubelet does: no host name of its own where the network is the node's.
        hostname = "" if self.namespaces.get(1) == NODE else "pod"
        self.config = {1: {1: "pod", 2: "uid-1", 3: "default"}, 2: hostname, 3: "/tmp/pods",
                       8: {1: "/kubepods.slice" if cri.has_cgroups else "", 2: {1: self.namespaces}}}
        self.sandbox = cri("RunPodSandbox", {1: self.config, 2: handler})[1].decode()

    def container(self, *command, linux=None):
        """Creates and starts a container of the pod; gives its id."""
        name = f"c{len(self.containers)}"
        linux = {2: {3: self.namespaces}, **(linux or {})}
        identifier = self.cri("CreateContainer", {1: self.sandbox, 3: self.config, 2: {
            1: {1: name}, 2: {1: BOX}, 3: list(command), 11: f"{name}.log", 15: linux}})[1].decode()
        self.containers.append(identifier)
        self.cri("StartContainer", {1: identifier})
        return identifier

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for container in self.containers:
            self.cri("StopContainer", {1: container, 2: 1})
            self.cri("RemoveContainer", {1: container})
        self.cri("StopPodSandbox", {1: self.sandbox})
        self.cri("RemovePodSandbox", {1: self.sandbox})
        if kind is None:
            until(lambda: not leftovers("/run/containerd/runc/k8s.io"), what="state removed")


def status(cri, container):
    """The fields of a ContainerStatus: 3 is the state (1: running, 2: exited), 7 the exit code, 10 the reason."""
    return grpc.decode(cri("ContainerStatus", {1: container})[1])


def wait_for_exit(cri, container):
    """The exit code of a container that ends by itself."""
    until(lambda: status(cri, container).get(3) == 2, what="the container's end")
    return status(cri, container).get(7, 0)


@check(CRI)
def pod(cri):
    """A sandbox with two containers: exec, logs, exit codes, stop; nothing is left."""
    with Pod(cri) as pod_:
        container = pod_.container("sh", "-c", "echo logged; sleep 1000")
        equal(cri.execute(container, "echo", "inside")[:2], (0, "inside\n"), "exec")
        equal(cri.execute(container, "sh", "-c", "echo amiss >&2; exit 7")[::2], (7, "amiss\n"), "exec")
        contains(sh("cat /tmp/pods/c0.log"), "logged")
        equal(wait_for_exit(cri, pod_.container("sh", "-c", "exit 3")), 3, "exit code")
        stubborn = pod_.container("sh", "-c", "trap : TERM; touch /deaf; while :; do sleep 0.1; done")
        until(lambda: cri.execute(stubborn, "ls", "/deaf")[0] == 0, what="the trap")
        for name, code in ((container, 143), (stubborn, 137)):
            cri("StopContainer", {1: name, 2: 1})
            equal(status(cri, name)[7], code, "exit code of the stopped")


@check(CRI)
def missing_program(cri):
    """A container whose program is missing: StartContainer fails with the words that the kubelet shows."""
    with Pod(cri) as pod_:
        try:
            pod_.container("nope")
            raise Failed("it was started")
        except Failed as failure:
            contains(str(failure), "not found in $PATH")


@check(CRI)
def exec_timeout(cri):
    """ExecSync past its time: an error, the process is killed, the container goes on."""
    with Pod(cri) as pod_:
        container = pod_.container("sleep", "1000")
        try:
            cri.execute(container, "sleep", "777", timeout=1)
            raise AssertionError("it was waited for")
        except Failed:
            pass
        until(lambda: "sleep 777" not in cri.execute(container, "ps")[1], what="the process's end")
        equal(cri.execute(container, "echo", "on")[1], "on\n", "exec afterwards")


@check(CRI)
def handler(cri):
    """The RuntimeClass's handler chooses the runtime: another one's failure is its own."""
    try:
        Pod(cri, "")  # the default one, whose program always fails
    except Failed:
        pass
    else:
        raise Failed("the default handler was not used")
    try:
        Pod(cri, "nobody")
    except Failed:
        pass
    else:
        raise Failed("a handler that is not configured was accepted")
    with Pod(cri) as pod_:
        contains(sh(f"{cri.runtime} --root /run/containerd/runc/k8s.io list"), pod_.sandbox)


@check(CRI)
def security_context(cri):
    """User, groups, capabilities, read-only root, no new privileges."""
    with Pod(cri) as pod_:
        container = pod_.container("sleep", "1000", linux={2: {
            1: {1: ["NET_ADMIN"], 2: ["ALL"]}, 3: pod_.namespaces, 5: {1: 33}, 12: {1: 44}, 7: 1, 8: [55], 11: 1}})
        equal(cri.execute(container, "id", "-u")[1], "33\n", "user")
        equal(cri.execute(container, "id", "-G")[1].split(), ["44", "55"], "groups")
        equal(cri.execute(container, "touch", "/x")[0], 1, "writing to the root")
        found = cri.execute(container, "grep", "-E", "CapBnd|NoNewPrivs", "/proc/self/status")[1].split()
        equal(found, ["CapBnd:", f"{1 << 12:016x}", "NoNewPrivs:", "1"], "status")


@check(CRI)
def user_namespace(cri):
    """A pod with a user namespace of its own: both it and its containers are mapped."""
    mapping = {1: 200000, 2: 0, 3: 65536}
    with Pod(cri, namespaces={5: {1: 0, 2: [mapping], 3: [mapping]}}) as pod_:
        container = pod_.container("sleep", "1000")
        equal(cri.execute(container, "cat", "/proc/self/uid_map")[1].split(), ["0", "200000", "65536"], "uid_map")
        equal(cri.execute(container, "stat", "-c", "%u", "/bin/busybox")[1], "0\n", "the image's owner")
        equal(cri.execute(container, "hostname")[1], "pod\n", "host name")


@check(CRI)
def limits_and_stats(cri):
    """Limits in the container's own scope, an update of them, stats of container and pod, and an OOM kill."""
    needs("memory", "cpu", "pids")
    with Pod(cri) as pod_:
        limits = {1: {1: 100000, 2: 50000, 3: 512, 4: 64 << 20}}
        container = pod_.container("sleep", "1000", linux=limits)
        equal(cri.execute(container, "cat", "/sys/fs/cgroup/memory.max")[1].strip(), str(64 << 20), "memory.max")
        equal(cri.execute(container, "cat", "/sys/fs/cgroup/cpu.max")[1].strip(), "50000 100000", "cpu.max")
        contains(sh("find /sys/fs/cgroup/kubepods.slice -maxdepth 1"), f"cri-containerd-{container}.scope")
        cri("UpdateContainerResources", {1: container, 2: {4: 96 << 20}})
        equal(cri.execute(container, "cat", "/sys/fs/cgroup/memory.max")[1].strip(), str(96 << 20), "memory.max")
        stats = grpc.decode(cri("ContainerStats", {1: container})[1])
        if grpc.decode(grpc.decode(stats[3])[2]).get(1, 0) == 0 or 2 not in stats:
            raise Failed(f"no use of memory or cpu: {stats}")
        if 2 not in grpc.decode(cri("PodSandboxStats", {1: pod_.sandbox})[1]):
            raise Failed("no stats of the pod")
        eater = pod_.container("tail", "/dev/zero", linux={1: {4: 24 << 20, 10: 24 << 20}})
        equal(wait_for_exit(cri, eater), 137, "exit code of the eater")
        equal(status(cri, eater)[10], b"OOMKilled", "reason")


@check(CRI)
def restart(cri):
    """containerd is killed and comes back: pods and containers are still there, and can be used."""
    with Pod(cri) as pod_:
        container = pod_.container("sleep", "1000")
        CTR.kill()
        until(cri.is_ready, 120, "the CRI plugin")
        equal(status(cri, container)[3], 1, "state")
        equal(cri.execute(container, "echo", "still")[1], "still\n", "exec")

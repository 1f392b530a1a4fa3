"""podman: options whose effect takes more than one command to see."""

import json
import os
import signal
import subprocess

from harness import COUNTING, Failed, Skip, check, contains, counted, equal, in_terminal, needs, sh, until
from podman import ALL, ROOT, ROOTLESS

EXTRA_GROUP = "apusextra"


@check(ROOT, ROOTLESS)
def volume_owner(podman):
    """-v with :U: the volume's files become the container user's."""
    place = podman.shell("d=$(mktemp -d) && touch $d/file && echo $d").strip()
    equal(podman(f"run --rm -u 33:44 -v {place}:/v:U box stat -c %u:%g /v /v/file").split(), ["33:44"] * 2, "owner")
    sh(f"rm -rf {place}")


@check(ROOTLESS)
def keep_groups(podman):
    """--group-add keep-groups: a file of the caller's group can be read inside."""
    sh(f"groupadd -f {EXTRA_GROUP} && usermod -aG {EXTRA_GROUP} user && rm -rf /tmp/grouped && mkdir /tmp/grouped && "
       f"echo shared >/tmp/grouped/file && chgrp {EXTRA_GROUP} /tmp/grouped/file && chmod 040 /tmp/grouped/file")
    podman("run --rm -u 33 -v /tmp/grouped:/g:ro box cat /g/file", expect=1)
    equal(podman("run --rm -u 33 --group-add keep-groups -v /tmp/grouped:/g:ro box cat /g/file"), "shared\n", "file")
    podman("run -d --name grouped -u 33 --group-add keep-groups -v /tmp/grouped:/g:ro box sleep 1000")
    equal(podman("exec grouped cat /g/file"), "shared\n", "exec")


@check(*ALL)
def resize(podman):
    """The terminal follows the caller's: its size at first and its changes."""
    script = "until stty size 2>/dev/null | grep .; do sleep 0.1; done; until stty size | grep '^44 120'; do sleep 0.1; done"
    command = f"{podman.command} run --rm -it --name sized box sh -c \"{script}\""
    contains(in_terminal(command, 33, 99, podman.user, timeout=60, then=(44, 120)), "44 120")


@check(*ALL)
def seccomp_profile(podman):
    """--security-opt seccomp=FILE."""
    with open("/tmp/profile.json", "w", encoding="utf-8") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW",
                   "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}, file)
    os.chmod(file.name, 0o644)
    found = podman("run --rm --security-opt seccomp=/tmp/profile.json box sh -c 'mkdir /x 2>&1 || true'")
    contains(found, "Function not implemented")


@check(ROOT, ROOTLESS)
def restart_policy(podman):
    """A container that fails is started again, so often."""
    podman("run -d --name again --restart on-failure:2 box sh -c 'echo run; exit 1'")
    until(lambda: podman("logs again").split() == ["run"] * 3, 60, "three runs")


@check(*ALL)
def copy(podman):
    """cp into a running container and out of it."""
    podman("run -d --name box1 box sleep 1000")
    podman.shell("echo copied >copied")
    podman("cp copied box1:/copy")
    equal(podman("exec box1 cat /copy"), "copied\n", "in")
    equal(podman("cp box1:/copy - | tar xO"), "copied\n", "out")


@check(*ALL)
def preserve_fds(podman):
    """--preserve-fds, and LISTEN_FDS as socket activation gives it."""
    name = sh("cat /etc/hostname").strip()
    equal(podman("run --rm --preserve-fds 1 box sh -c 'cat <&3' 3</etc/hostname").strip(), name, "handle 3")
    podman.shell(f"""cat >listen.sh <<'END'
export LISTEN_FDS=1 LISTEN_PID=$$
exec {podman.command} run --rm box sh -c 'echo $LISTEN_FDS $LISTEN_PID; cat <&3' 3</etc/hostname
END""")
    equal(podman.shell("sh listen.sh").split(), ["1", "1", name], "LISTEN_FDS, LISTEN_PID and handle 3")


@check(ROOT, ROOTLESS)
def systemd_mode(podman):
    """--systemd always: a cgroup to write in, and tmpfs for /run, for whatever program."""
    found = podman("run --rm --systemd always box sh -c 'mkdir /sys/fs/cgroup/own && echo made; grep -c \" /run tmpfs\" /proc/mounts'")
    equal(found.split(), ["made", "1"], "systemd mode")


@check(ROOT, ROOTLESS)
def pod_life(podman):
    """pause, unpause, stop and start of a pod reach all its containers."""
    podman("pod create --name pea --infra-image box --infra-command 'sleep 1000' --network none")
    for name in ("one", "two"):
        podman(f"run -d --pod pea --name {name} box sleep 1000")

    def states():
        return {podman.inspect(name, ".State.Status") for name in ("one", "two")}

    for verb, state in (("pause", "paused"), ("unpause", "running"), ("stop -t 0", "exited"), ("start", "running")):
        podman(f"pod {verb} pea")
        equal(states(), {state}, verb)


@check(ROOT)
def checkpoint_export(podman):
    """A checkpoint in a file, restored under another name."""
    podman(f"run -d --name origin box {COUNTING}")
    before = counted(lambda: podman("exec origin cat /count"), 4)
    podman("container checkpoint --export /tmp/origin.tar.gz origin")
    podman("rm origin")
    podman("container restore --import /tmp/origin.tar.gz --name moved")
    if counted(lambda: podman("exec moved cat /count")) < before:
        raise Failed("it began anew")


@check(ROOTLESS)
def published_port_rootless(podman):
    """pasta carries a published port to the container."""
    podman("run -d --name web -p 8082:80 box sh -c 'mkdir /w; echo served >/w/index.html; httpd -f -p 80 -h /w'")
    until(lambda: "served" in sh("busybox wget -qO- http://10.9.0.2:8082/", expect=None)[1], what="the page")


@check(ROOT)
def io_limits(podman):
    """--blkio-weight, and rates of a device."""
    needs("io")
    device = sh("lsblk -dnpo NAME,TYPE | awk '$2 == \"disk\" {print $1; exit}'").strip()
    if not device:
        raise Skip("no disk")
    podman(f"run -d --name slow --device-read-bps {device}:1mb --device-write-iops {device}:7 box sleep 1000")
    found = podman("exec slow cat /sys/fs/cgroup/io.max")
    contains(found, "rbps=1048576")
    contains(found, "wiops=7")
    if not sh("ls /sys/fs/cgroup/*/io.weight /sys/fs/cgroup/*/io.bfq.weight 2>/dev/null", expect=None)[1]:
        raise Skip("io.max is right; no scheduler with weights")
    podman("run -d --name light --blkio-weight 200 box sleep 1000")
    # bfq has the weight itself, io.weight its place between 1 and 10000.
    found = podman("exec light sh -c 'cat /sys/fs/cgroup/io.*weight'").split()
    if not {"200", "1920"} & set(found):
        raise Failed(f"weights: {found}")


@check(ROOT, ROOTLESS)
def failed_limit(podman):
    """A limit that cannot be set is no missing program: the exit code is not 127."""
    code, text = podman("run --rm --cgroup-conf memory.nope=1 box true", expect=None)
    if code in (0, 127):
        raise Failed(f"exit code {code}: {text}")


@check(ROOT)
def killed_podman(podman):
    """podman run is killed with SIGKILL: the container goes on under conmon, and a new podman knows it."""
    child = subprocess.Popen(["sh", "-c", f"exec {podman.command} run --name orphan box sleep 1000"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: podman("inspect -f '{{.State.Status}}' orphan", expect=None)[1].strip() == "running", what="running")
    child.send_signal(signal.SIGKILL)
    child.wait()
    equal(podman("exec orphan echo still").strip(), "still", "exec")
    podman("stop -t 0 orphan")
    until(lambda: podman.inspect("orphan", ".State.Status") == "exited", what="the end")

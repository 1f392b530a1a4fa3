"""podman as root and as an ordinary user: what it asks of its runtime, each with its visible effect."""

import json
import os
import re

from harness import COUNTING, USER, Failed, Skip, check, contains, counted, equal, in_terminal, needs, sh, until


class Podman:
    """podman with the runtime under test, for one user and one cgroup manager."""

    def __init__(self, name, user, manager):
        self.name, self.user, self.manager = name, user, manager
        self.runtime = None

    def __call__(self, arguments, **options):
        return self.shell(f"{self.command} {arguments}", **options)

    @property
    def command(self):
        """podman and the options that choose its runtime."""
        return f"podman --runtime {self.runtime} --cgroup-manager {self.manager}"

    def shell(self, command, **options):
        """A shell command of the same user, in the user's home."""
        return sh("cd && " + command, user=self.user, **options)

    def prepare(self, runtime, archive):
        """Imports the image that every check uses."""
        self.runtime = os.path.basename(runtime)  # found through containers.conf
        self(f"import {archive} box >/dev/null")

    def clean(self):
        """Removes what a failed check left."""
        self("rm -af -t 0 >/dev/null 2>&1; true", expect=None)
        self("pod rm -af -t 0 >/dev/null 2>&1; true", expect=None)

    def inspect(self, container, path):
        """A value of `podman inspect`."""
        return self(f"inspect -f '{{{{{path}}}}}' {container}").strip()


ROOT = Podman("podman", None, "systemd")
ROOT_FS = Podman("podman-cgroupfs", None, "cgroupfs")
ROOTLESS = Podman("rootless", USER, "systemd")
ALL = (ROOT, ROOT_FS, ROOTLESS)

# name: (arguments after `podman run --rm`, command, exit code, pattern of the output)
RUNS = {
    "output": ("", "echo hello", 0, r"^hello$"),
    "exit_code": ("", "sh -c 'exit 7'", 7, r""),
    "signal": ("--pid host", "sh -c 'kill -9 $$'", 137, r""),
    "missing_program": ("", "/nope", 127, r"no such file|not found"),
    "missing_in_path": ("", "nope", 127, r"not found in \$PATH|no such file"),
    "not_executable": ("", "/etc/passwd", 126, r"ermission denied"),
    "a_directory": ("", "/etc", 126, r"ermission denied|is a directory"),
    "hostname": ("--hostname swift", "hostname", 0, r"^swift$"),
    "environment": ("-e COLOR=blue", "sh -c 'echo $COLOR'", 0, r"^blue$"),
    "workdir": ("-w /tmp", "pwd", 0, r"^/tmp$"),
    "user": ("-u 33:44", "sh -c 'id -u; id -g'", 0, r"^33\n44$"),
    "groups": ("-u 33 --group-add 55", "id -G", 0, r"\b55\b"),
    "init": ("--init", "sh -c 'cat /proc/1/comm'", 0, r"catatonit|podman-init"),
    "read_only": ("--read-only", "sh -c 'touch /x || echo refused'", 0, r"refused"),
    "tmpfs": ("--tmpfs /scratch:size=2m", "grep scratch /proc/mounts", 0, r"tmpfs /scratch tmpfs .*size=2048k"),
    "ulimit": ("--ulimit nofile=321:654", "sh -c 'ulimit -n; ulimit -Hn'", 0, r"^321\n654$"),
    "sysctl": ("--sysctl net.ipv4.ip_default_ttl=77", "cat /proc/sys/net/ipv4/ip_default_ttl", 0, r"^77$"),
    "shm_size": ("--shm-size 5m", "grep /dev/shm /proc/mounts", 0, r"size=5120k"),
    "oom_score": ("--oom-score-adj 555", "cat /proc/self/oom_score_adj", 0, r"^555$"),
    "cap_add": ("--cap-drop all --cap-add net_raw", "grep CapEff /proc/self/status", 0, r"0000000000002000"),
    "no_new_privs": ("--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", 0, r"1$"),
    "seccomp": ("", "grep Seccomp: /proc/self/status", 0, r"2$"),
    "seccomp_off": ("--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", 0, r"0$"),
    "mask": ("--security-opt mask=/etc/passwd", "cat /etc/passwd", 0, r"^$"),
    "unmask": ("--security-opt unmask=/proc/acpi:/proc/keys", "sh -c 'cat /proc/keys | head -c 1 | wc -c'", 0, r"^[01]$"),
    "pid_host": ("--pid host", "sh -c 'ps | grep -c systemd'", 0, r"[1-9]"),
    "ipc_host": ("--ipc host", "readlink /proc/self/ns/ipc", 0, r"^ipc:"),
    "net_host": ("--net host", "ls /sys/class/net", 0, r"lo"),
    "net_none": ("--net none", "ls /sys/class/net", 0, r"^lo$"),
    "uts_host": ("--uts host", "hostname", 0, r"."),
    "umask": ("--umask 0077", "sh -c umask", 0, r"^0077$"),
    "terminal": ("-t", "tty", 0, r"^/dev/pts/0"),
    "device": ("--device /dev/fuse", "ls -l /dev/fuse", 0, r"10,\s*229"),
    "privileged": ("--privileged", "sh -c 'ls /dev | wc -l'", 0, r"\d\d"),
    "no_cgroups": ("--cgroups disabled", "echo fine", 0, r"^fine$"),
    "stdin": ("-i", "cat", 0, r""),
    "timezone_env": ("--env-host=false", "env", 0, r"container=podman"),
}


def add_run(name, options, command, code, pattern):
    def function(podman):
        found = podman(f"run --rm {options} box {command}", expect=code)
        if not re.search(pattern, found.replace("\r", "").strip(), re.M):
            raise Failed(f"{pattern!r} is not in {found!r}")

    function.__name__ = f"run_{name}"
    check(*ALL)(function)


for key, values in RUNS.items():
    add_run(key, *values)


@check(*ALL)
def limits(podman):
    """--memory, --cpus, --pids-limit and --cpuset-cpus, read in the container's own cgroup."""
    needs("memory", "cpu", "pids")
    if podman is ROOT_FS:
        options = "--memory 64m --cpus 0.5 --pids-limit 40"
    else:
        options = "--memory 64m --cpus 0.5 --pids-limit 40 --cpuset-cpus 0"
    found = podman(f"run --rm {options} box sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'")
    equal(found.split(), ["67108864", "50000", "100000", "40"], "limits")


@check(*ALL)
def oom(podman):
    """A container over its memory limit is killed, and the engine knows."""
    needs("memory")
    podman("run --name eater --memory 24m --memory-swap 24m box sh -c 'tail /dev/zero'", expect=137)
    equal(podman.inspect("eater", ".State.OOMKilled"), "true", "OOMKilled")


@check(*ALL)
def lifecycle(podman):
    """create, start, exec, kill, wait, rm."""
    podman("create --name life box sh -c 'trap \"exit 3\" TERM; while :; do sleep 0.1; done'")
    podman("start life")
    equal(podman.inspect("life", ".State.Status"), "running", "state")
    equal(podman("exec life echo inside").strip(), "inside", "exec")
    podman("exec -d life touch /mark")
    until(lambda: podman("exec life ls /mark", expect=None)[0] == 0, what="exec -d")
    podman("kill -s TERM life")
    equal(podman("wait life").strip(), "3", "exit code")
    podman("rm life")


@check(*ALL)
def exec_details(podman):
    """exec with user, directory, environment, terminal and its exit codes."""
    podman("run -d --name live box sleep 1000")
    equal(podman("exec -u 12:13 -w /tmp -e A=b live sh -c 'id -u; id -g; pwd; echo $A'").split(),
          ["12", "13", "/tmp", "b"], "exec")
    podman("exec live sh -c 'exit 9'", expect=9)
    podman("exec live nope", expect=127)
    podman("exec live /etc/passwd", expect=126)
    contains(podman("exec -t live tty"), "/dev/pts/")
    equal(podman("exec -i live cat", stdin="through\n").strip(), "through", "stdin")
    podman("exec --privileged live true")


@check(*ALL)
def terminal_size(podman):
    """The size of the caller's terminal reaches the container (from conmon, a moment after its start)."""
    out = in_terminal(f"{podman.command} run --rm -it box sh -c 'until stty size 2>/dev/null | grep .; do sleep 0.1; done'", 33, 99, podman.user)
    contains(out, "33 99")


@check(*ALL)
def stop(podman):
    """stop sends TERM, then KILL."""
    podman("run -d --name stubborn box sh -c 'trap : TERM; while :; do sleep 0.1; done'")
    podman("stop -t 2 stubborn")
    equal(podman.inspect("stubborn", ".State.ExitCode"), "137", "exit code")


@check(*ALL)
def pause(podman):
    """A paused container makes no progress; exec into it is refused; unpause goes on."""
    podman("run -d --name still box sleep 1000")
    podman("pause still")
    equal(podman.inspect("still", ".State.Status"), "paused", "state")
    code, _ = podman("exec still true", expect=None)
    if code == 0:
        raise Failed("exec in a paused container worked")
    podman("unpause still")
    podman("exec still true")


@check(*ALL)
def top_and_stats(podman):
    """ps inside, and the engine's own numbers."""
    needs("memory")
    podman("run -d --name watched box sleep 1000")
    contains(podman("top watched"), "sleep 1000")
    stats = json.loads(podman("stats --no-stream --format json watched"))
    equal(stats[0]["name"], "watched", "stats")


@check(*ALL)
def update(podman):
    """Limits of a running container change."""
    needs("memory")
    podman("run -d --name grow --memory 64m box sleep 1000")
    podman("update --memory 96m --cpus 0.25 grow")
    equal(podman("exec grow cat /sys/fs/cgroup/memory.max").strip(), str(96 << 20), "memory.max")
    equal(podman("exec grow cat /sys/fs/cgroup/cpu.max").strip(), "25000 100000", "cpu.max")


@check(*ALL)
def logs_and_attach(podman):
    """The output is kept, and attach sees what comes."""
    podman("run -d --name teller box sh -c 'echo first; sleep 3; echo second'")
    contains(podman("attach teller", timeout=60), "second")
    equal(podman("logs teller").split(), ["first", "second"], "logs")


@check(*ALL)
def volume(podman):
    """-v with options."""
    sh("rm -rf /tmp/vol && mkdir -m 777 /tmp/vol && echo given >/tmp/vol/file && chmod 666 /tmp/vol/file")
    equal(podman("run --rm -v /tmp/vol:/v:ro box sh -c 'cat /v/file; touch /v/x || echo refused' 2>&1").split()[0],
          "given", "content")
    contains(podman("run --rm -v named:/n box sh -c 'touch /n/x && grep /n /proc/mounts'"), "/n")
    podman("volume rm -f named")


@check(ROOT)
def volume_idmap(podman):
    """-v with idmap in a user namespace: the owner inside is the owner outside."""
    sh("rm -rf /tmp/mapped && mkdir /tmp/mapped && touch /tmp/mapped/file && chown 5:5 /tmp/mapped/file")
    found = podman("run --rm --uidmap 0:100000:1000 --gidmap 0:100000:1000 -v /tmp/mapped:/v:idmap box stat -c %u /v/file")
    equal(found.strip(), "5", "owner")


@check(ROOT)
def userns_auto(podman):
    """--userns auto."""
    found = podman("run --rm --userns auto:size=1024 box cat /proc/self/uid_map")
    if found.split()[1] == "0":
        raise Failed(f"no mapping: {found}")


@check(ROOTLESS)
def userns_keep_id(podman):
    """--userns keep-id and --group-add keep-groups."""
    equal(podman("run --rm --userns keep-id box id -u").strip(), "1000", "uid")
    podman("run --rm --group-add keep-groups box id")


@check(*ALL)
def shared_namespaces(podman):
    """--pid, --ipc and --net of another container."""
    podman("run -d --name donor box sleep 1000")
    for kind in ("pid", "ipc", "net"):
        inside = podman(f"exec donor readlink /proc/self/ns/{kind}").strip()
        joined = podman(f"run --rm --{kind} container:donor box readlink /proc/self/ns/{kind}").strip()
        equal(joined, inside, kind)


@check(ROOT, ROOTLESS)
def pod(podman):
    """A pod shares its network; removing it leaves nothing."""
    podman("pod create --name pea --infra-image box --infra-command 'sleep 1000' --share net,uts,ipc --network none")
    podman("run -d --pod pea --name one box sleep 1000")
    podman("run -d --pod pea --name two box sleep 1000")
    equal(podman("exec one readlink /proc/self/ns/net"), podman("exec two readlink /proc/self/ns/net"), "net")
    podman("pod rm -f -t 0 pea")


@check(ROOT)
def published_port(podman):
    """A bridge network with a published port."""
    podman("run -d --name web -p 8081:80 box sh -c 'mkdir /w; echo served >/w/index.html; httpd -f -p 80 -h /w'")
    until(lambda: "served" in sh("busybox wget -qO- http://127.0.0.1:8081/", expect=None)[1], what="the page")


@check(ROOT, ROOTLESS)
def kube_play(podman):
    """podman kube play of a pod."""
    sh("""cat >/tmp/pod.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: played
spec:
  hostNetwork: true
  containers:
  - name: c
    image: localhost/box:latest
    imagePullPolicy: Never
    command: ["sleep", "1000"]
END
""")
    code, out = podman("kube play /tmp/pod.yaml", expect=None)
    if code and "pause" in out:
        raise Skip(f"no infra image here: {out.strip()[-200:]}")
    equal(code, 0, out)
    podman("exec played-c true")
    podman("kube down /tmp/pod.yaml")


@check(*ALL)
def healthcheck(podman):
    """A health check runs in the container."""
    podman("run -d --name ill --health-cmd 'test -e /well' --health-interval disable box sleep 1000")
    podman("healthcheck run ill", expect=1)
    podman("exec ill touch /well")
    podman("healthcheck run ill", expect=0)


@check(*ALL)
def secret(podman):
    """A secret is a file in the container."""
    podman("secret create pass -", stdin="word")
    try:
        equal(podman("run --rm --secret pass box cat /run/secrets/pass"), "word", "secret")
    finally:
        podman("secret rm pass")


@check(ROOT, ROOTLESS)
def sdnotify(podman):
    """--sdnotify container: READY passes through to the caller's socket."""
    script = ("import socket,subprocess,os,sys\n"
              "p='/tmp/notify-%d' % os.getuid()\n"
              "try: os.unlink(p)\n"
              "except OSError: pass\n"
              "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(p); s.settimeout(60)\n"
              "os.environ['NOTIFY_SOCKET']=p\n"
              "c=subprocess.Popen(sys.argv[1:],stdout=subprocess.DEVNULL)\n"
              "m=s.recv(4096).decode()\n"
              "while 'READY=1' not in m: m+=s.recv(4096).decode()\n"
              "print(m)\n")
    with open("/tmp/notify.py", "w", encoding="utf-8") as file:
        file.write(script)
    with open("/tmp/ready.py", "w", encoding="utf-8") as file:
        file.write("import socket,os\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
                   "s.sendto(b'READY=1',os.environ['NOTIFY_SOCKET'])\n")
    found = sh(f"python3 /tmp/notify.py {podman.command} run -d --name told "
               "--sdnotify container -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /tmp:/t box "
               "sh -c '/usr/bin/python3 /t/ready.py; sleep 1000'", user=podman.user)
    contains(found, "READY=1")
    contains(found, "MAINPID=")


@check(ROOT)
def checkpoint(podman):
    """A checkpoint, and a restore that goes on counting."""
    podman(f"run -d --name counter box {COUNTING}")
    before = counted(lambda: podman("exec counter cat /count"), 4)
    podman("container checkpoint counter")
    podman("container restore counter")
    if counted(lambda: podman("exec counter cat /count")) < before:
        raise Failed("it began anew")


@check(ROOT, ROOTLESS)
def cgroups_split(podman):
    """--cgroups split, in a scope of its own."""
    scope = "systemd-run --quiet --pipe --wait " + ("--user " if podman.user else "") + "-p Delegate=yes "
    found = sh(f"{scope} podman --runtime {podman.runtime} run --rm --cgroups split box echo split", user=podman.user)
    contains(found, "split")


@check(ROOT)
def systemd(podman):
    """A systemd in a container: it boots, answers, and is stopped by its own signal."""
    podman("run -d --name machine --systemd always --network none --rootfs /:O /lib/systemd/systemd --unit=basic.target")
    until(lambda: podman("exec machine systemctl is-system-running", expect=None)[1].strip() in ("running", "degraded"),
          120, "systemd")
    contains(podman("exec machine cat /proc/1/comm"), "systemd")
    podman("exec machine systemd-run --wait --quiet true")
    podman("stop -t 60 machine")
    if podman.inspect("machine", ".State.ExitCode") == "137":
        raise Failed("it had to be killed")


@check(*ALL)
def many(podman):
    """Twenty containers at once, started and removed."""
    names = " ".join(str(i) for i in range(20))
    podman(f"--version >/dev/null; for i in {names}; do {podman.command} "
           "run -d --name m$i box sleep 1000 >/dev/null & done; wait", timeout=300)
    equal(len(podman("ps -q").split()), 20, "running")
    podman("rm -af -t 0 >/dev/null", timeout=300)
    equal(podman("ps -aq").split(), [], "left")

"""docker: a daemon with the runtime under test as its default, driven by the docker client."""

import json
import os
import re
import time

from harness import Failed, Skip, check, contains, controllers, equal, in_terminal, needs, sh, until


class Docker:
    """A docker daemon of our own."""

    name = "docker"

    def __init__(self):
        self.runtime = None

    def __call__(self, arguments, **options):
        return sh(f"docker {arguments}", **options)

    def prepare(self, runtime, archive):
        """Starts the daemon with the runtime as the default one and imports the image."""
        self.runtime = runtime
        name = os.path.basename(runtime)
        self.configure({"default-runtime": name, "runtimes": {"named": {"path": runtime}} if name == "runc" else
                        {name: {"path": runtime}, "named": {"path": runtime}}})
        sh("systemctl unmask docker.service docker.socket containerd.service; systemctl start docker", timeout=300)
        self(f"import {archive} box")

    def configure(self, settings):
        """Adds to the daemon's settings; they count from its next start."""
        os.makedirs("/etc/docker", exist_ok=True)
        path, old = "/etc/docker/daemon.json", {"exec-opts": ["native.cgroupdriver=systemd"]}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                old = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**old, **settings}, file)

    def clean(self):
        """Removes what a failed check left."""
        sh("docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1; true", expect=None)


DOCKER = Docker()

# name: (arguments after `docker run --rm`, command, exit code, pattern of the output)
RUNS = {
    "output": ("", "echo hello", 0, r"^hello$"),
    "exit_code": ("", "sh -c 'exit 7'", 7, r""),
    "missing_program": ("", "/nope", 127, r"no such file or directory"),
    "missing_in_path": ("", "nope", 127, r"executable file not found in \$PATH"),
    "not_executable": ("", "/etc/passwd", 126, r"permission denied"),
    "hostname": ("-h swift", "hostname", 0, r"^swift$"),
    "user": ("-u 33:44", "sh -c 'id -u; id -g'", 0, r"^33\n44$"),
    "workdir": ("-w /made/here", "pwd", 0, r"^/made/here$"),
    "init": ("--init", "sh -c 'cat /proc/1/comm'", 0, r"init|tini"),
    "read_only": ("--read-only", "sh -c 'touch /x || echo refused'", 0, r"refused"),
    "tmpfs": ("--tmpfs /scratch:size=2m", "grep scratch /proc/mounts", 0, r"size=2048k"),
    "ulimit": ("--ulimit nofile=321:654", "sh -c 'ulimit -n; ulimit -Hn'", 0, r"^321\n654$"),
    "sysctl": ("--sysctl net.ipv4.ip_default_ttl=77", "cat /proc/sys/net/ipv4/ip_default_ttl", 0, r"^77$"),
    "limits": ("--memory 64m --cpus 0.5 --pids-limit 40", "sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'", 0,
               r"67108864\n50000 100000\n40"),
    "cap_drop": ("--cap-drop all", "grep CapEff /proc/self/status", 0, r"0000000000000000"),
    "privileged": ("--privileged", "sh -c 'ls /dev | wc -l'", 0, r"\d\d"),
    "device": ("--device /dev/fuse", "ls -l /dev/fuse", 0, r"10,\s*229"),
    "seccomp": ("", "grep Seccomp: /proc/self/status", 0, r"2$"),
    "terminal": ("-t", "tty", 0, r"^/dev/pts/0"),
    "net_none": ("--net none", "ls /sys/class/net", 0, r"^lo$"),
    "net_host": ("--net host", "ls /sys/class/net", 0, r"lo"),
    "pid_host": ("--pid host", "sh -c 'ps | grep -c systemd'", 0, r"[1-9]"),
}


def add_run(name, options, command, code, pattern):
    def function(docker):
        if name == "limits":
            needs("memory", "cpu", "pids")
        found = docker(f"run --rm {options} box {command}", expect=code)
        if not re.search(pattern, found.replace("\r", "").strip(), re.M):
            raise Failed(f"{pattern!r} is not in {found!r}")

    function.__name__ = f"run_{name}"
    check(DOCKER)(function)


for key, values in RUNS.items():
    add_run(key, *values)


@check(DOCKER)
def lifecycle(docker):
    """run -d, exec, pause, update, stats, stop, logs."""
    docker("run -d --name life --memory 64m box sh -c 'echo up; sleep 1000'")
    docker("exec life sh -c 'exit 4'", expect=4)
    code, text = docker("exec life nope", expect=None)  # 126 with runc as well: the client's own choice
    equal(code, 126, text)
    contains(text, "not found in $PATH")
    docker("exec -d life touch /mark")
    until(lambda: docker("exec life ls /mark", expect=None)[0] == 0, what="exec -d")
    docker("pause life")
    equal(docker("inspect -f '{{.State.Status}}' life").strip(), "paused", "state")
    docker("unpause life")
    if "memory" in controllers():
        docker("update --memory 96m --memory-swap 96m life")
        equal(docker("exec life cat /sys/fs/cgroup/memory.max").strip(), str(96 << 20), "memory.max")
    contains(docker("stats --no-stream life"), "life")
    contains(docker("top life"), "sleep 1000")
    contains(docker("logs life"), "up")
    docker("stop -t 1 life")
    docker("start life")
    docker("rm -f life")


@check(DOCKER)
def oom_event(docker):
    """A container over its limit: OOMKilled, and an oom event."""
    needs("memory")
    docker("run --name eater --memory 24m --memory-swap 24m box tail /dev/zero", expect=137)
    equal(docker("inspect -f '{{.State.OOMKilled}}' eater").strip(), "true", "OOMKilled")
    contains(docker("events --since 2m --until 0s --filter event=oom --format '{{.Action}}'"), "oom")


@check(DOCKER)
def restart_policy(docker):
    """A container that fails is started again."""
    docker("run -d --name again --restart on-failure:3 box false")
    until(lambda: docker("inspect -f '{{.RestartCount}} {{.State.Status}}' again").strip() == "3 exited", 60, "three restarts")


@check(DOCKER)
def healthcheck(docker):
    """A health check runs in the container."""
    docker("run -d --name well --health-cmd true --health-interval 1s box sleep 1000")
    until(lambda: docker("inspect -f '{{.State.Health.Status}}' well").strip() == "healthy", 60, "healthy")


@check(DOCKER)
def restart_always(docker):
    """A container whose process is killed is started again; one that was stopped is not."""
    docker("run -d --name stays --restart always box sleep 1000")
    pid = docker("inspect -f '{{.State.Pid}}' stays").strip()
    sh(f"kill -9 {pid}")
    until(lambda: docker("inspect -f '{{.State.Pid}}' stays").strip() not in ("0", pid), 60, "another process")
    docker("stop -t 1 stays")
    equal(docker("inspect -f '{{.State.Status}}' stays").strip(), "exited", "state")


@check(DOCKER)
def named_runtime(docker):
    """--runtime NAME of daemon.json, beside the default one."""
    contains(docker("info -f '{{json .Runtimes}}'"), '"named"')
    docker("run -d --name chosen --runtime named box sleep 1000")
    equal(docker("inspect -f '{{.HostConfig.Runtime}}' chosen").strip(), "named", "runtime")
    identifier = docker("inspect -f '{{.Id}}' chosen").strip()
    contains(sh(f"{docker.runtime} --root /run/docker/runtime-runc/moby list"), identifier)


@check(DOCKER)
def interactive(docker):
    """run -it: the terminal has the caller's size, and follows it."""
    script = "until stty size 2>/dev/null | grep .; do sleep 0.1; done; until stty size | grep '^44 120'; do sleep 0.1; done"
    contains(in_terminal(f"docker run --rm -it box sh -c \"{script}\"", 33, 99, timeout=60, then=(44, 120)), "44 120")


@check(DOCKER)
def events(docker):
    """The events of a container's life, with its exit code."""
    docker("run --rm --name told box sh -c 'exit 5'", expect=5)
    time.sleep(1)  # the end is counted in seconds
    found = docker("events --since 2m --until 0s --filter container=told --format '{{.Action}} {{.Actor.Attributes.exitCode}}'")
    actions = [line.split()[0] for line in found.splitlines()]
    for action in ("create", "start", "die", "destroy"):
        contains(actions, action)
    contains(found, "die 5")


@check(DOCKER)
def stop_signal(docker):
    """stop sends the image's signal, then KILL."""
    docker("run -d --name polite --stop-signal USR1 box sh -c 'trap \"exit 8\" USR1; while :; do sleep 0.1; done'")
    docker("stop -t 20 polite")
    equal(docker("inspect -f '{{.State.ExitCode}}' polite").strip(), "8", "exit code")
    docker("run -d --name deaf box sh -c 'trap : TERM; while :; do sleep 0.1; done'")
    docker("stop -t 1 deaf")
    equal(docker("inspect -f '{{.State.ExitCode}}' deaf").strip(), "137", "exit code")


def context(directory, base):
    """A directory to build in, whose result prints what was built."""
    sh(f"rm -rf {directory} && mkdir {directory} && "
       f"printf 'FROM {base}\\nRUN echo built >/made && id -u >>/made\\nCMD [\"cat\",\"/made\"]\\n' >{directory}/Dockerfile")


@check(DOCKER)
def build(docker):
    """The classic builder."""
    context("/tmp/ctx", "box")
    sh("DOCKER_BUILDKIT=0 docker build -t built /tmp/ctx", timeout=300)
    equal(docker("run --rm built").split(), ["built", "0"], "output")


@check(DOCKER)
def build_with_buildkit(docker):
    """BuildKit, which runs its steps by the daemon's default runtime; a step that fails says its code."""
    if docker("buildx version", expect=None)[0]:
        raise Skip("no buildx here")
    context("/tmp/ctx2", "box")
    sh("DOCKER_BUILDKIT=1 docker build --progress plain -t built2 /tmp/ctx2", timeout=300)
    equal(docker("run --rm built2").split(), ["built", "0"], "output")
    sh("printf 'FROM box\\nRUN exit 9\\n' >/tmp/ctx2/Dockerfile")
    code, text = sh("DOCKER_BUILDKIT=1 docker build --progress plain /tmp/ctx2", expect=None, timeout=300)
    equal(code, 1, text)
    contains(text, "exit code: 9")


@check(DOCKER)
def live_restore(docker):
    """A daemon with live-restore is killed: its containers go on, and the next daemon knows them."""
    docker.configure({"live-restore": True})
    sh("systemctl reset-failed docker; systemctl restart docker", timeout=300)
    try:
        docker("run -d --name lives box sleep 1000")
        pid = docker("inspect -f '{{.State.Pid}}' lives").strip()
        sh("systemctl kill -s KILL --kill-whom main docker; sleep 1; systemctl reset-failed docker; systemctl start docker", timeout=300)
        equal(docker("inspect -f '{{.State.Pid}} {{.State.Running}}' lives").strip(), f"{pid} true", "process")
        equal(docker("exec lives echo still").strip(), "still", "exec")
        docker("rm -f lives")
    finally:
        docker.configure({"live-restore": False})
        sh("systemctl reset-failed docker; systemctl restart docker", timeout=300)


@check(DOCKER)
def kill_daemon(docker):
    """The daemon is killed and comes back: a container of a live-restore daemon would stay, ours ends and starts."""
    docker("run -d --name phoenix --restart always box sleep 1000")
    sh("systemctl kill -s KILL docker; sleep 2; systemctl reset-failed docker; systemctl start docker", timeout=300)
    until(lambda: docker("inspect -f '{{.State.Running}}' phoenix", expect=None)[1].strip() == "true", 90, "running again")

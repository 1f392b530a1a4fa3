"""cgroups with the systemd driver: scopes of the system's systemd, or of the user's own."""
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import Settings, cases, test
from limits import MIB, plain_devices

DRIVER = ("systemd", "cgroup")
LIMITS = ("systemd", "limits")


def systemctl(t, *arguments, check=True):
    command = ["systemctl", *(["--user"] if Settings.user else []), *arguments]
    reply = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if check and reply.returncode != 0:
        t.fail(f"{' '.join(command)}: {reply.stderr}")
    return reply.stdout.strip()


def shown(t, unit, *names):
    """Properties of a unit, by name."""
    lines = systemctl(t, "show", unit, "-p", ",".join(names)).splitlines()
    return dict(line.split("=", 1) for line in lines)


def gone(t, unit):
    return shown(t, unit, "LoadState", "ActiveState") == {"LoadState": "not-found",
                                                          "ActiveState": "inactive"}


class Scope:
    """A container of the systemd driver; `resources` and more change its configuration."""

    def __init__(self, t, *args, slice="", **resources):
        self.t = t
        self.bundle = t.bundle(*(args or ("sleep", "1000")))
        self.id = t.own(t.new_id())
        self.unit = f"apus-{self.id}.scope"
        self.bundle.set("linux.cgroupsPath", f"{slice}:apus:{self.id}")
        self.bundle.config["linux"].setdefault("resources", {}).update(resources)

    def create(self, *flags, **options):
        self.bundle.save(self.id)
        self.t.ok("--systemd-cgroup", "create", "-b", self.bundle.path, *flags, self.id, **options)
        with open(f"/proc/{self.t.pid(self.id)}/cgroup") as file:
            self.path = file.read().splitlines()[-1][3:]
        self.bundle.cgroup = f"{Settings.cgroup_mount}{self.path}"
        return self

    def up(self):
        self.create()
        self.t.ok("start", self.id)
        return self

    def file(self, name):
        return self.t.read(f"{self.bundle.cgroup}/{name}").strip()

    def refused(self, **options):
        """A create that fails and leaves no unit."""
        self.bundle.save(self.id)
        result = self.t.fails("--systemd-cgroup", "create", "-b", self.bundle.path, self.id, **options)
        self.t.true(not self.t.state_entries(), "state left")
        return result


@test(needs=DRIVER)
def scope(t):
    """the container is a scope of its own, from create to delete"""
    scope = Scope(t).create()
    found = shown(t, scope.unit, "ActiveState", "ControlGroup", "Slice", "Delegate", "Description",
                  "Transient")
    t.equal(found, {"ActiveState": "active", "ControlGroup": scope.path, "Delegate": "yes",
                    "Slice": "user.slice" if Settings.user else "system.slice",
                    "Description": f"apus container {scope.id}", "Transient": "yes"})
    # Nobody but the container's process is left in it.
    t.equal(scope.file("cgroup.procs"), str(t.pid(scope.id)))
    t.ok("start", scope.id)
    t.ok("delete", "--force", scope.id, reap=True)
    t.true(gone(t, scope.unit), "the unit is left")
    t.true(not os.path.isdir(scope.bundle.cgroup), "the cgroup is left")


@test(needs=DRIVER)
def ends_by_itself(t):
    """the scope ends with the container's last process, and delete finds nothing amiss"""
    scope = Scope(t, "true").create()
    pid = t.pid(scope.id)
    t.ok("start", scope.id)
    t.wait(pid)
    t.eventually(lambda: gone(t, scope.unit), "the unit ends")
    t.ok("delete", scope.id)


@test(needs=DRIVER)
def slices(t):
    """a-b.slice lies in a.slice; a slice that does not exist is made"""
    scope = Scope(t, slice="apustest-inner.slice").create()
    t.cleanups.append(lambda: systemctl(t, "stop", "apustest.slice", check=False))
    t.true(scope.path.endswith(f"/apustest.slice/apustest-inner.slice/{scope.unit}"), scope.path)


@test(needs=LIMITS)
def properties(t):
    """limits stand in the unit's properties and in the files alike"""
    scope = Scope(t, memory={"limit": 64 * MIB, "reservation": 32 * MIB}, pids={"limit": 33},
                  cpu={"quota": 50000, "period": 100000, "shares": 1024, "cpus": "0", "mems": "0"},
                  ).create()
    found = shown(t, scope.unit, "MemoryMax", "MemoryLow", "TasksMax", "CPUQuotaPerSecUSec",
                  "AllowedCPUs", "AllowedMemoryNodes", "CPUWeight")
    t.equal(found, {"MemoryMax": str(64 * MIB), "MemoryLow": str(32 * MIB), "TasksMax": "33",
                    "CPUQuotaPerSecUSec": "500ms", "AllowedCPUs": "0", "AllowedMemoryNodes": "0",
                    "CPUWeight": scope.file("cpu.weight")})
    files = {"memory.max": str(64 * MIB), "memory.low": str(32 * MIB), "pids.max": "33",
             "cpu.max": "50000 100000", "cpuset.cpus": "0"}
    t.equal({name: scope.file(name) for name in files}, files)


@test(needs=LIMITS)
def limit_of_no_task(t):
    """a limit of 0 processes, which systemd does not know: the container runs and forks nothing"""
    scope = Scope(t, pids={"limit": 0}).up()
    t.equal(shown(t, scope.unit, "TasksMax"), {"TasksMax": "1"})
    t.contains(["0", "1"], scope.file("pids.max"))


@test(needs=LIMITS)
def update(t):
    """update changes property and file, and systemd's reload changes neither"""
    scope = Scope(t, memory={"limit": 64 * MIB}, pids={"limit": 33}).up()
    t.ok("update", "-r", "-", scope.id, stdin=json.dumps(
        {"memory": {"limit": 48 * MIB}, "pids": {"limit": 44},
         "cpu": {"quota": 30000, "period": 100000}, "unified": {"memory.high": str(40 * MIB)}}))
    files = {"memory.max": str(48 * MIB), "pids.max": "44", "cpu.max": "30000 100000",
             "memory.high": str(40 * MIB)}

    def hold(what):
        t.equal({name: scope.file(name) for name in files}, files, f"after {what}")
        t.equal(shown(t, scope.unit, "MemoryMax", "TasksMax"),
                {"MemoryMax": str(48 * MIB), "TasksMax": "44"})
    hold("update")
    systemctl(t, "daemon-reload")
    hold("daemon-reload")


@test(needs=LIMITS)
def update_is_taken_back(t):
    """a refused update leaves the properties as they were, too"""
    scope = Scope(t, memory={"limit": 64 * MIB}).up()
    t.fails("update", "-r", "-", scope.id, stdin=json.dumps(
        {"memory": {"limit": 48 * MIB}, "unified": {"pids.max": "many"}}))
    t.equal(scope.file("memory.max"), str(64 * MIB))
    t.equal(shown(t, scope.unit, "MemoryMax"), {"MemoryMax": str(64 * MIB)})


@test(needs=LIMITS)
def driver_is_remembered(t):
    """no verb after create needs --systemd-cgroup"""
    scope = Scope(t).up()
    t.ok("update", "--pids-limit", "44", scope.id)
    t.equal(shown(t, scope.unit, "TasksMax"), {"TasksMax": "44"})
    t.equal(t.ok("exec", scope.id, "echo", "in").out, "in\n")
    t.ok("pause", scope.id)
    t.equal(t.status(scope.id), "paused")
    t.ok("resume", scope.id)
    t.true(t.ok("ps", "-f", "json", scope.id).out.strip() == f"[{t.pid(scope.id)}]", "ps")
    t.kill_and_wait(scope.id)
    t.ok("delete", scope.id)
    t.true(gone(t, scope.unit), "the unit is left")


@test(needs=(*LIMITS, "root", "probe"))
def devices_survive_a_reload(t):
    """after daemon-reload the allowed device opens and another does not"""
    devices = plain_devices(t, 2)
    (one, minor), (other, _) = devices
    scope = Scope(t, devices=[{"allow": False, "access": "rwm"},
                              {"allow": True, "type": "c", "major": 10, "minor": minor, "access": "r"}])
    scope.bundle.set("linux.devices", [
        {"path": f"/dev/{name}", "type": "c", "major": 10, "minor": number, "fileMode": 0o666}
        for name, number in devices])
    scope.up()

    def opened():
        return t.ok("exec", scope.id, "probe", "read", f"/dev/{one}", "/dev/null",
                    f"/dev/{other}").out
    expected = f"/dev/{one}: opened\n/dev/null: opened\n/dev/{other}: EPERM\n"
    t.equal(opened(), expected)
    systemctl(t, "daemon-reload")
    t.equal(opened(), expected, "after a reload")
    t.ok("update", "--pids-limit", "44", scope.id)
    t.equal(opened(), expected, "after an update")
    t.ok("update", "-r", "-", scope.id, stdin=json.dumps(
        {"devices": [{"allow": False, "access": "rwm"}]}))
    expected = expected.replace(f"{one}: opened", f"{one}: EPERM")
    t.equal(opened(), expected, "after an update of the rules")
    systemctl(t, "daemon-reload")
    t.equal(opened(), expected, "after that and a reload")


@test(needs=DRIVER)
def annotations(t):
    """org.systemd.property.NAME sets a property; it wins over what the runtime would set"""
    scope = Scope(t)
    scope.bundle.set("annotations", {
        "org.systemd.property.TimeoutStopUSec": "uint64 123000000",
        "org.systemd.property.CollectMode": "'inactive-or-failed'",
        "org.systemd.property.Description": "'by annotation'"})
    scope.create()
    t.equal(shown(t, scope.unit, "TimeoutStopUSec", "CollectMode", "Description"),
            {"TimeoutStopUSec": "2min 3s", "CollectMode": "inactive-or-failed",
             "Description": "by annotation"})


@cases([("value", "org.systemd.property.TimeoutStopUSec", "uint64 x"),
        ("unknown", "org.systemd.property.NoSuchThing", "true"),
        ("type", "org.systemd.property.TimeoutStopUSec", "'text'"),
        ("name", "org.systemd.property.A.B", "true")], needs=DRIVER)
def bad_annotation(t, name, value):
    """a property that systemd does not take is an error that names it"""
    scope = Scope(t)
    scope.bundle.config["annotations"] = {name: value}
    scope.refused()
    t.true(gone(t, scope.unit), "the unit is left")


@cases([("path", "/some/where"), ("two", "a:b"), ("four", "a.slice:b:c:d"), ("slice", "nothing:apus:x"),
        ("up", "a.slice:apus:../x"), ("dash", "a--b.slice:apus:x")], needs=DRIVER)
def bad_path(t, path):
    """a cgroupsPath that names no unit is refused"""
    scope = Scope(t)
    scope.bundle.set("linux.cgroupsPath", path)
    scope.refused(text="cgroupsPath")


@test(needs=DRIVER)
def failed_unit_of_the_name(t):
    """a failed unit of the name, left by another life, is forgotten"""
    scope = Scope(t)
    manager = ["--user"] if Settings.user else []
    subprocess.run(["systemd-run", *manager, "--scope", "--quiet", f"--unit={scope.unit}",
                    "-p", "RuntimeMaxSec=1", "sleep", "100"], capture_output=True, timeout=60,
                   check=False)
    t.eventually(lambda: shown(t, scope.unit, "ActiveState") == {"ActiveState": "failed"}, "it fails")
    scope.create()
    t.equal(shown(t, scope.unit, "ActiveState"), {"ActiveState": "active"})


@test(needs=DRIVER)
def unit_of_a_stranger(t):
    """a unit of the name that runs is refused, and goes on"""
    scope = Scope(t)
    manager = ["--user"] if Settings.user else []
    stranger = subprocess.Popen(["systemd-run", *manager, "--scope", "--quiet",
                                 f"--unit={scope.unit}", "sleep", "100"])
    t.background.append(stranger)
    t.eventually(lambda: shown(t, scope.unit, "ActiveState") == {"ActiveState": "active"}, "it runs")
    scope.refused(text=scope.unit)
    t.equal(shown(t, scope.unit, "ActiveState"), {"ActiveState": "active"})
    t.true(stranger.poll() is None, "the stranger was ended")


@test(needs=(*LIMITS, "probe"))
def failed_by_memory(t):
    """a scope whose process was killed for want of memory leaves no failed unit after delete"""
    scope = Scope(t, "probe", "memory", "100", memory={"limit": 20 * MIB, "swap": 20 * MIB}).create()
    pid = t.pid(scope.id)
    t.ok("start", scope.id)
    t.equal(t.wait(pid, 30), -9)
    t.ok("delete", scope.id)
    t.true(gone(t, scope.unit), "the unit is left")


@test(needs=LIMITS)
def one_process(t):
    """a limit of one process is one for the container, whatever the scope was started with"""
    scope = Scope(t, pids={"limit": 1}).up()
    t.equal(scope.file("pids.max"), "1")
    t.equal((t.status(scope.id), scope.file("pids.current")), ("running", "1"))


@test(needs=DRIVER)
def killed_runtime(t):
    """SIGKILL of the runtime in the midst of create: delete --force leaves no unit"""
    scope = Scope(t)
    scope.bundle.hook("createRuntime", f"echo >{t.directory}/hook; sleep 1000")
    scope.bundle.save(scope.id)
    process = t.spawn("--systemd-cgroup", "create", "-b", scope.bundle.path, scope.id)
    t.eventually(lambda: os.path.exists(f"{t.directory}/hook"), "the hook runs")
    process.send_signal(signal.SIGKILL)
    process.wait()
    t.ok("delete", "--force", scope.id, reap=True)
    t.eventually(lambda: gone(t, scope.unit), "the unit ends")
    for pid in t.descendants():
        os.kill(pid, signal.SIGKILL)  # the hook's sleep is not the container's


@test(needs=DRIVER)
def foreground(t):
    """run: the exit code, and no unit after it"""
    scope = Scope(t, "sh", "-c", "exit 7")
    scope.bundle.save(scope.id)
    t.equal(t.rt("--systemd-cgroup", "run", "-b", scope.bundle.path, scope.id).code, 7)
    t.eventually(lambda: gone(t, scope.unit), "the unit ends")


@test(needs=DRIVER)
def without_a_bus(t):
    """where systemd cannot be reached the error says where it was looked for"""
    scope = Scope(t)
    name = "DBUS_SESSION_BUS_ADDRESS" if Settings.user else "DBUS_SYSTEM_BUS_ADDRESS"
    scope.refused(text="/no/such/bus", env={**os.environ, name: "unix:path=/no/such/bus"})


@test(needs=DRIVER)
def silent_bus(t):
    """a bus that never answers does not hang the runtime for ever"""
    path = f"{t.directory}/bus"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    os.chmod(path, 0o666)
    scope = Scope(t)
    name = "DBUS_SESSION_BUS_ADDRESS" if Settings.user else "DBUS_SYSTEM_BUS_ADDRESS"
    began = time.monotonic()
    scope.refused(timeout=60, env={**os.environ, name: f"unix:path={path}"})
    t.quick(time.monotonic() - began, 40, "a create that asks nobody")


class DeafSystemd(threading.Thread):
    """A bus that lets its callers in, with a systemd that never answers: it is reloading."""

    def __init__(self, t):
        super().__init__(daemon=True)
        path = f"{t.directory}/bus"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        os.chmod(path, 0o666)
        name = "DBUS_SESSION_BUS_ADDRESS" if Settings.user else "DBUS_SYSTEM_BUS_ADDRESS"
        self.environment = {**os.environ, name: f"unix:path={path}"}
        self.start()

    def run(self):
        peer, _ = self.listener.accept()
        peer.recv(4096)
        peer.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
        # To what the bus itself is asked (Hello, AddMatch): a method return of a string.
        for serial in (1, 2):
            while b"org.freedesktop.DBus" not in peer.recv(65536):
                pass
            body = struct.pack("<I", 4) + b":1.5\0"
            fields = struct.pack("<BBBxI", 5, 1, ord("u"), serial) + b"\x08\x01g\0\x01s\0"
            head = struct.pack("<cBBBIII", b"l", 2, 1, 1, len(body), serial, len(fields))
            peer.sendall(head + fields + bytes(-len(head + fields) % 8) + body)
        while peer.recv(65536):
            self.deaf = True


@test(needs=DRIVER, timeout=90)
def delete_while_systemd_reloads(t):
    """delete does not need systemd's answer: the processes are dead, and an empty scope ends"""
    scope = Scope(t).up()
    bus = DeafSystemd(t)
    t.ok("delete", "--force", scope.id, env=bus.environment, timeout=60, reap=True)
    t.true(bus.deaf, "systemd was not asked")
    t.true(not os.path.isdir(scope.bundle.cgroup), "the cgroup is left")
    t.eventually(lambda: gone(t, scope.unit), "the unit ends")

"""Bundles: a busybox root file system and a config.json that a test changes before it is written."""
import copy
import json
import os
import shutil

import harness

APPLETS = """sh ash cat ls echo true false sleep id env printenv pwd mkdir rmdir rm cp mv ln touch chmod
chown stat mount umount grep sed awk head tail wc sort uniq tr cut test [ expr seq ps kill ip ifconfig
hostname uname date dd df du find xargs mknod mkfifo readlink realpath dirname basename sysctl ulimit
stty tty nproc free dmesg nc unshare setsid timeout yes od hexdump md5sum sha256sum tee usleep sync
renice nice chroot su whoami groups which dnsdomainname ionice chrt logger printf vi more less""".split()

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
mail:x:8:8:mail:/var/mail:/bin/false
1000:x:0:0:a name of digits:/evil:/bin/sh
someone:x:1001:1002:someone:/home/someone:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
tty:x:5:
mail:x:8:
users:x:100:someone
some:x:1002:
nogroup:x:65534:
"""

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
     "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs",
     "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
     "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
]

CONFIG = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["true"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "box",
    "mounts": MOUNTS,
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": kind} for kind in
                       ("pid", "network", "ipc", "uts", "mount", "cgroup")],
        "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                        "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.access(path, os.X_OK):
            return path
    raise harness.Skip("no busybox")


def make_template(work):
    """A busybox to link every root file system to (a link needs the same file system)."""
    os.makedirs(f"{work}/template")
    shutil.copy(busybox(), f"{work}/template/busybox")
    os.chmod(f"{work}/template/busybox", 0o755)


def make_rootfs(path):
    for directory in ("bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "var"):
        os.makedirs(f"{path}/{directory}")
    os.makedirs(f"{path}/tmp")
    os.chmod(f"{path}/tmp", 0o1777)
    os.link(f"{harness.Settings.work}/template/busybox", f"{path}/bin/busybox")
    for applet in APPLETS:
        os.symlink("busybox", f"{path}/bin/{applet}")
    for name in ("probe",):
        if harness.tool(name):
            os.symlink("../probe", f"{path}/bin/{name}")
            os.link(f"{harness.Settings.work}/template/{name}", f"{path}/{name}")
    with open(f"{path}/etc/passwd", "w") as file:
        file.write(PASSWD)
    with open(f"{path}/etc/group", "w") as file:
        file.write(GROUP)


def merge(target, changes):
    """Changes are {"process.user.uid": 5} paths; a value of None removes the key."""
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = target
        for name in parents:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value


class Bundle:
    def __init__(self, t, path, args, changes):
        self.t, self.path = t, path
        self.rootfs = f"{path}/rootfs"
        self.cgroup = None
        self.raw = None  # instead of the config: text, bytes, or pieces of text
        os.makedirs(path)
        make_rootfs(self.rootfs)
        self.config = copy.deepcopy(CONFIG)
        self.config["process"]["args"] = list(args)
        if harness.Settings.user:
            make_rootless(self.config)
        merge(self.config, {name.replace("__", "."): value for name, value in changes.items()})

    def set(self, path, value):
        merge(self.config, {path: value})
        return self

    def mount(self, destination, source="tmpfs", kind="tmpfs", *options):
        self.config["mounts"].append({"destination": destination, "source": source, "type": kind,
                                      "options": list(options)})
        return self

    def bind(self, source, destination, *options):
        return self.mount(destination, source, "bind", *(options or ("rbind",)))

    def without_mount(self, destination):
        self.config["mounts"] = [m for m in self.config["mounts"]
                                 if m["destination"] != destination]
        return self

    def namespace(self, kind, path=None):
        spaces = [n for n in self.config["linux"]["namespaces"] if n["type"] != kind]
        spaces.append({"type": kind, "path": path} if path else {"type": kind})
        self.config["linux"]["namespaces"] = spaces
        return self

    def without_namespace(self, kind):
        self.config["linux"]["namespaces"] = [
            n for n in self.config["linux"]["namespaces"] if n["type"] != kind]
        return self

    def user_namespace(self, host=100000, size=65536):
        self.namespace("user")
        for key in ("uidMappings", "gidMappings"):
            self.config["linux"][key] = [{"containerID": 0, "hostID": host, "size": size}]
        for directory, _, files in os.walk(self.rootfs):
            os.chown(directory, host, host)
            for name in files:
                if os.stat(f"{directory}/{name}", follow_symlinks=False).st_nlink == 1:
                    os.chown(f"{directory}/{name}", host, host, follow_symlinks=False)
        return self

    def hook(self, kind, script, **more):
        """A hook that runs a shell script outside (the runtime's namespaces) or inside."""
        entry = {"path": "/bin/sh", "args": ["sh", "-c", script],
                 "env": ["PATH=/usr/bin:/bin"], **more}
        self.config.setdefault("hooks", {}).setdefault(kind, []).append(entry)
        return self

    def save(self, identifier):
        if "cgroupsPath" not in self.config["linux"] and harness.Settings.cgroup_base:
            # Not another test's cgroup, where the ID has not the test's own prefix.
            mine = identifier.startswith(f"{self.t.prefix}-")
            name = identifier if mine else f"{self.t.prefix}-{identifier}"
            self.config["linux"]["cgroupsPath"] = f"{harness.Settings.cgroup_base}/{name}"
        path = self.config["linux"].get("cgroupsPath")
        if isinstance(path, str) and path.startswith("/"):
            self.cgroup = f"{harness.Settings.cgroup_mount}{path}"
            self.t.cgroups.add(self.cgroup)
        content = self.raw if self.raw is not None else json.dumps(self.config)
        with open(f"{self.path}/config.json", "wb") as file:
            for piece in [content] if isinstance(content, (bytes, str)) else content:
                file.write(piece if isinstance(piece, bytes) else piece.encode())


def make_rootless(config):
    """As `spec --rootless` does: a user namespace of one id, no gid= for devpts, /sys bound."""
    linux = config["linux"]
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "network"]
    linux["namespaces"].append({"type": "user"})
    linux["uidMappings"] = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
    linux["gidMappings"] = [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    linux.pop("resources", None)
    for mount in config["mounts"]:
        if mount["destination"] == "/dev/pts":
            mount["options"] = [o for o in mount["options"] if not o.startswith("gid=")]
        if mount["destination"] == "/sys":
            mount.update(type="none", source="/sys", options=["rbind", "nosuid", "noexec",
                                                              "nodev", "ro"])
    config["mounts"] = [m for m in config["mounts"] if m["destination"] != "/sys/fs/cgroup"]

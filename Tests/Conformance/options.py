"""Every option of the specification's table of mount options, and what else it says of mounts."""
import json
import os
import subprocess

from harness import cases, test
from mounts import info, line


@test(needs="root")
def default_filesystems(t):
    """the configuration that spec writes has /proc, /sys, /dev/pts and /dev/shm of their types"""
    bundle = t.bundle()
    t.ok("spec", "--bundle", bundle.path)
    bundle.config = json.loads(t.read(f"{bundle.path}/config.json"))
    bundle.config["process"].update(args=["cat", "/proc/self/mountinfo"], terminal=False)
    out = t.run(bundle).out
    for place, kind in (("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts"), ("/dev/shm", "tmpfs")):
        found = line(out, place)
        t.true(found and found[3] == kind, f"{place}: {found}")


@cases([("none", "none"), ("empty", ""), ("other", "ext4"), ("absent", None)])
def type_of_a_bind(t, kind):
    """the option makes a bind, whatever the type says"""
    t.file("src/f", "bound")
    bundle = t.bundle("cat", "/m/f")
    entry = {"destination": "/m", "source": f"{t.directory}/src", "options": ["rbind"]}
    bundle.config["mounts"].append(entry if kind is None else {**entry, "type": kind})
    t.equal(t.run(bundle).out, "bound")


@test(needs="root")
def remount_of_a_bind(t):
    """with bind and remount the flags of what is there change; nothing is bound"""
    t.file("src/f", "bound")
    bundle = t.bundle("sh", "-c", "cat /m/f; grep ' /m ' /proc/self/mountinfo")
    bundle.bind(f"{t.directory}/src", "/m").mount("/m", "/m", "none", "bind", "remount", "ro", "nosuid")
    out = t.run(bundle).out
    t.true(out.startswith("bound") and out.count(" /m ") == 1, out)
    t.equal(line(out[5:], "/m")[0][:2], ["ro", "nosuid"])


@test(needs="root")
def remount_of_nothing(t):
    """what is no mount cannot be mounted again"""
    bundle = t.bundle().mount("/home", "/usr", "none", "bind", "remount", "ro")
    t.refused(bundle, text="mounts[")


@test
def options_between_commas(t):
    """several options in one text, as mount(8) takes them"""
    bundle = t.bundle("sh", "-c", "grep ' /m ' /proc/self/mountinfo; stat -c %a /m")
    out = t.run(bundle.mount("/m", "tmpfs", "tmpfs", "nosuid", "mode=700,size=64k")).out
    t.contains(out, "size=64k")
    t.true(out.endswith("700\n"), out)


# What mountinfo shows of an option: in the mount's flags (0) or the file system's (1).
OPTIONS = {
    "async": (1, "-sync"), "atime": (0, "relatime"), "defaults": (0, "rw"), "dev": (0, "-nodev"),
    "diratime": (0, "-nodiratime"), "dirsync": (1, "dirsync"), "exec": (0, "-noexec"),
    "iversion": (1, "rw"), "lazytime": (1, "lazytime"), "loud": (1, "rw"), "noatime": (0, "noatime"),
    "nodev": (0, "nodev"), "nodiratime": (0, "nodiratime"), "noexec": (0, "noexec"),
    "noiversion": (1, "rw"), "nolazytime": (1, "-lazytime"), "norelatime": (0, "rw"),
    "nostrictatime": (0, "relatime"), "nosuid": (0, "nosuid"), "nosymfollow": (0, "nosymfollow"),
    "relatime": (0, "relatime"), "ro": (0, "ro"), "rw": (0, "rw"), "silent": (1, "rw"),
    "strictatime": (0, "-relatime"), "suid": (0, "-nosuid"), "symfollow": (0, "-nosymfollow"),
    "sync": (1, "sync")}


def shows(t, found, kind, word):
    present = word.lstrip("-") in found[kind]
    t.equal(present, not word.startswith("-"), f"{word} in {found}")


@cases([(name, name, *what) for name, what in OPTIONS.items()], needs="root")
def mount_option(t, option, kind, word):
    """an option of the specification's table"""
    shows(t, info(t, t.bundle().mount("/m", "tmpfs", "tmpfs", option), "/m"), kind, word)


@test(needs="root")
def remount(t):
    """remount changes the flags of what is mounted"""
    bundle = t.bundle().mount("/m", "tmpfs", "tmpfs").mount("/m", "tmpfs", "tmpfs", "remount", "ro")
    t.true("ro" in info(t, bundle, "/m")[0])


# As above, for the mount and for the one below it, which was made with the contrary.
RECURSIVE = {
    "ratime": ("noatime", "relatime"), "rdev": ("nodev", "-nodev"),
    "rdiratime": ("nodiratime", "-nodiratime"), "rexec": ("noexec", "-noexec"),
    "rnoatime": ("relatime", "noatime"), "rnodev": ("dev", "nodev"),
    "rnodiratime": ("diratime", "nodiratime"), "rnoexec": ("exec", "noexec"),
    "rnorelatime": ("rw", "rw"), "rnostrictatime": ("strictatime", "relatime"),
    "rnosuid": ("suid", "nosuid"), "rnosymfollow": ("rw", "nosymfollow"),
    "rrelatime": ("noatime", "relatime"), "rro": ("rw", "ro"), "rrw": ("ro", "rw"),
    "rstrictatime": ("noatime", "-noatime"), "rsuid": ("nosuid", "-nosuid"),
    "rsymfollow": ("nosymfollow", "-nosymfollow")}


@cases([(name, name, *what) for name, what in RECURSIVE.items()], needs="root")
def recursive_option(t, option, before, word):
    """a recursive option reaches the mounts below"""
    os.makedirs(f"{t.directory}/src/below")
    subprocess.run(["mount", "-t", "tmpfs", "-o", before, "tmpfs", f"{t.directory}/src/below"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/src/below"], check=False))
    bundle = t.bundle("cat", "/proc/self/mountinfo").bind(f"{t.directory}/src", "/m", "rbind", option)
    out = t.run(bundle).out
    for place in ("/m", "/m/below"):
        found = line(out, place)
        t.true(found, f"no {place} in {out}")
        shows(t, found, 0, word)


def identity(t, kind, option, **maps):
    """Owner of a file and of one in a mount below it, as a mapped bind shows them."""
    for place in ("src", "src/below"):
        os.makedirs(f"{t.directory}/{place}", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{t.directory}/src/below"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/src/below"], check=False))
    t.file("src/f")
    t.file("src/below/f")
    bundle = t.bundle("stat", "-c", "%u:%g", "/m/f", "/m/below/f")
    bundle.config["mounts"].append({"destination": "/m", "type": "none", "source": f"{t.directory}/src",
                                    "options": [kind, option], **maps})
    return bundle


@cases([("idmap", "idmap", ["1234:2345", "0:0"]), ("ridmap", "ridmap", ["1234:2345", "1234:2345"])],
       needs="root")
def mapped_mounts(t, option, expected):
    """idmap maps the mount, ridmap also those below it"""
    bundle = identity(t, "rbind", option, uidMappings=[{"containerID": 0, "hostID": 1234, "size": 1}],
                      gidMappings=[{"containerID": 0, "hostID": 2345, "size": 1}])
    t.equal(t.run(bundle).out.split(), expected)


@test(needs="root")
def mapped_by_the_container(t):
    """idmap without maps takes those of the container's user namespace; the files keep their owner"""
    bundle = identity(t, "rbind", "ridmap").user_namespace()
    t.equal(t.run(bundle).out.split(), ["0:0", "0:0"])
    t.equal(os.stat(f"{t.directory}/src/f").st_uid, 0, "owner outside")


@cases([("slave", "slave", "master:"), ("private", "private", None), ("unbindable", "unbindable",
        "unbindable")], needs="root")
def root_propagation(t, value, expected):
    """rootfsPropagation: slave, private, unbindable; the bundle is on a mount of its own"""
    bundle = t.bundle(linux__rootfsPropagation=value)
    subprocess.run(["mount", "--bind", bundle.path, bundle.path], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", "-l", bundle.path], check=False))
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    t.cleanups.append(lambda: subprocess.run(["mount", "--make-rprivate", "/"], check=False))
    found = info(t, bundle, "/")[2]
    t.true(not any(x.startswith("shared:") for x in found), found)
    t.equal([x for x in found if expected and x.startswith(expected)] != [], expected is not None, str(found))


@cases([("absent", None), ("private", "rprivate"), ("slave", "rslave")], needs="root")
def mapped_root_leaks_nothing(t, value):
    """mounts of a container with a user namespace do not appear on a host whose mounts are shared"""
    bundle = t.bundle("true").user_namespace()
    if value:
        bundle.config["linux"]["rootfsPropagation"] = value
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    t.cleanups.append(lambda: subprocess.run(["mount", "--make-rprivate", "/"], check=False))
    identifier = t.create(bundle)
    t.lacks(t.read("/proc/self/mountinfo"), bundle.rootfs)
    t.ok("delete", identifier)
    t.lacks(t.read("/proc/self/mountinfo"), bundle.rootfs)


@cases([("plain", False, "bind"), ("recursive", False, "rbind"), ("user-namespace", True, "rbind")],
       needs="root")
def source_in_the_root(t, mapped, kind):
    """a source in the container's own root shows what the mounts before have put there"""
    t.file("src/f", "content")
    bundle = t.bundle("sh", "-c", "cat /three/f; cat /proc/self/mountinfo | grep -c ' /three'")
    os.mkdir(f"{bundle.rootfs}/one")
    bundle.bind(f"{t.directory}/src", "/one", "bind")
    bundle.bind(f"{bundle.rootfs}/one", "/two/deep", kind).bind(f"{bundle.rootfs}/two/deep", "/three", kind)
    if mapped:
        bundle.user_namespace()
    t.equal(t.run(bundle).out, "content1\n")


@test(needs="root")
def source_in_the_root_through_a_link(t):
    """a link in such a source leads to the container's files"""
    bundle = t.bundle("cat", "/m")
    with open(f"{bundle.rootfs}/etc/mark", "w") as file:
        file.write("inside")
    os.symlink("/etc/mark", f"{bundle.rootfs}/link")
    bundle.bind(f"{bundle.rootfs}/link", "/m", "bind")
    t.equal(t.run(bundle).out, "inside")


@cases([("own", False, "1234:2345"), ("container", True, "0:0")], needs="root")
def mapped_source_in_the_root(t, of_container, expected):
    """idmap of a source in the container's own root"""
    bundle = t.bundle("stat", "-c", "%u:%g", "/m/f")
    os.mkdir(f"{bundle.rootfs}/src")
    maps = {key: [{"containerID": 0, "hostID": number, "size": 1}] for key, number in (
        ("uidMappings", 1234), ("gidMappings", 2345))}
    if of_container:
        bundle.user_namespace()
        os.chown(f"{bundle.rootfs}/src", 0, 0)
        maps = {}
    with open(f"{bundle.rootfs}/src/f", "w") as file:
        os.chown(file.fileno(), 0, 0)
    bundle.config["mounts"].append({"destination": "/m", "type": "none", "source": f"{bundle.rootfs}/src",
                                    "options": ["bind", "idmap"], **maps})
    t.equal(t.run(bundle).out, expected + "\n")


@test(needs="root")
def unknown_option_of_cgroups(t):
    """an option that cgroup2 has not is an error, and one that it has is none"""
    bundle = t.bundle("true").mount("/c", "cgroup", "cgroup", "ro", "nosuch")
    t.refused(bundle, text="invalid argument")
    t.equal(t.run(t.bundle("true").mount("/c", "cgroup", "cgroup", "ro", "nsdelegate")).code, 0)


@test(needs="root")
def tmpfs_mode_of_the_place(t):
    """a tmpfs has the mode of the directory that it covers, and says so"""
    bundle = t.bundle().mount("/m")
    os.mkdir(f"{bundle.rootfs}/m")
    os.chmod(f"{bundle.rootfs}/m", 0o710)
    t.true("mode=710" in info(t, bundle, "/m")[1], "mode=710")
    t.true(not any(o.startswith("mode=") for o in info(t, t.bundle().mount("/new"), "/new")[1]), "a mode")

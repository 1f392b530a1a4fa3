"""Hostile root file systems: whatever the image holds, the host does not change."""
import os
import socket
import stat
import time

from harness import Settings, cases, test


def canary(t):
    """A directory of the host that everybody may write, and what it must still be afterwards."""
    path = f"{t.directory}/victim"
    os.makedirs(path)
    os.chmod(path, 0o777)
    with open(f"{path}/ptmx", "w") as file:
        file.write("keep")
    os.mkdir(f"{path}/sub")
    return path


def listing(path):
    found = {}
    for directory, names, files in os.walk(path):
        for name in names + files:
            full = f"{directory}/{name}"
            info = os.lstat(full)
            content = open(full, "rb").read() if stat.S_ISREG(info.st_mode) else b""
            found[full] = (info.st_mode, info.st_uid, info.st_gid, content)
    return found


def unharmed(t, bundle, victim, *flags):
    """Runs the bundle, whatever comes of it, and expects the victim as it was."""
    before = listing(victim)
    identifier = t.own(t.new_id(), bundle)
    result = t.rt("run", "-b", bundle.path, *flags, identifier)
    t.equal(listing(victim), before, f"the host's directory after {result}")
    t.true(0 <= result.code, f"ended by a signal: {result}")
    return result


def replace(bundle, name, target):
    path = f"{bundle.rootfs}/{name}"
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def no_dev(bundle):
    bundle.config["mounts"] = [m for m in bundle.config["mounts"]
                               if not m["destination"].startswith("/dev")]
    return bundle


@test(needs="root")
def dev_is_a_symlink(t):
    """/dev -> a directory of the host, and no mount there"""
    victim = canary(t)
    bundle = no_dev(t.bundle("true"))
    replace(bundle, "dev", victim)
    unharmed(t, bundle, victim)


@test
def dev_is_a_symlink_with_mounts(t):
    """/dev -> a directory of the host, with the usual mounts"""
    victim = canary(t)
    bundle = t.bundle("true")
    replace(bundle, "dev", victim)
    unharmed(t, bundle, victim)


@cases([(n, n) for n in ("null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "fd",
                         "stdin", "stdout", "stderr", "core", "pts")], needs="root")
def device_is_a_symlink(t, name):
    """a device of the image is a symlink to a file of the host"""
    victim = canary(t)
    bundle = no_dev(t.bundle("sh", "-c", f"echo overwritten >/dev/{name}"))
    os.symlink(f"{victim}/ptmx", f"{bundle.rootfs}/dev/{name}")
    unharmed(t, bundle, victim)


@cases([(n, n) for n in ("null", "console", "ptmx", "tty")], needs="root")
def device_is_a_dangling_symlink(t, name):
    """a device of the image is a symlink to a file that the host has not yet"""
    victim = canary(t)
    bundle = no_dev(t.bundle("true"))
    os.symlink(f"{victim}/new", f"{bundle.rootfs}/dev/{name}")
    unharmed(t, bundle, victim)


@cases([("regular", "f"), ("fifo", "p"), ("directory", "d"), ("missing", "")], needs="root")
def dev_null_is_something_else(t, kind):
    """/dev/null of the image is no null: masks still mask, or the create is refused"""
    bundle = no_dev(t.bundle("cat", "/secret", linux__maskedPaths=["/secret"]))
    path = f"{bundle.rootfs}/dev/null"
    with open(f"{bundle.rootfs}/secret", "w") as file:
        file.write("secret")
    if kind == "f":
        with open(path, "w") as file:
            file.write("not null")
    elif kind == "p":
        os.mkfifo(path)
    elif kind == "d":
        os.mkdir(path)
    result = t.run(bundle)
    t.lacks(result.out, "secret")
    t.lacks(result.out, "not null")


@cases([("proc", "proc"), ("sys", "sys")])
def mount_point_is_a_symlink(t, name):
    """/proc or /sys of the image is a symlink: refused, or mounted inside"""
    victim = canary(t)
    bundle = t.bundle("true")
    replace(bundle, name, victim)
    unharmed(t, bundle, victim)


@cases([("proc", "proc", "/etc"), ("sys", "sys", "/etc")])
def mount_point_is_a_symlink_inside(t, name, target):
    """/proc or /sys as a symlink to another directory of the image is refused"""
    bundle = t.bundle("cat", "/proc/self/mountinfo")
    if name == "sys" and os.geteuid():
        t.skip("needs root: a user's is bound, and a bind may be anywhere in the root")
    replace(bundle, name, target)
    result = t.run(bundle)
    t.true(result.code != 0 or f" {target} " not in result.out, f"mounted elsewhere: {result}")


@cases([("absolute", "{victim}"), ("dots", "../../../../../../../../../..{victim}"),
        ("proc-root", "/proc/1/root{victim}"), ("self-root", "/proc/self/root/../..{victim}"),
        ("self-cwd", "/proc/self/cwd"), ("fd", "/proc/self/fd/3"), ("oldroot", "/oldroot{victim}")],
       needs="root")
def mount_target_through_symlink(t, target):
    """a mount's destination goes through a symlink of the image"""
    victim = canary(t)
    target = target.format(victim=victim)
    for destination in ("/link", "/link/a", "/link/a/b", "/link/sub"):
        bundle = t.bundle("true").mount(destination, "tmpfs", "tmpfs")
        os.symlink(target, f"{bundle.rootfs}/link")
        unharmed(t, bundle, victim)


@test(needs="root")
def bind_file_target_through_symlink(t):
    """the file made as a bind's target does not appear on the host"""
    victim = canary(t)
    for destination in ("/link/new", "/link/d/new", "/link/ptmx"):
        bundle = t.bundle("true").bind("/etc/hostname", destination)
        os.symlink(victim, f"{bundle.rootfs}/link")
        unharmed(t, bundle, victim)


@cases([("dotdot", "/../../../..{victim}/x"), ("inner", "/home/../../../../..{victim}/x")], needs="root")
def mount_target_with_dots(t, destination):
    """a destination with .. stays inside"""
    victim = canary(t)
    unharmed(t, t.bundle("true").mount(destination.format(victim=victim), "tmpfs", "tmpfs"), victim)


@test
def symlink_loop(t):
    """a loop of symlinks as a destination is refused, quickly"""
    bundle = t.bundle("true").mount("/a/x", "tmpfs", "tmpfs")
    os.symlink("b", f"{bundle.rootfs}/a")
    os.symlink("a", f"{bundle.rootfs}/b")
    t.refused(bundle)


@test
def long_chain_of_symlinks(t):
    """forty symlinks are followed inside or refused"""
    bundle = t.bundle("true").mount("/l39/x", "tmpfs", "tmpfs")
    os.mkdir(f"{bundle.rootfs}/l0")
    for n in range(1, 40):
        os.symlink(f"l{n - 1}", f"{bundle.rootfs}/l{n}")
    result = t.run(bundle)
    t.true(0 <= result.code < 128, str(result))


@cases([("self-exe", "/proc/self/exe"), ("sub", "/proc/x"), ("attr", "/proc/self/attr"),
        ("sys-kernel", "/proc/sys/kernel"), ("sysrq", "/proc/sysrq-trigger"), ("pid", "/proc/1/ns")],
       needs="root")
def mount_into_proc(t, destination):
    """a mount into /proc beyond the allowed files is refused"""
    t.refused(t.bundle("true").mount(destination, "tmpfs", "tmpfs"))


@test(needs="root")
def mount_over_proc_file(t):
    """a file over /proc/cpuinfo is allowed"""
    source = t.file("cpuinfo", "fake cpu")
    t.equal(t.run(t.bundle("cat", "/proc/cpuinfo").bind(source, "/proc/cpuinfo", "bind", "ro")).out,
            "fake cpu")


@test
def mount_over_root(t):
    """a mount onto / is refused"""
    for destination in ("/", "/.", "/home/.."):
        bundle = t.bundle("true").mount(destination, "tmpfs", "tmpfs")
        result = t.run(bundle)
        t.true(result.code != 0, f"{destination}: {result}")


@cases([("passwd-fifo", "p"), ("passwd-socket", "s"), ("passwd-directory", "d"), ("passwd-zero", "z"),
        ("passwd-huge", "h"), ("passwd-loop", "l"), ("passwd-device", "c")])
def passwd_is_strange(t, kind):
    """/etc/passwd and /etc/group are no ordinary files: no hang, no gigabytes"""
    if kind == "c" and os.geteuid():
        t.skip("needs root")
    bundle = t.bundle("sleep", "1000")
    for name in ("passwd", "group"):
        path = f"{bundle.rootfs}/etc/{name}"
        os.unlink(path)
        if kind == "p":
            os.mkfifo(path)
        elif kind == "s":
            here = os.getcwd()
            os.chdir(f"{bundle.rootfs}/etc")
            socket.socket(socket.AF_UNIX).bind(name)
            os.chdir(here)
        elif kind == "d":
            os.mkdir(path)
        elif kind == "z":
            os.symlink("/dev/zero", path)
        elif kind == "l":
            os.symlink(name, path)
        elif kind == "c":
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        else:
            with open(path, "w") as file:
                file.truncate(3 << 30)
    identifier = t.own(t.new_id(), bundle)
    began = time.monotonic()
    result = t.rt("create", "-b", bundle.path, identifier, timeout=15)
    t.quick(time.monotonic() - began, 1.5, str(result))
    t.true(0 <= result.code < 128, str(result))
    if result.code == 0:
        result = t.rt("exec", identifier, "true", timeout=15)
        t.quick(result.seconds, 1.5, str(result))


@test
def passwd_is_a_symlink_outside(t):
    """/etc/passwd -> a file of the host is read inside the root"""
    evil = t.file("hostpasswd", "root:x:0:0::/from-the-host:/bin/sh\n")
    bundle = t.bundle("sh", "-c", "echo $HOME")
    replace(bundle, "etc/passwd", evil)
    t.lacks(t.run(bundle).out, "from-the-host")


@cases([("dots", "../../../escape"), ("absolute-dots", "/../../escape"), ("inner", "/a/../../../escape")],
       needs="root")
def cgroup_path_with_dots(t, path):
    """cgroupsPath with .. is refused or confined"""
    bundle = t.bundle("true", linux__cgroupsPath=path)
    bundle.save("x")
    t.own("x")
    t.rt("run", "-b", bundle.path, "x")
    for place in ("/sys/fs/escape", "/sys/escape", "/escape", "/sys/fs/cgroup/escape"):
        if os.path.isdir(place):
            os.rmdir(place)
            t.fail(f"left {place}")


@test(needs="root")
def bind_source_is_a_symlink_of_the_container(t):
    """a bind's source is the host's business: a symlink is followed on the host, once, at create"""
    t.file("real/f", "right")
    os.symlink("real", f"{t.directory}/link")
    t.equal(t.run(t.bundle("cat", "/m/f").bind(f"{t.directory}/link", "/m")).out, "right")


@test(needs="root", slow=True, timeout=90)
def volume_swapper(t):
    """a directory of a shared volume flips between a directory and a symlink to the host"""
    import ctypes
    victim = canary(t)
    volume = f"{t.directory}/volume"
    os.makedirs(f"{volume}/x/target")
    os.symlink(victim, f"{volume}/y")
    child = os.fork()
    if child == 0:
        libc = ctypes.CDLL(None)
        while True:
            libc.renameat2(-100, f"{volume}/x".encode(), -100, f"{volume}/y".encode(), 2)
    try:
        before = listing(victim)
        for _ in range(Settings.rounds(40)):
            bundle = t.bundle("true").bind(volume, "/v").mount("/v/x/target/leaf", "tmpfs", "tmpfs")
            identifier = t.own(t.new_id(), bundle)
            t.rt("run", "-b", bundle.path, identifier)
            t.equal(listing(victim), before, "the host's directory")
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)

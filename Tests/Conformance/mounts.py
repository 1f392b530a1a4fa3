"""Mounts, the root file system, masked and read-only paths, devices' place."""
import os
import subprocess
import stat

from harness import cases, test


def line(out, destination):
    """The options of the topmost mount at a destination: (mount's, superblock's, propagation)."""
    for row in reversed(out.splitlines()):
        fields = row.split()
        if fields[4] == destination:
            dash = fields.index("-")
            return fields[5].split(","), fields[dash + 3].split(","), fields[6:dash], fields[dash + 1]
    return None


def info(t, bundle, destination):
    bundle.set("process.args", ["cat", "/proc/self/mountinfo"])
    result = t.run(bundle)
    t.equal(result.code, 0, str(result))
    found = line(result.out, destination)
    t.true(found, f"no mount at {destination} in {result.out}")
    return found


FLAGS = [("ro", ["ro"], "ro"), ("nosuid", ["nosuid"], "nosuid"), ("nodev", ["nodev"], "nodev"),
         ("noexec", ["noexec"], "noexec"), ("noatime", ["noatime"], "noatime"),
         ("nodiratime", ["nodiratime"], "nodiratime"), ("relatime", ["relatime"], "relatime"),
         ("several", ["ro", "nosuid", "noexec"], "noexec")]


@cases(FLAGS, needs="root")
def tmpfs_flag(t, options, expected):
    """a flag of a tmpfs"""
    found = info(t, t.bundle().mount("/m", "tmpfs", "tmpfs", *options), "/m")
    t.true(expected in found[0], found)


@cases(FLAGS, needs="root")
def bind_flag(t, options, expected):
    """a flag of a bind"""
    os.mkdir(f"{t.directory}/src")
    found = info(t, t.bundle().bind(f"{t.directory}/src", "/m", "bind", *options), "/m")
    t.true(expected in found[0], found)


@test(needs="root")
def nosymfollow(t):
    """nosymfollow is honoured, never lost"""
    bundle = t.bundle("sh", "-c", "ln -s /etc/passwd /m/l; cat /m/l 2>&1").mount(
        "/m", "tmpfs", "tmpfs", "nosymfollow")
    t.lacks(t.run(bundle).out, "root:")


@test(needs="root")
def data_options(t):
    """options with values go to the file system"""
    found = info(t, t.bundle().mount("/m", "tmpfs", "tmpfs", "size=64k", "mode=711"), "/m")
    t.true("size=64k" in found[1] and "mode=711" in found[1], found)


@test
def unknown_option(t):
    """an option that the file system does not know is an error that names the mount"""
    bundle = t.bundle().mount("/m", "tmpfs", "tmpfs", "bogus=1")
    t.refused(bundle, text=["invalid argument", "Invalid argument", "EINVAL"])


@test
def option_typo(t):
    """a misspelt flag is not ignored"""
    t.refused(t.bundle().mount("/m", "tmpfs", "tmpfs", "nosiud"))


@test
def bind_directory(t):
    """a bound directory"""
    t.file("src/f", "content")
    bundle = t.bundle("cat", "/m/f").bind(f"{t.directory}/src", "/m")
    t.equal(t.run(bundle).out, "content")


@test
def bind_file(t):
    """a bound file; its target is made"""
    bundle = t.bundle("cat", "/a/b/c").bind(t.file("f", "content"), "/a/b/c")
    t.equal(t.run(bundle).out, "content")
    t.true(os.path.isfile(f"{bundle.rootfs}/a/b/c"), "the target is no file")


@test
def bind_relative_source(t):
    """a relative source is relative to the bundle"""
    bundle = t.bundle("cat", "/m/f").bind("data", "/m", "bind")
    os.mkdir(f"{bundle.path}/data")
    with open(f"{bundle.path}/data/f", "w") as file:
        file.write("rel")
    t.equal(t.run(bundle).out, "rel")


@test
def bind_is_not_recursive(t):
    """bind shows no submounts, rbind does"""
    if not os.geteuid() == 0:
        t.skip("needs root")
    os.makedirs(f"{t.directory}/src/sub")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{t.directory}/src/sub"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/src/sub"], check=True))
    open(f"{t.directory}/src/sub/inner", "w").close()
    for option, expected in (("bind", ""), ("rbind", "inner\n")):
        t.equal(t.run(t.bundle("ls", "/m/sub").bind(f"{t.directory}/src", "/m", option)).out,
                expected, option)


@test(needs="root")
def recursive_read_only(t):
    """rro reaches the submounts, ro does not"""
    os.makedirs(f"{t.directory}/src/sub")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{t.directory}/src/sub"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/src/sub"], check=True))
    script = "echo x >/m/sub/f && echo written"
    t.equal(t.run(t.bundle("sh", "-c", script).bind(f"{t.directory}/src", "/m", "rbind", "ro")).out,
            "written\n")
    t.equal(t.run(t.bundle("sh", "-c", script).bind(f"{t.directory}/src", "/m", "rbind", "rro")).out, "")


@test
def bind_source_missing(t):
    """a missing source is an error that names it"""
    t.refused(t.bundle().bind("/no/such/source", "/m"), text="/no/such/source")


@test
def order_of_mounts(t):
    """mounts are made in the listed order"""
    bundle = t.bundle("ls", "/m").mount("/m", "tmpfs", "tmpfs")
    bundle.mount("/m/one", "tmpfs", "tmpfs").mount("/m/two", "tmpfs", "tmpfs")
    t.equal(t.run(bundle).out, "one\ntwo\n")


@test
def later_mount_covers(t):
    """a later mount covers an earlier one at the same place"""
    t.file("one/a"), t.file("two/b")
    bundle = t.bundle("ls", "/m").bind(f"{t.directory}/one", "/m").bind(f"{t.directory}/two", "/m")
    t.equal(t.run(bundle).out, "b\n")


@test
def relative_destination(t):
    """a relative destination counts from the root"""
    t.file("src/f", "x")
    t.equal(t.run(t.bundle("ls", "/m").bind(f"{t.directory}/src", "m")).out, "f\n")


@test
def tmpcopyup(t):
    """tmpcopyup fills the tmpfs with what was there"""
    bundle = t.bundle("sh", "-c", "cat /etc/passwd | head -n 1; echo new >/etc/new").mount(
        "/etc", "tmpfs", "tmpfs", "tmpcopyup")
    t.contains(t.run(bundle).out, "root:x:0:0")
    t.true(not os.path.exists(f"{bundle.rootfs}/etc/new"), "written into the root file system")


@cases([(p, p, e) for p, e in (("shared", "shared:"), ("slave", None), ("private", None),
                               ("rshared", "shared:"), ("unbindable", "unbindable"))], needs="root")
def mount_propagation(t, option, expected):
    """a propagation option of a mount"""
    os.mkdir(f"{t.directory}/src")
    found = info(t, t.bundle().bind(f"{t.directory}/src", "/m", "rbind", option), "/m")
    t.equal(bool(expected), any(expected and x.startswith(expected) for x in found[2]), str(found))


@test(needs="root")
def root_propagation(t):
    """rootfsPropagation"""
    found = info(t, t.bundle(linux__rootfsPropagation="shared"), "/")
    t.true(any(x.startswith("shared:") for x in found[2]), found)


@test(needs="root")
def nothing_propagates_out(t):
    """a mount made inside does not appear outside"""
    bundle = t.bundle("sh", "-c", "mount -t tmpfs tmpfs /home && sleep 1000")
    bundle.config["process"]["capabilities"] = {
        k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}
    identifier = t.create(bundle)
    t.ok("start", identifier)
    pid = t.pid(identifier)
    t.eventually(lambda: " /home " in t.read(f"/proc/{pid}/mountinfo"), "mounted inside")
    t.lacks(t.read("/proc/self/mountinfo"), f"{bundle.rootfs}/home")


@test
def read_only_root(t):
    """root.readonly"""
    bundle = t.bundle("sh", "-c", "touch /x 2>&1; touch /dev/shm/y && echo ok")
    bundle.config["root"]["readonly"] = True
    out = t.run(bundle).out
    t.contains(out, "Read-only file system")
    t.contains(out, "ok")


@test
def read_only_root_still_gets_mount_points(t):
    """a read-only root still gets the targets of mounts"""
    bundle = t.bundle("ls", "/new").bind(t.directory, "/new")
    bundle.config["root"]["readonly"] = True
    t.equal(t.run(bundle).code, 0)


@test
def absolute_root(t):
    """an absolute root.path"""
    bundle = t.bundle("true")
    bundle.config["root"]["path"] = bundle.rootfs
    t.equal(t.run(bundle).code, 0)


@test
def masked_file_and_directory(t):
    """masked paths: a file reads nothing, a directory is empty, neither is writable"""
    t_bundle = t.bundle("sh", "-c", "cat /etc/passwd; ls /home; echo x >>/etc/passwd; touch /home/x;"
                        " ls /home; true", linux__maskedPaths=["/etc/passwd", "/home"])
    os.mkdir(f"{t_bundle.rootfs}/home/secret")
    t.equal(t.run(t_bundle).out, "")
    t.equal(os.listdir(f"{t_bundle.rootfs}/home"), ["secret"])


@test
def masked_missing(t):
    """a masked path that does not exist is passed over"""
    t.equal(t.run(t.bundle("true", linux__maskedPaths=["/no/such/path"])).code, 0)


@test
def masked_twice(t):
    """duplicate and nested masked paths"""
    bundle = t.bundle("ls", "-A", "/home", linux__maskedPaths=["/home", "/home", "/home/x"])
    os.mkdir(f"{bundle.rootfs}/home/x")
    result = t.run(bundle)
    t.equal((result.code, result.out), (0, ""), str(result))


@test
def masked_symlink_stays_inside(t):
    """a masked path through a symlink of the image masks inside the root"""
    bundle = t.bundle("cat", "/secret/passwd", linux__maskedPaths=["/link/passwd"])
    os.mkdir(f"{bundle.rootfs}/secret")
    os.symlink("/secret", f"{bundle.rootfs}/link")
    with open(f"{bundle.rootfs}/secret/passwd", "w") as file:
        file.write("inside")
    t.equal(t.run(bundle).out, "")


@test
def read_only_paths(t):
    """readonlyPaths cannot be written"""
    bundle = t.bundle("sh", "-c", "echo x >/etc/passwd; touch /home/new; echo end",
                      linux__readonlyPaths=["/etc", "/home", "/no/such"])
    result = t.run(bundle)
    t.equal(result.out, "end\n")
    t.true(not os.path.exists(f"{bundle.rootfs}/home/new"), "written")


@test
def read_only_paths_keep_flags(t):
    """a read-only path keeps the flags of its mount"""
    if os.geteuid():
        t.skip("needs root")
    bundle = t.bundle(linux__readonlyPaths=["/m"]).mount("/m", "tmpfs", "tmpfs", "nosuid", "noexec")
    found = info(t, bundle, "/m")
    t.true({"ro", "nosuid", "noexec"} <= set(found[0]), found)


@test
def proc_sys_is_read_only(t):
    """/proc/sys of the usual configuration cannot be written"""
    t.equal(t.sh("echo 1 >/proc/sys/kernel/core_uses_pid && echo written; true"), "")


@test
def default_devices(t):
    """the devices that every container has"""
    out = t.sh("for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' /dev/$d; done")
    for name, number in (("null", "1:3"), ("zero", "1:5"), ("full", "1:7"), ("random", "1:8"),
                         ("urandom", "1:9"), ("tty", "5:0")):
        t.contains(out, f"/dev/{name} character special file {number} 666\n")


@test
def default_links(t):
    """/dev/fd, std* and ptmx are links"""
    out = t.sh("for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done")
    t.equal(out.split(), ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2",
                          "pts/ptmx"])


@test(needs="root")
def asked_devices(t):
    """linux.devices are made with their mode and owner"""
    bundle = t.bundle("sh", "-c", "stat -c '%F %t:%T %a %u:%g' /dev/x /dev/d/y /dev/p", linux__devices=[
        {"type": "c", "path": "/dev/x", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 6},
        {"type": "c", "path": "/dev/d/y", "major": 1, "minor": 5},
        {"type": "p", "path": "/dev/p", "fileMode": 0o600}])
    t.equal(t.run(bundle).out.splitlines(), ["character special file 1:3 640 5:6",
                                             "character special file 1:5 666 0:0", "fifo 0:0 600 0:0"])


@test(needs="root")
def default_device_denied(t):
    """without a device rule the kernel's memory stays closed"""
    bundle = t.bundle("sh", "-c", "mknod /dev/shm/mem c 1 1 && cat /dev/shm/mem | head -c 1; echo end")
    bundle.config["process"]["capabilities"] = {
        k: ["CAP_MKNOD"] for k in ("bounding", "effective", "permitted")}
    t.equal(t.run(bundle).out, "end\n")


@test
def dev_shm_and_mqueue(t):
    """/dev/shm is writable, /dev/mqueue there"""
    t.equal(t.sh("echo a >/dev/shm/a; cat /dev/shm/a; ls -d /dev/mqueue"), "a\n/dev/mqueue\n")


@test
def cgroup_view(t):
    """/sys/fs/cgroup shows the container's own cgroup, read-only"""
    if os.geteuid():
        t.skip("needs root")
    out = t.sh("cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | head -n 1; "
               "mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; true")
    t.contains(out, "0::/\n")
    t.contains(out, "\n1\n")
    t.lacks(out, "made")


@test
def mode_of_made_directories(t):
    """targets made for mounts are 0755 and root's"""
    bundle = t.bundle("true").bind(t.directory, "/one/two/three")
    t.run(bundle)
    t.equal(stat.S_IMODE(os.stat(f"{bundle.rootfs}/one/two").st_mode), 0o755)


@test(needs="root")
def idmapped_bind(t):
    """a bind with its own mappings shows other owners"""
    t.file("src/f", "x")
    bundle = t.bundle("stat", "-c", "%u", "/m/f")
    bundle.config["mounts"].append({
        "destination": "/m", "source": f"{t.directory}/src", "type": "bind",
        "options": ["bind", "idmap"],
        "uidMappings": [{"containerID": 0, "hostID": 1234, "size": 10}],
        "gidMappings": [{"containerID": 0, "hostID": 1234, "size": 10}]})
    t.equal(t.run(bundle).out, "1234\n")


@test
def many_mounts(t):
    """two hundred mounts"""
    bundle = t.bundle("sh", "-c", "ls /m | wc -l")
    bundle.mount("/m", "tmpfs", "tmpfs")
    for number in range(200):
        bundle.mount(f"/m/{number}", "tmpfs", "tmpfs")
    t.equal(t.run(bundle).out.strip(), "200")


@test(needs="root")
def no_pivot(t):
    """--no-pivot works too"""
    t.equal(t.run(t.bundle("cat", "/etc/hostname-none"), "--no-pivot").code, 1)
    t.equal(t.run(t.bundle("true"), "--no-pivot").code, 0)


@test
def host_is_unreachable(t):
    """the old root is not mounted anywhere inside"""
    bundle = t.bundle("sh", "-c", "cat /proc/self/mountinfo; ls /..")
    out = t.run(bundle).out
    t.lacks(out, " /oldroot")
    t.lacks(out, "put_old")

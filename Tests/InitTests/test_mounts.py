"""Mounts, devices, links, masks, the root."""

from harness import *


def mountinfo(result):
    """Mount point -> (options, type, superblock options) of the last mount there."""
    found = {}
    for line in result.output.decode().split("\n"):
        if " - " in line:
            left, right = line.split(" - ")
            found[left.split()[4]] = (left.split()[5].split(","), right.split()[0], right.split()[2].split(","),
                                      left.split()[6:])
    return found


INFO = "cat /proc/self/mountinfo"


def test_standard_mounts():
    info = mountinfo(run(container(rootfs(), INFO)))
    assert [info[p][1] for p in ("/proc", "/dev", "/dev/pts", "/sys", "/dev/mqueue")] == [
        "proc", "tmpfs", "devpts", "sysfs", "mqueue"], info
    assert "ro" in info["/sys"][0] and "noexec" in info["/proc"][0] and len(info) == 6, info


def test_mount_errors_name_what_is_wrong():
    for wrong, expected in ((mount("nofs", "/x"), ("ENODEV", "nofs")),
                            (mount("tmpfs", "/x", "size=1m,mode=zz"), ("EINVAL", "mode=zz")),
                            (mount("tmpfs", "/x", "bogus"), ("EINVAL", "bogus")),
                            (mount("tmpfs", "/"), ("EBUSY", "/")),
                            (mount("tmpfs", "/bin/.."), ("EBUSY", "/bin/..")),
                            (bind("/nope", "/y"), ("ENOENT", "/nope")),
                            (bind("/etc/hostname", "/bin"), ("ENOTDIR", "/bin")),
                            (bind("/etc", "/bin/busybox"), ("ENOTDIR", "/bin/busybox"))):
        result = run([*prologue(rootfs()), wrong])
        assert result.failure() == (2, *expected), (expected, result)


def test_tmpfs_takes_the_look_of_its_target():
    root = rootfs()
    os.mkdir(root + "/old")
    os.chmod(root + "/old", 0o2751)
    result = run(container(root, "stat -c %a /old /new /set", before=[
        mount("tmpfs", "/old"), mount("tmpfs", "/new"), mount("tmpfs", "/set", "mode=700,size=1m")]))
    assert result.output.split() == [b"2751", b"1777", b"700"], result


def test_copy_up():
    root = rootfs()
    os.makedirs(root + "/data/deep/er")
    open(root + "/data/deep/file", "w").write("content" * 1000)
    os.chmod(root + "/data/deep/file", 0o4711)
    os.setxattr(root + "/data/deep/file", "trusted.test", b"yes")
    os.chown(root + "/data/deep/er", 7, 8)
    os.symlink("/nowhere", root + "/data/link")
    os.mkfifo(root + "/data/fifo", 0o640)
    os.chmod(root + "/data", 0o751)
    script = ("cd /data; stat -c '%a %u %g %F' . deep/file deep/er fifo; readlink link; head -c 7 deep/file;"
              "touch new; grep ' /data ' /proc/self/mountinfo | grep -c tmpfs")
    result = run(container(root, script, before=[mount("tmpfs", "/data", "mode=755", how=2)]))
    assert result.output.decode().split("\n")[:6] == [
        "755 0 0 directory", "4711 0 0 regular file", "755 7 8 directory", "640 0 0 fifo", "/nowhere", "content1"], result
    assert not os.path.exists(root + "/data/new")


def test_binds():
    root, source = rootfs(), tempfile.mkdtemp(dir=WORK)
    open(source + "/file", "w").write("inside")
    os.mkdir(source + "/sub")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source + "/sub"], check=True)
    try:
        info = mountinfo(run(container(root, INFO, before=[
            bind(source, "/plain", how=0), bind(source, "/a/deep/tree", attributes=RO | NOSUID, propagation=PRIVATE),
            bind(source, "/all", recursive=RO), bind(source + "/file", "/etc/new/file", attributes=RO)])))
        assert "/plain/sub" not in info and "rw" in info["/a/deep/tree/sub"][0], info
        assert {"ro", "nosuid"} <= set(info["/a/deep/tree"][0]) and "ro" in info["/all/sub"][0], info
        assert "ro" in info["/etc/new/file"][0] and "rw" in info["/plain"][0], info
        result = run(container(root, "cat /etc/new/file", before=[bind(source + "/file", "/etc/new/file")]))
        assert result.output == b"inside", result
    finally:
        subprocess.run(["umount", source + "/sub"], check=True)


def test_access_time_attributes():
    info = mountinfo(run(container(rootfs(), INFO, before=[
        mount("tmpfs", "/a", attributes=0x10), mount("tmpfs", "/b", attributes=0x20), mount("tmpfs", "/c"),
        bind("/etc", "/d", attributes=0x10 | 0x80), bind("/etc", "/e", attributes=0x200000),
        step("BIND", [0, 0, 0x10, 0, 0, 0, -1], ["/etc", "/f"])])))
    assert "noatime" in info["/a"][0] and "relatime" not in info["/b"][0] and "relatime" in info["/c"][0], info
    assert {"noatime", "nodiratime"} <= set(info["/d"][0]) and "nosymfollow" in info["/e"][0], info


def test_detached_tree_in_a_slot():
    tree = LIBC.syscall(428, -100, b"/etc", 1)
    result = run(container(rootfs(), "cat /here/hostname", before=[bind("/etc", "/here", slot=0)]), slots=[tree])
    assert result.output == open("/etc/hostname", "rb").read(), result


def test_remount_and_superblock_flags():
    info = mountinfo(run(container(rootfs(), INFO, before=[
        mount("tmpfs", "/a", superblock=1), mount("tmpfs", "/b"), mount("tmpfs", "/c", "size=1m"),
        step("REMOUNT", [0, RO, 0, 0, 0, 0, 0], ["/b", ""]), step("REMOUNT", [0, 0, 0, 0, 0, 0, 33], ["/c", "size=2m"])])))
    assert "ro" in info["/a"][2] and "rw" in info["/a"][0], info
    assert "ro" in info["/b"][0] and "rw" in info["/b"][2], info
    assert "ro" in info["/c"][2] and "size=2048k" in info["/c"][2], info


def test_overlay_with_long_layers():
    base = tempfile.mkdtemp(dir=WORK)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", base], check=True)
    try:
        for length in (10, 200):
            lower, upper, work = (f"{base}/{length}" + f"/{'x' * length}" + f"/{'y' * length}{name}" for name in ("lower", "upper", "work"))
            for path in (lower, upper, work):
                os.makedirs(path)
            open(lower + "/found", "w").write("below")
            data = f"lowerdir={lower},upperdir={upper},workdir={work}"
            result = run(container(rootfs(), "cat /o/found; touch /o/x; grep ' /o ' /proc/self/mountinfo", before=[
                mount("overlay", "/o", data, attributes=NODEV, propagation=PRIVATE)]))
            assert result.output.startswith(b"below") and b"nodev" in result.output, result
            assert os.path.exists(upper + "/x")
    finally:
        subprocess.run(["umount", base], check=True)


def test_devices_and_links():
    before = [step("DEVICE", [0o20640, 1, 5, 11, 12, 0, 0], ["/dev/sub/mine"]),
              step("DEVICE", [0o10604, 0, 0, 0, 0, 0, 0], ["/dev/pipe"]),
              step("SYMLINK", [0], ["/proc/self/fd", "/dev/fd"]), step("SYMLINK", [0], ["other", "/dev/fd"]),
              step("SYMLINK", [1], ["pts/ptmx", "/dev/ptmx"]), step("SYMLINK", [1], ["pts/ptmx", "/dev/ptmx"])]
    result = run(container(rootfs(), "stat -c '%n %a %u %g %F %t %T' /dev/sub/mine /dev/pipe /dev/null;"
                           "readlink /dev/fd; readlink /dev/ptmx; echo x >/dev/null", before=before))
    assert result.output.decode().split("\n")[:5] == [
        "/dev/sub/mine 640 11 12 character special file 1 5", "/dev/pipe 604 0 0 fifo 0 0",
        "/dev/null 666 0 0 character special file 1 3", "/proc/self/fd", "pts/ptmx"], result


def test_wrong_nodes_are_refused_and_right_ones_kept():
    root = rootfs()
    os.mknod(root + "/dev/null", 0o20600, os.makedev(1, 3))
    os.mknod(root + "/dev/zero", 0o20600, os.makedev(1, 7))
    result = run([*prologue(root), *devices()])
    assert result.failure()[1:] == ("EEXIST", "/dev/zero"), result
    assert os.stat(root + "/dev/null").st_mode & 0o777 == 0o600


def test_bound_devices():
    result = run([*prologue(rootfs()), *standard_mounts(), *devices(bound=1), step("PIVOT", [0]),
                  *shell("grep -c ' /dev/[nzfrut]' /proc/self/mountinfo; echo x >/dev/null; cat /dev/null")])
    assert result.output == b"6\n", result
    wrong = step("DEVICE", [0o20666, 1, 5, 0, 0, 1, 0], ["/dev/null"])
    assert run([*prologue(rootfs()), wrong]).failure()[1:] == ("ENODEV", "/dev/null")


def test_masks_and_read_only_paths():
    after = [step("MASK", [], [p]) for p in ("/proc/kcore", "/proc/acpi", "/nope/at/all", "/proc/scsi", "/secret",
                                             "/secret2", "/etc/passwd")]
    after += [step("READONLY", [], [p]) for p in ("/proc/sys", "/etc", "/missing")]
    root = rootfs()
    for name in ("/secret", "/secret2"):
        os.mkdir(root + name)
        open(root + name + "/x", "w").write("x")
    script = ("ls /secret /secret2 | grep -c x; cat /etc/passwd; touch /etc/x 2>/dev/null || echo ro;"
              "touch /secret/y 2>/dev/null || echo ro; cat /proc/self/mountinfo")
    result = run(container(root, script, after=after))
    assert result.output.startswith(b"0\nro\nro\n") and result.status == 0, result
    info = mountinfo(result)
    assert "ro" in info["/proc/sys"][0] and info["/secret2"][1] == "tmpfs" and WORK.encode() not in b"", info


def test_root_attributes():
    result = run(container(rootfs(), "touch /x || echo ro; " + INFO, after=[
        step("ROOT_READONLY"), step("ROOT_PROPAGATION", [SHARED | REC])]))
    assert b"ro\n" in result.output and any("shared" in t for t in mountinfo(result)["/proc"][3]), result


def test_shared_root_stays_out_of_the_host():
    root = rootfs()
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    try:
        before = open("/proc/self/mountinfo").read()
        steps = [step("ROOT", [-1, 1], [root]), *standard_mounts(), step("PIVOT", [0]),
                 step("ROOT_PROPAGATION", [SHARED]), *shell("echo fine")]
        assert run(steps).output == b"fine\n"
        assert open("/proc/self/mountinfo").read() == before
    finally:
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def test_without_pivot():
    for how in (1, 2):
        root = rootfs()
        mounts = standard_mounts() if how == 1 else []
        result = run([*prologue(root), *mounts, step("PIVOT", [how]), *shell("ls /; pwd; cat /proc/self/mountinfo")],
                     flags=ALL if how == 1 else NEWPID)
        assert b"busybox" not in result.output and b"\netc\n" in result.output, result


def test_cgroup_mount():
    place = tempfile.mkdtemp(dir=WORK)
    root = rootfs()
    after = [step("UNSHARE", [NEWCGROUP]), step("CGROUP_MOUNT", [0, RO | NOSUID, 0, 0, 0, 0], ["/sys/fs/cgroup", ""])]
    result = run(container(root, "cat /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs", before=after))
    info = mountinfo(result)
    assert info["/sys/fs/cgroup"][1] == "cgroup2" and "ro" in info["/sys/fs/cgroup"][0] and result.status == 0, result
    # Without the namespace: the host's, below the given cgroup only.
    subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)
    name = f"/sys/fs/cgroup/apus-init-test-{os.getpid()}"
    os.mkdir(name)
    try:
        step_cgroup = step("CGROUP_MOUNT", [0, 0, 0, 0, 0, 0], ["/sys/fs/cgroup", os.path.basename(name)])
        result = run(container(root, "cat /proc/self/mountinfo; ls /sys/fs/cgroup", before=[step_cgroup]))
        assert b"cgroup.procs" in result.output and b"apus-init-test" in result.output, result
        missing = step("CGROUP_MOUNT", [0, 0, 0, 0, 0, 0], ["/sys/fs/cgroup", "/no/such"])
        assert run(container(root, "true", before=[missing])).failure()[1:] == ("ENOENT", "/no/such")
    finally:
        os.rmdir(name)
        subprocess.run(["umount", "/sys/fs/cgroup"], check=True)
        os.rmdir(place)

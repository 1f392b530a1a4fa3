"""Roots that try to lead the init stage out of them. Each has a canary directory outside."""

from harness import *


def canary():
    path = tempfile.mkdtemp(prefix="canary-", dir=WORK)
    os.chmod(path, 0o777)
    open(path + "/file", "w").write("untouched")
    return path


def check(path):
    assert os.listdir(path) == ["file"] and open(path + "/file").read() == "untouched", os.listdir(path)
    assert not any(path in line for line in open("/proc/self/mountinfo")), path


def replace(root, name, contents):
    path = root + name
    subprocess.run(["rm", "-rf", path])
    os.symlink(contents, path)


def test_linked_proc_and_sys_are_refused():
    for name, kind in (("/proc", "proc"), ("/sys", "sysfs")):
        for contents in ("/etc", "etc", "/nowhere", canary()):
            root = rootfs()
            replace(root, name, contents)
            failure = run([*prologue(root), mount(kind, name)]).failure()
            assert failure and failure[1:] == ("ELOOP", name), failure


def test_links_stay_in_the_root():
    place, root = canary(), rootfs()
    os.symlink(place, root + "/absolute")
    os.symlink("../" * 12 + place[1:], root + "/relative")
    for link in ("/absolute", "/relative"):
        result = run(container(root, f"ls {place}", before=[
            mount("tmpfs", link + "/x"), bind("/etc/hostname", link + "/y"), bind("/etc", link + "/../z")]))
        assert result.output.split() == [b"x", b"y"], result
        assert os.path.isdir(root + place + "/x")
        check(place)


def test_dangling_links_are_made_in_the_root():
    root = rootfs()
    os.symlink("../run/resolve/stub.conf", root + "/etc/resolv.conf")
    os.symlink("loop", root + "/etc/loop")
    result = run(container(root, "cat /etc/resolv.conf /run/resolve/stub.conf", before=[
        bind("/etc/hostname", "/etc/resolv.conf")]))
    assert result.output == open("/etc/hostname", "rb").read() * 2, result
    assert run([*prologue(root), bind("/etc/hostname", "/etc/loop")]).failure()[1:] == ("ELOOP", "/etc/loop")


def test_linked_dev_is_refused():
    place = canary()
    root = rootfs()
    replace(root, "/dev", place)
    for wrong in (*devices()[:1], step("SYMLINK", [1], ["pts/ptmx", "/dev/ptmx"])):
        assert run([*prologue(root), wrong]).failure()[1] == "ELOOP"
    check(place)


def test_planted_console():
    place, root = canary(), rootfs()
    os.symlink(place + "/new", root + "/dev/console")
    os.mkdir(root + "/dev/pts")
    pts = mount("devpts", "/dev/pts", "newinstance,ptmxmode=0666")
    result = run([*prologue(root), pts, step("CONSOLE", [0, 0, 0, 1])])
    assert result.failure()[1:] == ("ELOOP", "/dev/console"), result
    check(place)
    root = rootfs()
    os.mkdir(root + "/dev/pts")
    os.mknod(root + "/dev/pts/ptmx", 0o20666, os.makedev(5, 2))
    assert run([*prologue(root), step("CONSOLE", [0, 0, 0, 1])]).failure()[1:] == ("EXDEV", "/dev/pts/ptmx")


def test_planted_null_masks_nothing_else():
    for plant in ("link", "file", "missing", "twin"):
        root = rootfs()
        open(root + "/secret", "w").write("secret")
        {"link": lambda: os.symlink("/etc/passwd", root + "/dev/null"),
         "file": lambda: open(root + "/dev/null", "w").write("bad"), "missing": lambda: None,
         "twin": lambda: os.mknod(root + "/dev/null", 0o20666, os.makedev(1, 5))}[plant]()
        proc = mount("proc", "/proc")
        result = run([*prologue(root), proc, step("PIVOT", [0]), step("MASK", [], ["/secret"]),
                      step("MASK", [], ["/etc/passwd"]), *shell("cat /secret /etc/passwd; echo x > /secret; stat -c %t:%T /secret")])
        assert result.output == b"1:3\n" and result.failure() is None, (plant, result)


def test_planted_null_is_no_stdio():
    place, root = canary(), rootfs()
    os.symlink("/etc/passwd", root + "/dev/null")
    result = run([*prologue(root), mount("proc", "/proc"), step("PIVOT", [0]), *shell("stat -L -c %t:%T /proc/self/fd/0")])
    assert result.output == b"1:3\n", result
    check(place)


def test_directories_outside_are_refused():
    handle = os.open("/", os.O_RDONLY)
    for path in ("/proc/self/fd/3", "/proc/self/fd/3/etc", "/proc/1/root", "/proc/self/cwd"):
        result = run(container(rootfs(), "pwd; ls", after=[step("WORKDIR", [0], [path])]), extra=[handle])
        assert result.failure()[1] in ("ELOOP", "EXDEV"), (path, result)


def test_a_directory_lost_outside_is_found_before_exec():
    # As when the working directory was left on the host's side of a chroot.
    root = rootfs()
    result = run([*prologue(root), step("PIVOT", [0]), step("WORKDIR", [0], ["/tmp"]), step("PIVOT", [2]), *execute("true")])
    assert result.failure() is None
    handle = os.open("/etc", os.O_RDONLY)
    namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    result = run([*prologue(root), *execute("/bin/true")], slots=[namespace, handle])
    assert result.status in (0, 1)


def test_mounts_led_into_procfs_are_refused():
    root = rootfs()
    os.symlink("/proc/sys/kernel", root + "/data")
    steps = [mount("proc", "/proc"), mount("tmpfs", "/data")]
    assert run([*prologue(root), *steps]).failure()[1:] == ("EPERM", "/data")
    steps = [mount("proc", "/proc"), bind("/etc/hostname", "/data/core_pattern")]
    assert run([*prologue(root), *steps]).failure()[1] == "EPERM"


def test_fake_procfs_is_not_written():
    # The container's /proc is a tmpfs with fakes: sysctl and labels go through the private one.
    root = rootfs()
    os.makedirs(root + "/proc/sys/net/ipv4")
    open(root + "/proc/sys/net/ipv4/ip_forward", "w").write("fake")
    os.makedirs(root + "/proc/self")
    open(root + "/proc/self/oom_score_adj", "w").write("fake")
    steps = [step("PIVOT", [0]), step("SYSCTL", [], ["net/ipv4/ip_forward", "1"]), step("OOM_SCORE", [33])]
    result = run([*prologue(root), *steps, mount("proc", "/tmp"),
                  *shell("cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj /tmp/self/oom_score_adj")])
    assert result.output == b"fakefake33\n", result
    for path, error in (("net/bogus", "ENOENT"), ("../self/comm", "EXDEV"), ("net/../../self/comm", "EXDEV")):
        got = run([*prologue(root), step("SYSCTL", [], [path, "1"])]).failure()
        assert got[2] == path and got[1] in (error, "ENOENT", "EINVAL"), (path, got)


def test_targets_swapped_while_mounting():
    """A racer exchanges a directory with a link to the host's root: never a mount outside."""
    place, root = canary(), rootfs()
    os.mkdir(root + "/shared")
    os.mkdir(root + "/shared/dir")
    os.symlink("../" * 14 + place[1:], root + "/shared/link")
    racer = os.fork()
    if racer == 0:
        a, b = (root + "/shared/dir").encode(), (root + "/shared/link").encode()
        while True:
            LIBC.syscall(316, -100, a, -100, b, 2)
    try:
        for turn in range(150):
            run([*prologue(root), mount("tmpfs", f"/shared/dir/a{turn}/b"),
                 bind("/etc/hostname", f"/shared/dir/f{turn}"), step("DEVICE", [0o20666, 1, 3, 0, 0, 0, 1], [f"/shared/dir/n{turn}"]),
                 step("SYMLINK", [1], ["x", f"/shared/dir/s{turn}"])], flags=NEWNS)
    finally:
        os.kill(racer, signal.SIGKILL)
        os.waitpid(racer, 0)
    check(place)

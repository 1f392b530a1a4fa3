"""Namespaces: user, pid by fork, joined ones, time, uts; keyring."""

from harness import *

MAPS = "0 200000 65536\n"


def test_user_namespace():
    root = rootfs()
    os.chown(root, 200000, 200000)
    os.chmod(WORK, 0o755)
    for name in os.listdir(root):
        os.chown(f"{root}/{name}", 200000, 200000)
    steps = [step("AWAIT", [1]), step("BECOME_ROOT", [0]), *prologue(root), *standard_mounts(), *devices(bound=1),
             step("PIVOT", [0]), step("HOSTNAME", [], ["inside"]), step("SYSCTL", [], ["net/ipv4/ip_forward", "1"]),
             step("OOM_SCORE", [100]), step("READONLY", [], ["/proc/sys"]), step("MASK", [], ["/proc/timer_list"]),
             step("MASK", [], ["/proc/scsi"]), step("ROOT_READONLY"), step("USER", [5, 5, -1]), step("VERIFY", [5, 5, -1, -1, 0, -1, 0, 0]),
             *shell("id -u; cat /proc/sys/kernel/hostname /proc/self/oom_score_adj; echo x >/dev/null; cat /proc/self/uid_map")]
    result = run(steps, flags=ALL | NEWUSER, user_maps=MAPS)
    assert result.output.split() == [b"5", b"inside", b"100", b"0", b"200000", b"65536"], result


def test_locked_flags_stay():
    source = tempfile.mkdtemp(dir=WORK)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nosuid,nodev,ro", "tmpfs", source], check=True)
    try:
        root = rootfs()
        head = [step("AWAIT", [1]), step("BECOME_ROOT", [0]), *prologue(root), mount("proc", "/proc")]
        result = run([*head, bind(source, "/tmp", attributes=NOEXEC), step("PIVOT", [0]),
                      *shell("grep ' /tmp ' /proc/self/mountinfo")], flags=ALL | NEWUSER, user_maps="0 0 65536\n")
        assert b"ro,nosuid,nodev,noexec" in result.output, result
        result = run([*head, bind(source, "/tmp", clear=RO)], flags=ALL | NEWUSER, user_maps="0 0 65536\n")
        assert result.failure()[1:] == ("EPERM", "/tmp"), result
    finally:
        subprocess.run(["umount", source], check=True)


def test_join_and_fork():
    """As `exec`: into the namespaces of a running container, as a child of the runtime."""
    root = rootfs()
    first = Run(plan(container(root, "sleep 100", before=[step("HOSTNAME", [], ["first"])])))
    while first.serve_one():
        pass
    slots = [os.open(f"/proc/{first.pid}/ns/{name}", os.O_RDONLY) for name in ("mnt", "uts", "pid", "net")]
    try:
        steps = [step("JOIN", [i, kind]) for i, kind in enumerate((NEWNS, NEWUTS, NEWPID, NEWNET))]
        result = run([*steps, step("FORK", [0]), step("SESSION"), step("WORKDIR", [0], ["/tmp"]),
                      *shell("pwd; cat /proc/sys/kernel/hostname; test $$ -gt 1 && echo inside; exit 5")], slots=slots, flags=0)
        assert result.output == b"/tmp\nfirst\ninside\n" and result.status == 5, result
        assert [m[0] for m in result.messages] == [PROCESS], result
        handle = os.pidfd_open(first.pid)
        result = run([step("JOIN", [0, NEWNS | NEWUTS | NEWPID]), step("FORK", [0]), *shell("cat /proc/1/comm")],
                     slots=[handle], flags=0)
        assert result.output == b"sleep\n", result
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.finish_pid()


def test_join_a_user_namespace():
    """`exec` into a container of another user; and one whose user namespace is our own already."""
    root = rootfs()
    for place in (root, root + "/tmp"):
        os.chown(place, 200000, 200000)
    steps = [step("AWAIT", [1]), step("BECOME_ROOT", [0]), *prologue(root), mount("proc", "/proc"), step("PIVOT", [0]),
             *shell("sleep 100")]
    first = Run(plan(steps), flags=ALL | NEWUSER, user_maps=MAPS)
    while first.serve_one():
        pass
    try:
        types = NEWUSER | NEWNS | NEWPID | NEWNET
        steps = [step("JOIN", [0, types]), step("BECOME_ROOT", [0]), step("FORK", [0]), step("OOM_SCORE", [42]),
                 step("USER", [7, 7, -1]), step("CAPABILITIES", [0, 0, 0, 0]), step("VERIFY", [7, 7, 0, 0, 0, -1, -1, 0]),
                 *shell("id -u; cat /proc/self/oom_score_adj /proc/self/uid_map")]
        result = run(steps, slots=[os.pidfd_open(first.pid)], flags=0)
        assert result.output.split() == [b"7", b"42", b"0", b"200000", b"65536"], result
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.finish_pid()
    own = os.open("/proc/self/ns/user", os.O_RDONLY)
    assert run([step("JOIN", [0, NEWUSER])], slots=[own], flags=0).failure() is None
    assert run([step("JOIN", [0, NEWUSER | NEWPID])], slots=[os.pidfd_open(os.getpid())], flags=0).failure() is None


def test_user_namespace_without_a_pid_namespace():
    # May not mount a procfs: the one that is there is cloned, for the steps that write to it.
    steps = [step("AWAIT", [1]), step("BECOME_ROOT", [0]), step("SYSCTL", [], ["net/ipv4/ip_forward", "1"]),
             step("OOM_SCORE", [55]), *shell("cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj")]
    result = run(steps, flags=NEWUSER | NEWNS | NEWNET, user_maps=MAPS)
    assert result.output.split() == [b"1", b"55"], result
    failure = run([*steps[:2], mount("proc", "/proc")], flags=NEWUSER | NEWNS, user_maps=MAPS).failure()
    assert failure[1] == "EPERM", failure


def test_forked_child_dies_with_the_runtime():
    helper = os.fork()
    if helper == 0:
        running = Run(plan([step("FORK", [0]), step("AWAIT", [2])]), flags=0)
        while not running.result.requests:
            running.answer = lambda checkpoint: None
            running.serve_one()
        open(WORK + "/child", "w").write(str(running.pid))
        os._exit(0)
    os.waitpid(helper, 0)
    pid = int(open(WORK + "/child").read())
    time.sleep(0.2)
    assert not os.path.exists(f"/proc/{pid}") or " Z " in open(f"/proc/{pid}/stat").read()


def test_time_namespace():
    steps = [step("UNSHARE", [NEWTIME]), step("TIME_OFFSETS", [], ["monotonic 1000000 0\nboottime 2000000 0\n"]),
             step("FORK", [NEWNS | NEWPID]), *prologue(rootfs()), mount("proc", "/proc"), step("PIVOT", [0]),
             *shell("cat /proc/uptime; cat /proc/self/timens_offsets")]
    result = run(steps, flags=0)
    assert float(result.output.split()[0]) > 2000000, result


def test_names_loopback_and_keyring():
    steps = [step("HOSTNAME", [], ["box"]), step("DOMAINNAME", [], ["example"]), step("LOOPBACK"),
             step("KEYRING", [], ["_ses.test", ""])]
    result = run(container(rootfs(), "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname;"
                           "cat /sys/class/net/lo/flags; cat /proc/keys", before=steps))
    assert result.output.startswith(b"box\nexample\n0x9\n") and (
        b"_ses.test" in result.output or any(m[0] == WARNING for m in result.messages)), result


def test_labels_need_a_module():
    for kind in (0, 1):
        result = run([step("LABEL", [kind], ["some_profile"])])
        assert result.failure() and result.failure()[2].startswith("/proc/self/attr/"), result


def test_unprivileged_user_without_capabilities():
    # Capabilities in a user namespace do not reach the host's limits.
    steps = [step("AWAIT", [1]), step("BECOME_ROOT", [1]), step("GROUPS", [1, 5]), step("RLIMIT", [7, 1 << 62, 1 << 62])]
    result = run(steps, flags=NEWUSER, user_maps="0 1000 1\n")
    assert result.failure()[:2] == (3, "EPERM"), result

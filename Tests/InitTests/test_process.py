"""The process that comes out: program, environment, credentials, limits, handles."""

import os
import resource
import signal
import struct

from harness import *


def test_runs_a_program():
    result = run(container(rootfs(), "echo hello; exit 7"))
    assert result.output == b"hello\n" and result.status == 7, result


def test_only_standard_handles_remain():
    result = run(container(rootfs(), "ls -l /proc/self/fd 2>/dev/null | grep -c -- '->'"))
    assert result.output == b"3\n", result


def test_handles_below_base_are_kept():
    extra = os.open("/etc/hostname", os.O_RDONLY)
    result = run(container(rootfs(), "ls -l /proc/self/fd 2>/dev/null | grep -c hostname"), extra=[extra])
    assert result.output == b"1\n", result


def test_pid_one_and_no_blocked_signals():
    # What is ignored is the launcher's to reset (apus_launch), for every program that it starts.
    result = run(container(rootfs(), "echo $$; grep Sig /proc/self/status; grep Shd /proc/self/status"))
    lines = result.output.decode().split()
    assert lines[0] == "1", result
    fields = dict(zip(lines[1::2], lines[2::2]))
    assert int(fields["SigBlk:"], 16) == 0, result


def test_program_errors():
    root = rootfs()
    open(root + "/bin/plain", "w").write("x")
    open(root + "/bin/script", "w").write("no program")
    os.chmod(root + "/bin/script", 0o755)
    for name, error in (("nope", "ENOENT"), ("/nope", "ENOENT"), ("plain", "EACCES"), ("/bin/plain", "EACCES"),
                        ("/bin", "EISDIR"), ("", "ENOENT"), ("script", "ENOEXEC")):
        result = run([*prologue(root), step("PIVOT", [0]), *execute(name)])
        failure = result.failure()
        assert failure and failure[1] == error and result.status == 1, (name, result)
        assert failure[2].endswith(name), result


def test_home_from_passwd():
    root = rootfs()
    user = [step("USER", [1000, 1000, -1])]
    for before, environment, home in ((user, ["PATH=/bin"], "/home/me"), ([], ["PATH=/bin"], "/root"),
                                      (user, ["PATH=/bin", "HOME=/x"], "/x"),
                                      ([step("USER", [77, 0, -1])], ["A=b"], "/")):
        result = run([*prologue(root), step("PIVOT", [0]), *before,
                      *shell("echo $HOME", environment=environment, home=1)])
        assert result.output.decode() == home + "\n", (home, result)


def test_home_from_hostile_passwd():
    root = rootfs()
    for kind in ("fifo", "directory", "device", "link", "long"):
        path = root + "/etc/passwd"
        subprocess.run(["rm", "-rf", path])
        {"fifo": lambda: os.mkfifo(path), "directory": lambda: os.mkdir(path),
         "device": lambda: os.mknod(path, 0o20666, os.makedev(1, 5)),
         "link": lambda: os.symlink("/proc/self/fd/0", path),
         "long": lambda: open(path, "w").write("x" * 9000 + "\nroot:x:0:0::/found:/bin/sh")}[kind]()
        result = run([*prologue(root), step("PIVOT", [0]), *shell("echo $HOME", home=1)])
        assert result.output == (b"/found\n" if kind == "long" else b"/\n"), (kind, result)


def test_listen_pid():
    result = run([*prologue(rootfs()), step("PIVOT", [0]), *execute(
        "sh", "-c", "echo $LISTEN_PID", environment=["LISTEN_PID=1"], listen=1)], flags=NEWNS)
    assert result.output.decode().strip() == str(result.pid), result


def test_user_capabilities_and_verification():
    all_caps = (1 << 64) - 1
    for mask, ambient in ((0x00000000a80425fb, 0), (0x400, 0x400), (0, 0)):
        steps = [step("BOUNDING", [mask]), step("GROUPS", [0, 5, 6]), step("USER", [1000, 1001, 0o027]),
                 step("CAPABILITIES", [mask, mask, ambient, ambient]), step("NO_NEW_PRIVILEGES"),
                 step("VERIFY", [1000, 1001, mask, mask, ambient, mask, 1, ambient])]
        script = "id -u; id -g; id -G; umask; grep -E 'Cap|NoNew' /proc/self/status"
        result = run(container(rootfs(), script, after=steps))
        lines = result.output.decode().split()
        assert lines[:6] == ["1000", "1001", "1001", "5", "6", "0027"], result
        fields = dict(zip(lines[6::2], lines[7::2]))
        assert int(fields["CapBnd:"], 16) == mask and int(fields["CapAmb:"], 16) == ambient, result
        assert int(fields["CapEff:"], 16) == ambient and fields["NoNewPrivs:"] == "1", result
    # Root keeps what it is given; capabilities from the future are ignored.
    steps = [step("BOUNDING", [all_caps]), step("USER", [0, 0, -1]), step("CAPABILITIES", [all_caps, all_caps, 0, 0]),
             step("VERIFY", [0, 0, all_caps, all_caps, 0, all_caps, -1, 0])]
    result = run(container(rootfs(), "umask", after=steps))
    assert all(kind == WARNING for kind, *_ in result.messages)
    assert result.output == b"0022\n" and result.status == 0, result


def test_verification_fails():
    caps = 0x400
    right = [1000, 1000, caps, caps, 0, caps, 1, 0]
    names = ["uid", "gid", "effective", "permitted", "inheritable", "bounding", "no_new_privs", "ambient"]
    for index, name in enumerate(names):
        wrong = list(right)
        wrong[index] = {5: 0, 6: 0}.get(index, wrong[index] ^ 1)
        steps = [step("BOUNDING", [caps]), step("USER", [1000, 1000, -1]), step("CAPABILITIES", [caps, caps, 0, 0]),
                 step("NO_NEW_PRIVILEGES"), step("VERIFY", wrong)]
        result = run(container(rootfs(), "echo ran", after=steps))
        failure = result.failure()
        assert failure and failure[1:] == ("EPERM", name) and not result.output, (name, result)


def test_limits_and_scheduling():
    steps = [step("RLIMIT", [resource.RLIMIT_NOFILE, 333, 444]), step("OOM_SCORE", [17]),
             step("SCHEDULER", [0, 5, 0, 0, 0, 0, 0]), step("IO_PRIORITY", [2, 6]), step("AFFINITY", [], ["0"]),
             step("PERSONALITY", [0x0040000]), step("MEMORY_POLICY", [2], ["0"])]
    script = ("ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj; set -- $(cat /proc/self/stat); echo ${19}; grep Cpus_allowed_list /proc/self/status;"
              "cat /proc/self/personality; head -n1 /proc/self/numa_maps")
    result = run(container(rootfs(), script, after=steps))
    lines = result.output.decode().split("\n")
    assert lines[:4] == ["333", "444", "17", "5"] and lines[4].split()[1] == "0", result
    assert lines[5] == "00040000", result
    result = run(container(rootfs(), "grep Cpus_allowed_list /proc/self/status", after=[step("AFFINITY", [], [""])]))
    assert result.output.split()[1].startswith(b"0"), result
    for bad in ("x", "3-1", "0,", "9999", "1-"):
        assert run([step("AFFINITY", [], [bad])]).failure()[1:] == ("EINVAL", bad), bad


def test_working_directory():
    root = rootfs()
    assert run(container(root, "pwd", after=[step("WORKDIR", [1], ["/a/b/c"])])).output == b"/a/b/c\n"
    failure = run(container(root, "pwd", after=[step("WORKDIR", [0], ["/missing"])])).failure()
    assert failure[1:] == ("ENOENT", "/missing"), failure
    os.symlink("../../../../tmp", root + "/link")
    assert run(container(root, "pwd", after=[step("WORKDIR", [0], ["/link"])])).output == b"/tmp\n"


def bpf(*instructions):
    return b"".join(struct.pack("<HBBI", *i) for i in instructions)


def deny(*numbers):
    """Every call but these; they fail with EPERM."""
    code = [(0x20, 0, 0, 0)]
    code += [(0x15, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    return bpf(*code, (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001))


def test_seccomp():
    # Denied: what the init stage itself used until then, and mkdir.
    calls = deny(83, 436, 437, 13, 14, 72, 33, 3)
    root = rootfs()
    steps = [step("NO_NEW_PRIVILEGES"), step("EXECUTABLE", [], ["sh", "/bin"]), step("SECCOMP", [0], [calls])]
    result = run([*prologue(root), *standard_mounts(), *devices(), step("PIVOT", [0]), *steps,
                  *shell("mkdir /x; test -d /x || echo denied; grep Seccomp: /proc/self/status")[1:]])
    assert b"denied" in result.output and b"Seccomp:\t2" in result.output, result
    assert run([step("SECCOMP", [0], [b"12345678" * 2])], flags=0).failure()[1] == "EINVAL"


def test_early_seccomp_and_the_gate():
    # Without no_new_privs the filter comes before the capabilities go, and before the gate.
    from test_rendezvous import gated, open_gate
    calls = deny(436, 437, 439)
    steps = [step("USER", [1000, 1000, -1]), step("SECCOMP", [0], [calls]), step("CAPABILITIES", [0, 0, 0, 0]),
             step("EXECUTABLE", [], ["id", "/bin"]), step("AWAIT", [5]), step("GATE"), step("VERIFY", [1000, 1000, 0, 0, 0, -1, 0, 0])]
    place, running = gated([], before=steps, last=execute("id", "-u")[1:])
    open_gate(place)
    assert running.finish().output == b"1000\n", running.result


def test_two_tries_at_the_working_directory():
    tries = [step("WORKDIR", [1, 1], ["/a/b"]), step("USER", [1000, 1000, -1]), step("WORKDIR", [0, 0], ["/a/b"])]
    root = rootfs()
    assert run(container(root, "pwd", after=tries)).output == b"/a/b\n"
    os.chmod(root + "/a", 0o700)
    tries = [step("USER", [1000, 1000, -1]), step("CAPABILITIES", [0, 0, 0, 0]), step("WORKDIR", [0, 0], ["/a/b"])]
    assert run(container(root, "pwd", after=tries)).failure()[1:] == ("EACCES", "/a/b")


def test_seccomp_listener():
    program = bpf((0x20, 0, 0, 0), (0x15, 0, 1, 9999), (0x06, 0, 0, 0x7FC00000), (0x06, 0, 0, 0x7FFF0000))
    steps = [step("NO_NEW_PRIVILEGES"), step("SECCOMP", [8], [program])]
    result = run(container(rootfs(), "echo fine", after=steps))
    assert result.output == b"fine\n" and result.requests == [4] and 4 in result.handles, result
    assert os.readlink(f"/proc/self/fd/{result.handles[4]}") == "anon_inode:seccomp notify"


def test_null_stdio_is_the_containers_own():
    result = run(container(rootfs(), "stat -L -c %d /proc/self/fd/0; stat -c %d /dev/null"))
    lines = result.output.split()
    assert lines[0] == lines[1], result


def test_pass_stdio():
    read, write = os.pipe()
    run(container(rootfs(), "true", after=[step("PASS_STDIO", [1234, 4321])]), stdout=write)
    assert os.fstat(write).st_uid == 1234 and os.fstat(write).st_gid == 4321
    assert os.stat("/dev/null").st_uid == 0

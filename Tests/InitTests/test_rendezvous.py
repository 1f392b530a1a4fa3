"""Messages, the gate, hooks, the console; the death of the runtime."""

import array
import fcntl
import termios

from harness import *


def gate():
    """Directory with the two FIFOs of a container, and their handles for the init stage."""
    place = tempfile.mkdtemp(dir=WORK)
    handles = []
    for name, flags in (("gate", os.O_RDONLY | os.O_NONBLOCK), ("report", os.O_RDWR)):
        os.mkfifo(f"{place}/{name}")
        handles.append(os.open(f"{place}/{name}", flags))
    return place, handles


def gated(steps, before=(), last=()):
    place, (inner, report) = gate()
    waiting = before or [step("AWAIT", [C["APUS_AT_READY"]]), step("GATE")]
    data = plan([*prologue(rootfs()), *standard_mounts(), *devices(), step("PIVOT", [0]), *waiting, *steps, *last])
    running = Run(data, gate=inner, report=report)
    os.close(inner)
    os.close(report)
    while running.serve_one():
        pass
    return place, running


def alive(pid):
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def open_gate(place):
    report = os.open(place + "/report", os.O_RDONLY | os.O_NONBLOCK)
    handle = os.open(place + "/gate", os.O_WRONLY)
    os.write(handle, b"x")
    return report


def test_gate_opens():
    place, running = gated(shell("echo started"))
    time.sleep(0.2)
    links = os.listdir(f"/proc/{running.pid}/fd")
    assert running.result.requests == [5] and alive(running.pid)
    # Stdio, gate and report: nothing else of the host.
    assert len(links) == 5, links
    report = open_gate(place)
    assert running.finish().output == b"started\n"
    assert os.read(report, 100) == b""


def test_nothing_is_held_when_ready_is_asked_for():
    place, (inner, report) = gate()
    tree = LIBC.syscall(428, -100, b"/etc", 1)
    running = Run(plan([*prologue(rootfs()), *standard_mounts(), step("PIVOT", [0]), step("MASK", [], ["/etc/passwd"]),
                        step("AWAIT", [5]), step("GATE"), *execute("true")], 1), gate=inner, report=report, slots=[tree])
    running.socket.recv(100)
    # Stdio, the socket and the FIFOs, which is also the last that the runtime may see of it.
    assert sorted(map(int, os.listdir(f"/proc/{running.pid}/fd"))) == [0, 1, 2, 3, 5, 6]
    running.answer(5)
    while running.serve_one():
        pass
    open_gate(place)
    assert running.finish().status == 0


def test_failures_after_the_gate_are_reported():
    place, running = gated([step("MASK", [], ["/" + "y" * 300]), *execute("nope")])
    report = open_gate(place)
    assert running.finish().status == 1
    kind, where, value, size = struct.unpack("<IiiI", os.read(report, 16))
    assert (kind, value, os.read(report, size)) == (FAILURE, errno.ENAMETOOLONG, b"/" + b"y" * 300)


def test_deleted_gate_ends_the_process():
    place, running = gated(shell("echo started"))
    subprocess.run(["rm", "-r", place])
    assert running.finish().status == 1 and not running.result.output


def test_a_writer_without_a_byte_does_not_open_the_gate():
    place, running = gated(shell("echo started"))
    os.close(os.open(place + "/gate", os.O_WRONLY))
    time.sleep(0.3)
    assert alive(running.pid)
    ticks = open(f"/proc/{running.pid}/stat").read().split()
    assert int(ticks[13]) + int(ticks[14]) < 10
    open_gate(place)
    assert running.finish().output == b"started\n"


def test_death_of_the_runtime_before_the_commit():
    for steps in ([step("AWAIT", [2])], [step("HOOK", [-1, 0], ["/bin/sleep", "", "sleep\0""100", ""])]):
        running = Run(plan([*steps, *execute("/bin/sleep", "100")]))
        time.sleep(0.2)
        running.socket.close()
        _, status = os.waitpid(running.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 1, status


def test_the_runtime_may_end_right_after_ready():
    for _ in range(20):
        place, (inner, report) = gate()
        helper = os.fork()
        if helper == 0:
            running = Run(plan([step("AWAIT", [5]), step("GATE"), *execute("/bin/true")]), flags=0, gate=inner, report=report)
            running.socket.recv(100)
            open(WORK + "/child", "w").write(str(running.pid))
            running.answer(5)
            os._exit(0)
        os.waitpid(helper, 0)
        os.close(inner)
        os.close(report)
        pid = int(open(WORK + "/child").read())
        assert " S " in open(f"/proc/{pid}/stat").read() or os.kill(pid, 0) is None
        time.sleep(0.05)
        assert open(f"/proc/{pid}/stat").read().split()[2] in "SR", pid
        handle = os.pidfd_open(pid)
        open_gate(place)
        assert select.select([handle], [], [], 5)[0]


def test_the_runtime_dies_instead_of_answering_ready():
    running = Run(plan([step("AWAIT", [5]), step("GATE")]), flags=0)
    running.socket.recv(100)
    running.socket.close()
    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == 1


def test_wrong_answers_are_refused():
    for answer in (struct.pack("<IiiI", PROCEED, 0, 3, 0), struct.pack("<IiiI", REQUEST, 0, 2, 0), b"x"):
        running = Run(plan([step("AWAIT", [2])]))
        running.socket.recv(100)
        running.socket.send(answer)
        result = running.finish()
        assert result.failure()[1] == "EPROTO", result


def test_without_a_gate_errors_come_after_ready():
    result = run([*prologue(rootfs()), step("PIVOT", [0]), step("AWAIT", [5]), *execute("nope")])
    assert result.requests == [5] and result.failure()[1:] == ("ENOENT", "nope"), result


def hook(script, timeout=-1, state="{}", environment="A=1", **kw):
    return step("HOOK", [timeout, 0], ["/bin/sh", state, "\0".join(["sh", "-c", script]), environment])


def test_hook_gets_state_and_environment():
    place = tempfile.mkdtemp(dir=WORK)
    state = '{"id":"x","pid":0,"note":"\\"pid\\":0,"}' + " " * 300000
    script = f"cat > {place}/state; env > {place}/env; ls /proc/self/fd > {place}/fd; umask > {place}/umask; echo noise"
    result = run([hook(script, state=state), step("SESSION")], flags=NEWNS)
    assert result.messages == [] and result.status == 0, result
    text = open(place + "/state").read()
    assert text == state.replace('"pid":0', f'"pid":{result.pid}', 1), text[:200]
    assert "A=1" in open(place + "/env").read() and "PATH=/usr" not in open(place + "/env").read()
    assert open(place + "/fd").read().split() == ["0", "1", "2", "3"]
    assert open(place + "/umask").read() == "0022\n"


def test_hook_that_does_not_read():
    assert run([hook("exec 0<&-; exit 0", state="x" * 300000)], flags=0).messages == []


def test_failing_hooks():
    result = run([hook("echo out; echo err >&2; exit 3")], flags=0)
    assert result.messages == [(HOOK, 0, 3 << 8, "out\nerr\n")] and result.status == 1, result
    result = run([hook("yes 1234567 | head -c 1000000; exit 1")], flags=0)
    assert len(result.messages[0][3]) == 4096 and result.messages[0][2] == 256, result
    result = run([hook("kill -9 $$")], flags=0)
    assert result.messages[0][2] == 9, result
    result = run([step("HOOK", [-1, 0], ["/no/hook", "", "", ""])], flags=0)
    assert result.messages == [(HOOK, 0, -errno.ENOENT, "")], result


def test_hook_timeout_ends_the_group():
    place = tempfile.mkdtemp(dir=WORK)
    begin = time.monotonic()
    result = run([hook(f"(sleep 3; touch {place}/late) & echo waiting; sleep 60", timeout=1)], flags=0)
    assert result.messages == [(HOOK, 0, -errno.ETIMEDOUT, "waiting\n")], result
    assert time.monotonic() - begin < 3
    time.sleep(2.5)
    assert os.listdir(place) == []


def test_hook_may_leave_a_child():
    begin = time.monotonic()
    assert run([hook("sleep 2 & exit 0")], flags=0).messages == []
    assert time.monotonic() - begin < 1.5


def test_console():
    before = [step("CONSOLE", [91, 37, 1000, 1])]
    result = run(container(rootfs(), "tty; stat -c '%u %t' /dev/console /dev/pts/0; echo hi >/dev/tty; readlink /proc/self/fd/1",
                           before=before), stdout=os.open("/dev/null", os.O_WRONLY))
    master = result.handles[3]
    assert array.array("H", fcntl.ioctl(master, termios.TIOCGWINSZ, b"\0" * 8))[:2].tolist() == [37, 91]
    text = b""
    try:
        while True:
            text += os.read(master, 4096)
    except OSError:
        pass
    assert text.split(b"\r\n")[:5] == [b"/dev/pts/0", b"1000 88", b"1000 88", b"hi", b"/dev/pts/0"], text

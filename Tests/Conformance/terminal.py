"""Terminals: console sockets, foreground pseudo terminals, size, job control."""
import array
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import termios
import time

from harness import Failure, Settings, cases, test


class ConsoleSocket:
    def __init__(self, t):
        self.path = f"{t.directory}/console"
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(self.path)
        self.server.listen()
        self.server.settimeout(10)

    def master(self):
        connection, _ = self.server.accept()
        connection.settimeout(10)
        data, fds, _, _ = socket.recv_fds(connection, 4096, 4)
        if not data or len(fds) != 1:
            raise Failure(f"console socket got {data!r} and {fds}")
        return fds[0]


PENDING = {}  # what was read of a terminal behind the text that was waited for


def read_until(master, text, seconds=10):
    """What the terminal shows, up to `text`."""
    got, deadline = PENDING.pop(master, b""), time.monotonic() + seconds
    while text.encode() not in got:
        ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise Failure(f"terminal: no {text!r} in {got!r}")
        try:
            part = os.read(master, 65536)
        except OSError:
            part = b""
        if not part:
            raise Failure(f"terminal ended: no {text!r} in {got!r}")
        got += part
    end = got.index(text.encode()) + len(text.encode())
    PENDING[master] = got[end:]
    return got[:end].decode(errors="replace")


def terminal(t, *args, **changes):
    return t.bundle(*args, process__terminal=True, **changes)


def created(t, *args, **changes):
    console = ConsoleSocket(t)
    identifier = t.create(terminal(t, *args, **changes), "--console-socket", console.path)
    return identifier, console.master()


class Foreground:
    """The runtime in a session of its own, on a terminal of ours."""

    def __init__(self, t, *arguments, size=(24, 80)):
        self.t = t
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.master, self.slave = master, slave
        self.process = t.spawn(*arguments, stdin=slave, stdout=slave, stderr=slave,
                               start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def write(self, text):
        os.write(self.master, text.encode())

    def expect(self, text):
        return read_until(self.master, text)

    def wait(self):
        return self.process.wait(10 * Settings.patience)


def foreground(t, *args, size=(24, 80), **changes):
    bundle = terminal(t, *args, **changes)
    identifier = t.own(t.new_id(), bundle)
    return Foreground(t, "run", "-b", bundle.path, identifier, size=size)


@test
def console_socket(t):
    """the console socket gets the terminal's master"""
    identifier, master = created(t, "sh", "-c", "tty; echo over")
    t.ok("start", identifier)
    out = read_until(master, "over")
    t.contains(out, ["/dev/pts/0", "/dev/console"])


@test
def stdio_is_the_terminal(t):
    """all three handles are the terminal"""
    identifier, master = created(t, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo all")
    t.ok("start", identifier)
    read_until(master, "all\r\n")


@test
def console_size(t):
    """consoleSize holds from the first moment"""
    identifier, master = created(t, "stty", "size", process__consoleSize={"height": 41, "width": 123})
    t.ok("start", identifier)
    read_until(master, "41 123")


@test
def master_is_a_terminal_of_the_container(t):
    """the master belongs to the container's devpts"""
    identifier, master = created(t, "sh", "-c", "ls /dev/pts; stat -c %F /dev/console; echo over")
    t.ok("start", identifier)
    out = read_until(master, "over")
    t.contains(out, "character special file")
    t.contains(out, "0")


@test(needs="root")
def owner_of_the_terminal(t):
    """the terminal belongs to the user"""
    identifier, master = created(t, "sh", "-c", "stat -L -c 'owner %u' /proc/self/fd/0",
                                 process__user={"uid": 1001, "gid": 1})
    t.ok("start", identifier)
    read_until(master, "owner 1001")


@test
def controlling_terminal(t):
    """the terminal is the controlling one: interrupt reaches the program"""
    identifier, master = created(t, "sh", "-c", "trap 'echo interrupted; exit 5' INT; echo ready; "
                                 "while :; do sleep 0.05; done")
    pid = t.pid(identifier)
    t.ok("start", identifier)
    read_until(master, "ready")
    os.write(master, b"\x03")
    read_until(master, "interrupted")
    t.equal(t.wait(pid), 5)


@test
def input(t):
    """what is typed reaches the program"""
    identifier, master = created(t, "sh", "-c", "read a; echo got-$a")
    t.ok("start", identifier)
    os.write(master, b"typed\n")
    read_until(master, "got-typed")


@test
def hangup(t):
    """the end of the master hangs the program up"""
    identifier, master = created(t, "sh", "-c", "trap 'exit 5' HUP; echo ready; "
                                 "while :; do sleep 0.05; done")
    pid = t.pid(identifier)
    t.ok("start", identifier)
    read_until(master, "ready")
    os.close(master)
    t.equal(t.wait(pid), 5)


@test
def terminal_without_socket(t):
    """create with a terminal and no console socket is refused"""
    t.refused(terminal(t), verb="create",
              text="cannot allocate tty if apus will detach without setting console socket")


@test
def socket_without_terminal(t):
    """a console socket without a terminal is refused"""
    console = ConsoleSocket(t)
    bundle = t.bundle()
    identifier = t.own(t.new_id(), bundle)
    t.fails("create", "-b", bundle.path, "--console-socket", console.path, identifier)


@test
def socket_missing(t):
    """a console socket that nobody listens on fails the create and leaves nothing"""
    bundle = terminal(t)
    identifier = t.own(t.new_id(), bundle)
    t.fails("create", "-b", bundle.path, "--console-socket", f"{t.directory}/none", identifier)
    t.fails("state", identifier, text="does not exist")


@test
def foreground_run(t):
    """run -t on our terminal: output, exit code, raw mode restored"""
    run = foreground(t, "sh", "-c", "tty; echo hello; exit 7")
    run.expect("hello\r\n")
    t.equal(run.wait(), 7)
    t.equal(termios.tcgetattr(run.slave), run.before, "the terminal's modes")


@test
def foreground_size(t):
    """run takes the size of the caller's terminal, and its changes"""
    run = foreground(t, "sh", "-c", "stty size; trap 'stty size; exit 0' WINCH; echo ready; "
                     "while :; do sleep 0.05; done", size=(33, 99))
    run.expect("33 99")
    run.expect("ready")
    run.resize(50, 120)
    run.expect("50 120")
    t.equal(run.wait(), 0)


@test
def foreground_interrupt(t):
    """^C goes to the program in the container, not to the runtime"""
    run = foreground(t, "sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done")
    run.expect("ready")
    run.write("\x03")
    run.expect("caught")
    t.equal(run.wait(), 9)


@test
def foreground_shell(t):
    """an interactive shell: prompt, job control, exit"""
    run = foreground(t, "sh", "-i")
    run.expect("# ") if os.geteuid() == 0 else run.expect(" ")
    run.write("sleep 1000 &\n")
    run.expect("# ")
    run.write("jobs; echo do''ne\n")
    out = run.expect("done\r\n")
    t.contains(out, "sleep 1000")
    run.write("kill %1; exit 3\n")
    t.equal(run.wait(), 3)


@test
def foreground_stop_and_continue(t):
    """^Z stops a job inside the container; fg continues it"""
    run = foreground(t, "sh", "-i")
    run.write("sleep 1000\n")
    time.sleep(0.5)
    run.write("\x1a")
    run.expect("Stopped")
    run.write("kill -9 %1\nexit 4\nexit 4\n")
    t.equal(run.wait(), 4)


@test
def last_output_is_not_lost(t):
    """what is printed last arrives, a hundred kilobytes of it"""
    run = foreground(t, "sh", "-c", "yes 0123456789 | head -n 10000; echo the-end")
    out = run.expect("the-end\r\n")
    t.equal(out.count("0123456789"), 10000)
    t.equal(run.wait(), 0)


@test
def foreground_signal(t):
    """a signal to the runtime goes to the container"""
    run = foreground(t, "sh", "-c", "trap 'echo term; exit 6' TERM; echo ready; while :; do sleep 0.05; done")
    run.expect("ready")
    run.process.send_signal(signal.SIGTERM)
    run.expect("term")
    t.equal(run.wait(), 6)


@test
def signal_without_terminal(t):
    """run without a terminal passes signals on, too"""
    bundle = t.bundle("sh", "-c", "trap 'exit 6' USR1; echo >/ready; while :; do sleep 0.05; done")
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("run", "-b", bundle.path, identifier)
    t.eventually(lambda: os.path.exists(f"{bundle.rootfs}/ready"), "ready")
    process.send_signal(signal.SIGUSR1)
    t.equal(process.wait(10 * Settings.patience), 6)


@test
def exec_tty(t):
    """exec -t"""
    identifier = t.up()
    run = Foreground(t, "exec", "-t", identifier, "sh", "-c", "tty; stty size; exit 8", size=(20, 70))
    run.expect("/dev/pts/")
    run.expect("20 70")
    t.equal(run.wait(), 8)
    t.equal(termios.tcgetattr(run.slave), run.before)


@test
def exec_console_socket(t):
    """exec -t -d with a console socket"""
    identifier = t.up()
    console = ConsoleSocket(t)
    t.ok("exec", "-t", "-d", "--console-socket", console.path, identifier,
         "sh", "-c", "read a; echo got-$a")
    master = console.master()
    os.write(master, b"x\n")
    read_until(master, "got-x")


@test
def exec_tty_detached_without_socket(t):
    """exec -t -d without a console socket is refused"""
    t.fails("exec", "-t", "-d", t.up(), "true")


@test(needs="probe")
def pushed_input_stays_inside(t):
    """TIOCSTI and TIOCLINUX inside do not reach the caller's terminal"""
    identifier = t.up()
    run = Foreground(t, "exec", "-t", identifier, "probe", "push")
    run.wait()
    pending = array.array("i", [0])
    fcntl.ioctl(run.slave, termios.FIONREAD, pending)
    t.equal(pending[0], 0, "bytes waiting in the caller's terminal")


@cases([(str(n), n) for n in (0, 1, 2, 5)], needs="root")
def planted_pts(t, number):
    """/dev/pts/N of the image is a symlink, no devpts is mounted: refused, or nothing outside changes"""
    victim = t.file("victim", "keep")
    bundle = terminal(t, "true")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if not m["destination"].startswith("/dev")]
    os.makedirs(f"{bundle.rootfs}/dev/pts")
    os.symlink(victim, f"{bundle.rootfs}/dev/pts/{number}")
    os.symlink(victim, f"{bundle.rootfs}/dev/console")
    console = ConsoleSocket(t)
    identifier = t.own(t.new_id(), bundle)
    before = os.stat(victim)
    result = t.rt("create", "-b", bundle.path, "--console-socket", console.path, identifier)
    t.true(0 <= result.code < 128, str(result))
    after = os.stat(victim)
    t.equal((after.st_uid, after.st_mode, t.read(victim)), (before.st_uid, before.st_mode, "keep"))


@test(needs="root")
def planted_console(t):
    """/dev/console of the image points at a file that the host has not: none is made"""
    bundle = terminal(t, "true")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/dev"]
    os.symlink(f"{t.directory}/new", f"{bundle.rootfs}/dev/console")
    console = ConsoleSocket(t)
    identifier = t.own(t.new_id(), bundle)
    t.rt("create", "-b", bundle.path, "--console-socket", console.path, identifier)
    t.true(not os.path.lexists(f"{t.directory}/new"), "made on the host")


@test(needs="root")
def terminal_in_user_namespace(t):
    """a terminal in a user namespace"""
    bundle = terminal(t, "sh", "-c", "stat -L -c 'owner %u' /proc/self/fd/0").user_namespace()
    console = ConsoleSocket(t)
    identifier = t.create(bundle, "--console-socket", console.path)
    master = console.master()
    t.ok("start", identifier)
    read_until(master, "owner 0")

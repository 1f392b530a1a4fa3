"""Builds plans by hand in the wire format of CInit.h and runs the init stage on them."""

import ctypes
import errno
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "../../Sources/CInit")
WORK = tempfile.mkdtemp(prefix="apus-init-")
LIBC = ctypes.CDLL(None, use_errno=True)

NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x80, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
ALL = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
REC, PRIVATE, SLAVE, SHARED = 16384, 1 << 18, 1 << 19, 1 << 20
RO, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8
PROCEED, REQUEST, FAILURE, WARNING, PROCESS, HOOK = 2, 1, 3, 4, 5, 6


def constants():
    """The numbers of the contract, from its header."""
    text = re.sub(r"//.*", "", open(os.path.join(SOURCES, "include/CInit.h")).read())
    found = {}
    for body in re.findall(r"enum\s*\w*\s*\{(.*?)\}", text, re.S):
        number = 0
        for item in filter(None, (part.strip() for part in body.split(","))):
            name, _, value = item.partition("=")
            number = int(value, 0) if value else number
            found[name.strip()] = number
            number += 1
    return found


C = constants()


def build():
    image = os.path.join(WORK, "apus-init")
    sources = [os.path.join(SOURCES, name) for name in os.listdir(SOURCES) if name.endswith(".c")]
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Os", "-static", "-s",
             "-DAPUS_INIT_STANDALONE", "-I" + os.path.join(SOURCES, "include")]
    for compiler in ([os.environ["CC"]] if "CC" in os.environ else ["musl-gcc", "cc"]):
        if subprocess.run([compiler, *flags, *sources, "-o", image]).returncode == 0:
            return image
    raise SystemExit("the init stage does not compile")


def pad(data, size):
    return data + b"\0" * (-len(data) % size)


def step(name, arguments=(), strings=()):
    body = b"".join(struct.pack("<q", a if a < 1 << 63 else a - (1 << 64)) for a in arguments)
    for text in strings:
        data = text if isinstance(text, bytes) else text.encode()
        body += pad(struct.pack("<I", len(data)) + data + b"\0", 4)
    body = pad(body, 8)
    return struct.pack("<IIII", C["APUS_OP_" + name], 16 + len(body), len(arguments), len(strings)) + body


def plan(steps, slots=0):
    body = b"".join(steps)
    return struct.pack("<IIII", 0x73757061, 16 + len(body), len(steps), slots) + body


def memfd(data, seal=True):
    handle = os.memfd_create("plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(handle, data)
    if seal:
        import fcntl
        fcntl.fcntl(handle, 1033, 0xF)
    return handle


class Result:
    def __init__(self):
        self.messages, self.requests, self.handles = [], [], {}
        self.output, self.status, self.pid, self.rusage = b"", None, None, None

    def failure(self):
        """(step, errno name, text) of the failure, if there was one."""
        for kind, where, value, text in self.messages:
            if kind == FAILURE:
                return where, errno.errorcode.get(value, value), text
        return None

    def __repr__(self):
        return f"status={self.status} messages={self.messages} output={self.output!r}"


def keep_capabilities():
    """As the launcher: exec by a user who is not mapped keeps the ambient ones only."""
    data = (ctypes.c_uint32 * 6)()
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    LIBC.syscall(125, head, data)
    data[2], data[5] = data[1], data[4]
    LIBC.syscall(126, head, data)
    for bit in range(64):
        LIBC.prctl(47, 2, bit, 0, 0)


class Run:
    """A running init stage. `serve` answers its requests until the socket is closed."""

    def __init__(self, data, flags=ALL, slots=(), image=None, stdin=None, stdout=None, gate=None,
                 report=None, base=3, seal=True, extra=(), user_maps=None):
        self.result, self.user_maps = Result(), user_maps
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        null = os.open("/dev/null", os.O_RDWR)
        self.pipe, output = os.pipe()
        self.memory = memfd(data, seal)
        given = [theirs.fileno(), self.memory, null if gate is None else gate,
                 null if report is None else report, *slots]
        stdio = [null if stdin is None else stdin, output if stdout is None else stdout, output]
        high = [os.dup2(handle, 400 + i) for i, handle in enumerate([*stdio, *extra, *given])]
        pid = LIBC.syscall(56, flags | signal.SIGCHLD, 0, 0, 0, 0)
        if pid < 0:
            raise OSError(ctypes.get_errno(), "clone")
        if pid == 0:
            try:
                LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)
                if flags & NEWUSER:
                    keep_capabilities()
                for i, handle in enumerate(high):
                    os.dup2(handle, i)
                os.closerange(len(high), 600)
                os.execve(image or IMAGE, ["apus-init", str(base + len(extra))], {})
            finally:
                os._exit(99)
        for handle in [*high, null, output, self.memory]:
            os.close(handle)
        theirs.close()
        self.pid = self.result.pid = pid

    def answer(self, checkpoint):
        if checkpoint == 1 and self.user_maps:
            for name in ("uid_map", "gid_map"):
                open(f"/proc/{self.pid}/{name}", "w").write(self.user_maps)
        self.socket.send(struct.pack("<IiiI", PROCEED, 0, checkpoint, 0))

    def serve_one(self, timeout=10):
        """False at the end of the conversation."""
        if not select.select([self.socket], [], [], timeout)[0]:
            raise TimeoutError(repr(self.result))
        data, rights, _, _ = socket.recv_fds(self.socket, 8192, 4)
        if not data:
            return False
        kind, where, value, size = struct.unpack("<IiiI", data[:16])
        text = data[16:16 + size].decode(errors="replace")
        self.result.messages.append((kind, where, value, text))
        if kind == REQUEST:
            self.result.requests.append(value)
            if rights:
                self.result.handles[value] = rights[0]
            self.answer(value)
        if kind == PROCESS:
            self.finish_pid()
            self.pid = value
        return True

    def finish_pid(self):
        _, status, self.result.rusage = os.wait4(self.pid, 0)
        self.result.status = os.waitstatus_to_exitcode(status)

    def finish(self, timeout=10):
        while self.serve_one(timeout):
            pass
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if select.select([self.pipe], [], [], 0.1)[0]:
                data = os.read(self.pipe, 65536)
                if not data:
                    break
                self.result.output += data
        else:
            os.kill(self.pid, signal.SIGKILL)
            raise TimeoutError(repr(self.result))
        self.finish_pid()
        self.socket.close()
        os.close(self.pipe)
        return self.result


def run(steps, **options):
    data = steps if isinstance(steps, bytes) else plan(steps, len(options.get("slots", ())))
    return Run(data, **options).finish()


def rootfs():
    """A root with a static busybox, made anew for each test."""
    root = tempfile.mkdtemp(prefix="root-", dir=WORK)
    for name in ("bin", "dev", "proc", "sys", "tmp", "etc", "root"):
        os.mkdir(os.path.join(root, name))
    os.link(BUSYBOX, os.path.join(root, "bin/busybox"))
    for name in "sh cat ls id true sleep echo stat mount grep touch readlink tty env umask nice ps head".split():
        os.symlink("busybox", os.path.join(root, "bin", name))
    open(os.path.join(root, "etc/passwd"), "w").write(
        "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n")
    os.chmod(root, 0o755)
    return root


def prologue(root, how=0):
    return [step("PROPAGATION", [SLAVE | REC]), step("ROOT", [-1, how], [root])]


def mount(kind, target, data="", how=0, attributes=0, source=None, superblock=0, propagation=0):
    return step("MOUNT", [how, attributes, 0, propagation, 0, 0, superblock],
                [kind, source or kind, target, data, ""])


def bind(source, target, how=1, attributes=0, clear=0, recursive=0, slot=-1, propagation=0):
    return step("BIND", [how, attributes, clear, propagation, recursive, 0, slot], [source, target])


def standard_mounts():
    return [
        mount("proc", "/proc", attributes=NOSUID | NODEV | NOEXEC),
        mount("tmpfs", "/dev", "mode=755,size=65536k", attributes=NOSUID),
        mount("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620", attributes=NOSUID | NOEXEC),
        mount("sysfs", "/sys", attributes=RO | NOSUID | NODEV | NOEXEC),
        mount("mqueue", "/dev/mqueue", attributes=NOSUID | NODEV | NOEXEC),
    ]


def devices(bound=0):
    nodes = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
    return [step("DEVICE", [0o20666, *number, 0, 0, bound, 1], ["/dev/" + name])
            for name, number in nodes.items()]


def execute(*arguments, environment=("PATH=/bin",), home=0, listen=0):
    return [step("EXECUTABLE", [], [arguments[0], "/bin"]),
            step("EXEC", [0, listen, home], ["\0".join(arguments), "\0".join(environment)])]


def shell(script, **options):
    return execute("sh", "-c", script, **options)


def container(root, script, before=(), after=(), pivot=0):
    return [*prologue(root), *standard_mounts(), *devices(), *before,
            step("PIVOT", [pivot]), *after, *shell(script)]


BUSYBOX = os.path.join(WORK, "busybox")
subprocess.run(["cp", "/bin/busybox", BUSYBOX], check=True)
IMAGE = build()

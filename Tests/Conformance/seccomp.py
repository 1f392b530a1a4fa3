"""seccomp: actions, arguments, architectures, unknown and newer system calls."""
import json
import os
import platform
import socket

from harness import cases, test

ALLOW, ERRNO, KILL = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL"


def profile(*rules, default=ALLOW, **more):
    return {"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
            "syscalls": list(rules), **more}


def call(t, rule, number, *arguments, **changes):
    if platform.machine() != "x86_64":
        t.skip("the numbers are those of x86_64")
    bundle = t.bundle("probe", "syscall", str(number), *map(str, arguments),
                      linux__seccomp=rule if "defaultAction" in rule else profile(rule), **changes)
    return t.run(bundle)


@test(needs="probe")
def errno_default(t):
    """SCMP_ACT_ERRNO is EPERM"""
    t.equal(call(t, {"names": ["sync"], "action": ERRNO}, 162).out, "syscall: EPERM\n")


@cases([("EACCES", 13, "EACCES"), ("ENOSYS", 38, "ENOSYS"), ("EIO", 5, "EIO")], needs="probe")
def errno_return(t, number, name):
    """errnoRet"""
    t.equal(call(t, {"names": ["sync"], "action": ERRNO, "errnoRet": number}, 162).out,
            f"syscall: {name}\n")


@test(needs="probe")
def errno_zero(t):
    """errnoRet 0: the call does nothing and succeeds"""
    t.equal(call(t, {"names": ["mkdir"], "action": ERRNO, "errnoRet": 0}, 83, 0, 0).out, "syscall: 0\n")


@cases([("KILL", KILL), ("KILL_PROCESS", "SCMP_ACT_KILL_PROCESS"), ("KILL_THREAD", "SCMP_ACT_KILL_THREAD"),
        ("TRAP", "SCMP_ACT_TRAP")], needs="probe")
def killed(t, action):
    """the killing actions end the process with SIGSYS"""
    t.equal(call(t, {"names": ["sync"], "action": action}, 162).code, 128 + 31)


@test(needs="probe")
def allow_list(t):
    """a default of ERRNO with a list of allowed calls"""
    out = call(t, profile({"names": ALLOWED, "action": ALLOW}, default=ERRNO), 162)
    t.equal(out.out, "syscall: EPERM\n", str(out))


@cases([("EQ-hit", "SCMP_CMP_EQ", 5, None, 5, True), ("EQ-miss", "SCMP_CMP_EQ", 5, None, 6, False),
        ("NE", "SCMP_CMP_NE", 5, None, 6, True), ("NE-miss", "SCMP_CMP_NE", 5, None, 5, False),
        ("LT", "SCMP_CMP_LT", 5, None, 4, True), ("LT-miss", "SCMP_CMP_LT", 5, None, 5, False),
        ("LE", "SCMP_CMP_LE", 5, None, 5, True), ("LE-miss", "SCMP_CMP_LE", 5, None, 6, False),
        ("GT", "SCMP_CMP_GT", 5, None, 6, True), ("GT-miss", "SCMP_CMP_GT", 5, None, 5, False),
        ("GE", "SCMP_CMP_GE", 5, None, 5, True), ("GE-miss", "SCMP_CMP_GE", 5, None, 4, False),
        ("MASKED", "SCMP_CMP_MASKED_EQ", 0xF0, 0x30, 0x3F, True),
        ("MASKED-miss", "SCMP_CMP_MASKED_EQ", 0xF0, 0x30, 0x4F, False),
        ("high", "SCMP_CMP_EQ", 1 << 40, None, 1 << 40, True),
        ("high-miss", "SCMP_CMP_EQ", 1 << 40, None, 0, False),
        ("high-GT", "SCMP_CMP_GT", 0xFFFFFFFF, None, 1 << 32, True),
        ("high-LT", "SCMP_CMP_LT", 1 << 33, None, 1 << 32, True)], needs="probe")
def arguments(t, op, value, second, given, hit):
    """a rule with a comparison of an argument"""
    rule = {"names": ["lseek"], "action": ERRNO, "errnoRet": 41,
            "args": [{"index": 1, "value": value, "op": op}]}
    if second is not None:
        rule["args"][0]["valueTwo"] = second
    out = call(t, rule, 8, 99, given, 0).out
    t.equal("EBADF" not in out, hit, f"lseek(99, {given}) gives {out!r}; the rule")


@test(needs="probe")
def two_arguments(t):
    """all comparisons of a rule must hold"""
    rule = {"names": ["lseek"], "action": ERRNO, "errnoRet": 13, "args": [
        {"index": 0, "value": 99, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}]}
    t.equal(call(t, rule, 8, 99, 0, 1).out, "syscall: EACCES\n")
    t.equal(call(t, rule, 8, 99, 0, 0).out, "syscall: EBADF\n")


@test(needs="probe")
def same_argument_twice(t):
    """two comparisons of one argument"""
    rule = {"names": ["lseek"], "action": ERRNO, "errnoRet": 13, "args": [
        {"index": 1, "value": 5, "op": "SCMP_CMP_GE"}, {"index": 1, "value": 7, "op": "SCMP_CMP_LE"}]}
    t.equal(call(t, rule, 8, 99, 6, 0).code, 0)


@test(needs="probe")
def newer_calls(t):
    """a call that is newer than the profile gives ENOSYS, not EPERM"""
    bundle = t.bundle("probe", "syscall", "999", linux__seccomp=profile(
        {"names": ["mkdir"], "action": ERRNO}, {"names": ALLOWED, "action": ALLOW}, default=ERRNO))
    t.equal(t.run(bundle).out, "syscall: ENOSYS\n")


@cases([("everything", []), ("but-read", ["read"]), ("exec", None)])
def program_is_forbidden(t, allowed):
    """a filter that forbids to execute the program, or all that there is: start says so, and ends"""
    profile = {"defaultAction": "SCMP_ACT_ERRNO",
               "syscalls": [{"names": allowed, "action": "SCMP_ACT_ALLOW"}] if allowed else []}
    if allowed is None:
        profile = {"defaultAction": "SCMP_ACT_ALLOW",
                   "syscalls": [{"names": ["execve", "execveat"], "action": "SCMP_ACT_ERRNO"}]}
    identifier = t.create(t.bundle("true", linux__seccomp=profile))
    pid = t.pid(identifier)
    t.fails("start", identifier, text=["exec /bin/true", "seccomp profile must allow execve"])
    t.wait(pid)
    t.equal(t.status(identifier), "stopped")
    t.ok("delete", identifier)
    t.refused(t.bundle("true", linux__seccomp=profile))


ALLOWED = ["execve", "brk", "mmap", "munmap", "mprotect", "arch_prctl", "set_tid_address",
           "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom", "newfstatat",
           "fstat", "write", "writev", "exit_group", "exit", "futex", "close", "close_range", "read",
           "openat", "prctl", "capset", "fstatfs", "getdents64", "fcntl", "lseek", "epoll_ctl", "nanosleep", "rt_sigaction", "rt_sigprocmask", "ioctl", "faccessat2"]


@test
def unknown_names(t):
    """names of calls that this machine does not know are passed over"""
    t.equal(t.sh("echo fine", linux__seccomp=profile(
        {"names": ["no_such_call", "sync"], "action": ERRNO})), "fine\n")


@test
def filter_is_on(t):
    """the program and exec run with a filter"""
    identifier = t.up("sleep", "1000", linux__seccomp=profile({"names": ["sync"], "action": ERRNO}))
    script = "awk '/^Seccomp:/{print $2}' /proc/1/status /proc/self/status"
    t.equal(t.ok("exec", identifier, "sh", "-c", script).out.split(), ["2", "2"])


@test
def no_profile(t):
    """without a profile there is no filter"""
    with open("/proc/self/status") as file:
        own = [line.split()[1] for line in file if line.startswith("Seccomp:")]
    t.equal(t.sh("awk '/^Seccomp:/{print $2}' /proc/self/status").split(), own)


@cases([(n, n) for n in ("SCMP_ACT_BOGUS", "ALLOW", "")])
def unknown_action(t, action):
    """an unknown action is refused"""
    t.refused(t.bundle(linux__seccomp=profile({"names": ["sync"], "action": action})))


@test
def unknown_default(t):
    """an unknown default action is refused"""
    t.refused(t.bundle(linux__seccomp=profile(default="SCMP_ACT_NONE")))


@test
def unknown_architecture(t):
    """an unknown architecture is refused"""
    t.refused(t.bundle(linux__seccomp={**profile(), "architectures": ["SCMP_ARCH_BOGUS"]}))


@test
def unknown_operator(t):
    """an unknown comparison is refused"""
    t.refused(t.bundle(linux__seccomp=profile({"names": ["sync"], "action": ERRNO, "args": [
        {"index": 0, "value": 1, "op": "SCMP_CMP_BOGUS"}]})))


@test
def argument_out_of_range(t):
    """an argument index over 5 is refused"""
    t.refused(t.bundle(linux__seccomp=profile({"names": ["sync"], "action": ERRNO, "args": [
        {"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]})))


@test
def errno_with_other_action(t):
    """errnoRet with an action that returns none is refused"""
    t.refused(t.bundle(linux__seccomp=profile({"names": ["sync"], "action": KILL, "errnoRet": 5})))


@test
def flag_unknown(t):
    """an unknown flag is refused"""
    t.refused(t.bundle(linux__seccomp=profile(flags=["SECCOMP_FILTER_FLAG_BOGUS"])))


@test
def flags(t):
    """known flags are accepted"""
    t.equal(t.sh("echo ok", linux__seccomp=profile(flags=["SECCOMP_FILTER_FLAG_LOG",
                                                          "SECCOMP_FILTER_FLAG_SPEC_ALLOW"])), "ok\n")


@test(needs="root")
def without_no_new_privileges(t):
    """a filter without noNewPrivileges"""
    t.equal(t.sh("sync; echo $?", process__noNewPrivileges=False,
                 linux__seccomp=profile({"names": ["nosuch", "sync"], "action": ERRNO}))[-2:], "0\n")


@test(needs="root")
def listener(t):
    """listenerPath gets the state and the notify handle"""
    path = f"{t.directory}/listener"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()
    bundle = t.bundle("sleep", "1000", linux__seccomp=profile(
        {"names": ["sync"], "action": "SCMP_ACT_NOTIFY"}, listenerPath=path, listenerMetadata="meta"))
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("create", "-b", bundle.path, identifier)
    server.settimeout(10)
    connection, _ = server.accept()
    data, fds, _, _ = socket.recv_fds(connection, 65536, 8)
    state = json.loads(data)
    t.equal(state["metadata"], "meta")
    t.equal(state["state"]["id"], identifier)
    t.equal(len(state["fds"]), len(fds))
    t.true("seccompFd" in state["fds"], state)
    t.contains(os.readlink(f"/proc/self/fd/{fds[0]}"), "seccomp")
    t.equal(process.wait(10), 0)


@test
def metadata_without_listener(t):
    """listenerMetadata without listenerPath is refused"""
    t.refused(t.bundle(linux__seccomp=profile(listenerMetadata="x")))


@test(needs="probe")
def other_architecture(t):
    """a profile without the machine's other architectures kills or refuses them, not the native one"""
    t.equal(t.sh("echo fine", linux__seccomp={
        "defaultAction": ALLOW, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": []}), "fine\n")


@test
def no_architectures(t):
    """a profile without architectures means the native one"""
    t.equal(t.sh("sync; echo fine", linux__seccomp={
        "defaultAction": ALLOW, "syscalls": [{"names": ["sync"], "action": ERRNO}]}), "fine\n")


@test(needs="root")
def listener_gets_one_state(t):
    """the connection carries one state, with its handle in the first message, and is closed"""
    path = f"{t.directory}/listener"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()
    server.settimeout(10)
    bundle = t.bundle("sleep", "1000", annotations={"a": "b"}, linux__seccomp=profile(
        {"names": ["sync"], "action": "SCMP_ACT_NOTIFY"}, listenerPath=path))
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("create", "-b", bundle.path, identifier)
    connection, _ = server.accept()
    connection.settimeout(10)
    data, fds, _, _ = socket.recv_fds(connection, 65536, 8)
    t.equal(len(fds), 1)
    while more := connection.recv(65536):
        data += more
    t.equal(process.wait(10), 0)
    state = json.loads(data)
    t.equal(state["fds"], ["seccompFd"])
    t.equal(state["pid"], t.pid(identifier))
    t.equal(state["ociVersion"], state["state"]["ociVersion"])
    t.equal(state["state"]["annotations"], {"a": "b"})
    t.contains(state["state"]["status"], ["creating", "created"])


@test(needs="root")
def listener_is_not_there(t):
    """a listenerPath that nobody listens on is an error"""
    t.refused(t.bundle(linux__seccomp=profile({"names": ["sync"], "action": "SCMP_ACT_NOTIFY"},
                                              listenerPath=f"{t.directory}/nobody")), verb="create")


@test
def listener_without_notify(t):
    """listenerPath means nothing without a rule that notifies"""
    t.equal(t.sh("echo fine", linux__seccomp=profile(
        {"names": ["sync"], "action": ERRNO}, listenerPath=f"{t.directory}/nobody")), "fine\n")

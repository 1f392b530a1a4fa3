"""Configurations as engines write them, adapted to this machine, and the calls that engines make."""
import copy
import json
import os

from bundles import CAPABILITIES
from harness import Settings, test

# Names that an engine's profile allows; three architectures and argument rules stand behind them.
CALLS = """accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown
chown32 clock_adjtime clock_getres clock_gettime clock_nanosleep close close_range connect
copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate
fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fcntl64 fdatasync fgetxattr
flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate
futex futex_requeue futex_wait futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64
getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority
getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt
get_thread_area gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents ioprio_get ioprio_set io_setup
io_submit ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr
link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise membarrier
memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2
mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget
msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat
openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pwrite64 pwritev pwritev2 read
readahead readlink readlinkat readv recv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename
renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity
sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
seccomp select semctl semget semop semtimedop send sendfile sendmmsg sendmsg sendto setfsgid setfsuid
setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit
set_robust_list setsid setsockopt set_thread_area set_tid_address setuid setxattr shmat shmctl shmdt
shmget shutdown sigaltstack signalfd signalfd4 socket socketpair splice stat stat64 statfs statfs64
statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times
tkill truncate ugetrlimit umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4
waitid waitpid write writev arch_prctl modify_ldt""".split()

PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "syscalls": [
        {"names": CALLS, "action": "SCMP_ACT_ALLOW"},
        *[{"names": ["personality"], "action": "SCMP_ACT_ALLOW",
           "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]}
          for value in (0, 8, 131072, 131080, 4294967295)],
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]},
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
    ],
}
DOCKER_CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
                       "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
                       "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"]


def docker(t, *args):
    """What docker writes: its profile, capabilities, masked paths, three bound files of /etc."""
    bundle = t.bundle(*args, linux__seccomp=copy.deepcopy(PROFILE))
    bundle.config["process"]["capabilities"] = {
        kind: DOCKER_CAPABILITIES for kind in ("bounding", "effective", "permitted")}
    bundle.config["process"]["noNewPrivileges"] = False
    bundle.config["process"]["oomScoreAdj"] = 0
    bundle.config["linux"]["maskedPaths"] = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"]
    bundle.config["linux"]["sysctl"] = {"net.ipv4.ip_unprivileged_port_start": "0",
                                        "net.ipv4.ping_group_range": "0 2147483647"}
    bundle.config["linux"]["resources"] = {"devices": [
        {"allow": False, "access": "rwm"},
        *[{"allow": True, "type": "c", "major": 1, "minor": n, "access": "rwm"} for n in (5, 3, 9, 8)],
        {"allow": True, "type": "c", "major": 5, "minor": 0, "access": "rwm"},
        {"allow": True, "type": "c", "major": 5, "minor": 1, "access": "rwm"}]}
    for name in ("resolv.conf", "hostname", "hosts"):
        bundle.bind(t.file(f"etc/{name}", f"{name}\n"), f"/etc/{name}", "rbind", "rprivate")
    return bundle


@test(needs="root")
def docker_run(t):
    """a docker-like container runs"""
    t.equal(t.run(docker(t, "cat", "/etc/hostname")).out, "hostname\n")


@test(needs=("root", "probe"))
def docker_profile(t):
    """the profile allows what it lists, refuses the rest, and gives ENOSYS to what is newer"""
    bundle = docker(t, "sh", "-c", "probe syscall 999; probe syscall 435 0 0; probe syscall 175 0 0 0; "
                    "probe syscall 135 0xffffffff; probe syscall 135 0x4; probe syscall 165 0 0 0 0 0")
    t.equal(t.run(bundle).out.splitlines(), [
        "syscall: ENOSYS", "syscall: ENOSYS", "syscall: EPERM", "syscall: 0", "syscall: EPERM", "syscall: EPERM"])


@test(needs="root")
def shim_calls(t):
    """the calls of containerd's shim: log, create, start, exec, kill, delete"""
    bundle = docker(t, "sleep", "1000")
    identifier = t.own("4f9944d6ffff0e12e8de908ee1e3a515a50eea8ba5ffe1368270f68098c18d2c", bundle)
    t.global_flags = ["--log", f"{bundle.path}/log.json", "--log-format", "json"]
    t.ok("create", "--bundle", bundle.path, "--pid-file", f"{bundle.path}/init.pid", identifier)
    t.ok("start", identifier)
    process = t.file("process.json", json.dumps({
        "user": {"uid": 0, "gid": 0}, "args": ["sh", "-c", "exit 6"], "env": ["PATH=/bin"], "cwd": "/",
        "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")}}))
    t.ok("exec", "--process", process, "--detach", "--pid-file", f"{t.directory}/exec.pid", identifier)
    t.equal(t.wait(int(t.read(f"{t.directory}/exec.pid"))), 6)
    pid = int(t.read(f"{bundle.path}/init.pid"))
    t.true(pid in json.loads(t.ok("ps", "--format", "json", identifier).out), "ps")
    t.ok("kill", identifier, "9")
    t.equal(t.wait(pid), -9)
    t.ok("kill", "--all", identifier, "9")
    t.ok("delete", identifier)
    t.ok("delete", "--force", identifier)
    t.equal(t.read(f"{bundle.path}/log.json") if os.path.exists(f"{bundle.path}/log.json") else "", "")


@test(needs="root")
def podman_like(t):
    """a podman-like container: twenty mounts, hooks, user, read-only root, rlimits"""
    bundle = docker(t, "sh", "-c", "id -u; touch /x 2>/dev/null || echo ro; cat /run/secrets/s; ls /v")
    bundle.config["root"]["readonly"] = True
    bundle.config["process"]["user"] = {"uid": 1001, "gid": 1002, "umask": 18, "additionalGids": [1002]}
    bundle.config["process"]["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024}, {"type": "RLIMIT_NPROC", "soft": 4096, "hard": 4096}]
    bundle.mount("/run", "tmpfs", "tmpfs", "rw", "nosuid", "nodev", "mode=755", "size=65536k", "rprivate")
    bundle.mount("/tmp", "tmpfs", "tmpfs", "rw", "rprivate", "nosuid", "nodev", "tmpcopyup")
    bundle.mount("/var/tmp", "tmpfs", "tmpfs", "rw", "rprivate", "nosuid", "nodev", "tmpcopyup")
    bundle.bind(t.file("s", "secret\n"), "/run/secrets/s", "bind", "rprivate")
    for number in range(10):
        t.file(f"v{number}/f{number}", "x")
        bundle.bind(f"{t.directory}/v{number}", f"/v/{number}", "rbind", "rprivate", "nosuid", "nodev", "ro")
    bundle.hook("prestart", "cat >/dev/null").hook("createRuntime", "cat >/dev/null")
    bundle.hook("poststop", "cat >/dev/null")
    bundle.config["annotations"] = {"io.podman.annotations.init": "FALSE"}
    out = t.run(bundle).out.split()
    t.equal(out, ["1001", "ro", "secret", *map(str, range(10))])


@test(needs="root")
def privileged(t):
    """a privileged container: every capability, no profile, /sys writable, all devices"""
    bundle = t.bundle("sh", "-c", "mount -t tmpfs tmpfs /home && echo mounted; "
                      "awk '/CapBnd/{print $2}' /proc/self/status")
    with open("/proc/self/status") as file:
        own = int([line.split()[1] for line in file if line.startswith("CapBnd")][0], 16)
    names = {c: n for n, c in enumerate(json.loads(t.ok("features").out)["linux"]["capabilities"])}
    allowed = [c for c, n in names.items() if own >> n & 1]
    bundle.config["process"]["capabilities"] = {k: allowed for k in ("bounding", "effective", "permitted")}
    bundle.config["process"]["noNewPrivileges"] = False
    bundle.config["linux"].update(maskedPaths=[], readonlyPaths=[])
    bundle.config["linux"]["resources"] = {"devices": [{"allow": True, "access": "rwm"}]}
    t.contains(t.run(bundle).out, "mounted\n")


@test
def polling(t):
    """an engine that asks for the state again and again gets one of the known words"""
    identifier = t.create(t.bundle("true"))
    seen = set()
    for n in range(30):
        seen.add(t.status(identifier))
        if n == 15:
            t.ok("start", identifier)
    t.true(seen <= {"creating", "created", "running", "stopped"}, seen)


@test(needs="root")
def foreground_run_of_buildkit(t):
    """run in the foreground, exec attached, kill, delete"""
    bundle = docker(t, "sleep", "1000")
    identifier = t.own("buildkit1", bundle)
    process = t.spawn("run", "--bundle", bundle.path, identifier)
    t.eventually(lambda: '"running"' in t.rt("state", identifier).out, "running")
    t.equal(t.ok("exec", identifier, "echo", "x").out, "x\n")
    t.ok("kill", identifier, "SIGKILL")
    t.equal(process.wait(10 * Settings.patience), 137)
    t.equal(t.rt("delete", "--force", identifier).code, 0)


@test(needs="root")
def builds(t):
    """the calls of a builder: create, start, state until it stopped, delete"""
    bundle = docker(t, "sh", "-c", "exit 3")
    identifier = t.own(f"buildah-{os.path.basename(t.directory)}", bundle)
    t.ok("create", "--bundle", bundle.path, "--pid-file", f"{bundle.path}/pid", identifier)
    t.ok("start", identifier)
    t.equal(t.wait(int(t.read(f"{bundle.path}/pid"))), 3)
    t.equal(t.status(identifier), "stopped")
    t.ok("delete", identifier)

"""The container's process: user, environment, capabilities, limits, what it inherits."""
import os

from harness import cases, test


def caps(text):
    """The Cap* lines of /proc/self/status as numbers."""
    return {line[3:6]: int(line.split()[1], 16) for line in text.splitlines()
            if line.startswith("Cap")}


def bits(*numbers):
    return sum(1 << n for n in numbers)


CHOWN, KILL, SETPCAP, BIND, AUDIT = 0, 5, 8, 10, 29


@test
def arguments_exact(t):
    """args are passed untouched"""
    odd = ["", "a b", "$HOME", "ä\n", "'\"", "x" * 5000]
    bundle = t.bundle("sh", "-c", "for a; do printf '<%s>' \"$a\"; done", "sh", *odd)
    t.equal(t.run(bundle).out, "".join(f"<{a}>" for a in odd))


@test
def environment_exact(t):
    """the program gets the given environment (and HOME), nothing of the caller's"""
    bundle = t.bundle("/bin/env")
    bundle.config["process"]["env"] = ["A=1", "B=two words", "C=", "PATH=/bin"]
    lines = sorted(t.run(bundle, env={**os.environ, "SECRET": "x"}).out.splitlines())
    t.equal([x for x in lines if not x.startswith("HOME=")],
            ["A=1", "B=two words", "C=", "PATH=/bin"])


@test
def home_from_passwd(t):
    """HOME is set from the container's passwd when the config has none"""
    t.equal(t.sh("echo $HOME"), "/root\n")


@test(needs="root")
def home_of_user(t):
    """HOME of another user"""
    t.equal(t.sh("echo $HOME", process__user={"uid": 1001, "gid": 1002}), "/home/someone\n")


@test(needs="root")
def home_of_unknown(t):
    """HOME of a user without an entry is /"""
    t.equal(t.sh("echo $HOME", process__user={"uid": 4711, "gid": 1}), "/\n")


@test
def home_given(t):
    """a HOME in the config wins"""
    bundle = t.bundle("sh", "-c", "echo $HOME")
    bundle.config["process"]["env"].append("HOME=/tmp")
    t.equal(t.run(bundle).out, "/tmp\n")


@test
def path_search(t):
    """args[0] is found in the container's PATH"""
    bundle = t.bundle("prog")
    os.makedirs(f"{bundle.rootfs}/opt/x")
    t.file(f"{os.path.relpath(bundle.rootfs, t.directory)}/opt/x/prog",
           "#!/bin/sh\necho found $0\n", 0o755)
    bundle.config["process"]["env"] = ["PATH=/nope:/opt/x:/bin"]
    t.equal(t.run(bundle).out, "found /opt/x/prog\n")


@test
def relative_program(t):
    """args[0] with a slash is relative to cwd"""
    bundle = t.bundle("./prog", **{"process.cwd": "/home"})
    t.file(f"{os.path.relpath(bundle.rootfs, t.directory)}/home/prog", "#!/bin/sh\npwd\n", 0o755)
    t.equal(t.run(bundle).out, "/home\n")


@test
def cwd(t):
    """cwd is where the program starts"""
    t.equal(t.sh("pwd", **{"process.cwd": "/home"}), "/home\n")


@test
def cwd_is_made(t):
    """a missing cwd is made"""
    t.equal(t.sh("pwd; stat -c %a .", **{"process.cwd": "/a/b/c"}), "/a/b/c\n755\n")


@cases([("root", {"uid": 0, "gid": 0}, "0 0"), ("user", {"uid": 5, "gid": 6}, "5 6"),
        ("large", {"uid": 2000000000, "gid": 2147483647}, "2000000000 2147483647")], needs="root")
def user(t, value, expected):
    """uid and gid"""
    t.equal(t.sh("awk '/^[UG]id/{print $2, $3, $4, $5}' /proc/self/status",
                 process__user=value).split(), [n for n in expected.split() for _ in range(4)])


@cases([("none", []), ("one", [7]), ("three", [7, 8, 2147483647]), ("gid", [6])], needs="root")
def groups(t, extra):
    """supplementary groups are exactly additionalGids"""
    out = t.sh("grep ^Groups /proc/self/status",
               process__user={"uid": 5, "gid": 6, "additionalGids": extra})
    t.equal(sorted(map(int, out.split()[1:])), sorted(extra))


@cases([("022", 0o22, "0022"), ("077", 0o77, "0077"), ("0", 0, "0000")])
def umask(t, value, expected):
    """umask"""
    bundle = t.bundle("sh", "-c", "umask")
    bundle.config["process"]["user"]["umask"] = value
    t.equal(t.run(bundle).out.strip()[-4:], expected)


@test(needs="root")
def capabilities_exact(t):
    """the five sets are as asked"""
    sets = {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE"],
            "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
            "effective": ["CAP_CHOWN", "CAP_KILL"],
            "inheritable": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
            "ambient": ["CAP_NET_BIND_SERVICE"]}
    # A user without privileges keeps what is ambient.
    out = t.sh("cat /proc/self/status", process__capabilities=sets,
               process__user={"uid": 1001, "gid": 1})
    found = caps(out)
    t.equal(found["Bnd"], bits(CHOWN, KILL, SETPCAP, BIND), "bounding")
    t.equal(found["Inh"], bits(KILL, BIND), "inheritable")
    t.equal(found["Amb"], bits(BIND), "ambient")
    t.equal(found["Eff"], bits(BIND), "effective")


@test(needs="root")
def capabilities_of_root(t):
    """root gets the permitted set, nothing inheritable, nothing ambient"""
    found = caps(t.sh("cat /proc/self/status"))
    asked = bits(KILL, BIND, AUDIT)
    t.equal((found["Bnd"], found["Prm"], found["Eff"], found["Inh"], found["Amb"]),
            (asked, asked, asked, 0, 0))


@test(needs="root")
def no_capabilities(t):
    """an absent or empty capabilities object gives none"""
    for value in (None, {}):
        found = caps(t.sh("cat /proc/self/status", process__capabilities=value))
        t.equal((found["Eff"], found["Prm"], found["Inh"], found["Amb"]), (0, 0, 0, 0))


@test(needs="root")
def unprivileged_user_has_none(t):
    """an ordinary user has no effective capabilities"""
    found = caps(t.sh("cat /proc/self/status", process__user={"uid": 1001, "gid": 1}))
    t.equal((found["Eff"], found["Inh"], found["Amb"]), (0, 0, 0))


@test
def unknown_capability_runs(t):
    """an unknown capability is warned of and not an error"""
    bundle = t.bundle("true")
    bundle.config["process"]["capabilities"]["bounding"] = ["CAP_KILL", "CAP_BOGUS"]
    t.equal(t.run(bundle).code, 0)


@cases([("on", True, "1"), ("off", False, "0")], needs="root")
def no_new_privileges(t, value, expected):
    """noNewPrivileges"""
    t.equal(t.sh("awk '/NoNewPrivs/{print $2}' /proc/self/status",
                 process__noNewPrivileges=value).strip(), expected)


@test(needs="root")
def no_new_privileges_default(t):
    """noNewPrivileges is off when absent"""
    t.equal(t.sh("awk '/NoNewPrivs/{print $2}' /proc/self/status",
                 process__noNewPrivileges=None).strip(), "0")


@test
def rlimits(t):
    """rlimits, soft and hard"""
    out = t.sh("cat /proc/self/limits", process__rlimits=[
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_CPU", "soft": 60, "hard": 70},
        {"type": "RLIMIT_STACK", "soft": 4194304, "hard": 8388608}])
    rows = {line[:25].strip(): line[25:].split()[:2] for line in out.splitlines()}
    t.equal(rows["Max open files"], ["100", "200"])
    t.equal(rows["Max core file size"], ["0", "0"])
    t.equal(rows["Max cpu time"], ["60", "70"])
    t.equal(rows["Max stack size"], ["4194304", "8388608"])


@test
def rlimit_infinity(t):
    """2^64-1 is unlimited"""
    out = t.sh("cat /proc/self/limits", process__rlimits=[
        {"type": "RLIMIT_FSIZE", "soft": 2**64 - 1, "hard": 2**64 - 1}])
    t.contains(out, "Max file size             unlimited            unlimited")


@test
def oom_score(t):
    """oomScoreAdj is set"""
    t.equal(t.sh("cat /proc/self/oom_score_adj", process__oomScoreAdj=555), "555\n")


@test
def oom_score_unset(t):
    """without oomScoreAdj the value stays"""
    with open("/proc/self/oom_score_adj") as file:
        t.equal(t.sh("cat /proc/self/oom_score_adj"), file.read())


@test(needs=("probe", "root"))
def scheduler(t):
    """scheduler: policy and nice"""
    bundle = t.bundle("probe", "scheduler", process__scheduler={"policy": "SCHED_BATCH", "nice": 5})
    t.contains(t.run(bundle).out, "policy 3 nice 5")


@test(needs="probe")
def scheduler_idle(t):
    """scheduler: idle"""
    bundle = t.bundle("probe", "scheduler", process__scheduler={"policy": "SCHED_IDLE"})
    t.contains(t.run(bundle).out, "policy 5")


@test(needs=("root", "limits"))
def scheduler_deadline_in_a_cpuset(t):
    """scheduler: deadline, where some processors are left out: refused, and the refusal says why"""
    if os.cpu_count() < 2:
        t.skip("one processor")
    policy = {"policy": "SCHED_DEADLINE", "runtime": 42000, "deadline": 1000000, "period": 1000000}
    t.refused(t.bundle(process__scheduler=policy, linux__resources={"cpu": {"cpus": "0"}}),
              text="process scheduler can't be used together with AllowedCPUs")


@test(needs="probe")
def io_priority(t):
    """ioPriority"""
    bundle = t.bundle("probe", "ioprio", process__ioPriority={
        "class": "IOPRIO_CLASS_BE", "priority": 6})
    t.equal(t.run(bundle).out, f"ioprio: {2 << 13 | 6}\n")


@test(needs="probe")
def personality(t):
    """personality LINUX32"""
    bundle = t.bundle("probe", "personality", linux__personality={"domain": "LINUX32"})
    t.equal(t.run(bundle).out, "0x8\n")


@test(needs="probe")
def keyring(t):
    """a session keyring of its own, named after the container"""
    bundle = t.bundle("probe", "keyring")
    out = t.run(bundle).out
    t.contains(out, f"_ses.{t.ids[-1]}")


@test(needs="probe")
def no_new_keyring(t):
    """--no-new-keyring keeps the caller's session keyring"""
    t.lacks(t.run(t.bundle("probe", "keyring"), "--no-new-keyring").out, "_ses.t")


@test(needs="probe")
def signals_clean(t):
    """no signal is blocked or ignored in the program"""
    out = t.run(t.bundle("probe", "signals")).out
    t.equal(out.splitlines()[0].strip(), "blocked:")
    t.true(set(out.splitlines()[1].split()[1:]) <= {"13"}, out)


@test(needs="probe")
def own_session(t):
    """init leads its own session"""
    t.contains(t.run(t.bundle("probe", "session")).out, "pid 1 sid 1 pgrp 1")


@test(needs="probe")
def only_three_handles(t):
    """the program has handles 0 to 2"""
    out = t.run(t.bundle("probe", "fds")).out
    t.equal([line.split()[0] for line in out.splitlines()], ["0", "1", "2"])


@test(needs="probe")
def inherited_handles_are_closed(t):
    """forty handles of the caller do not reach the program"""
    held = [os.open("/", os.O_RDONLY) for _ in range(40)]
    for fd in held:
        os.set_inheritable(fd, True)
    out = t.run(t.bundle("probe", "fds"), pass_fds=held).out
    t.equal([line.split()[0] for line in out.splitlines()], ["0", "1", "2"])


@test(needs="probe")
def preserve_fds(t):
    """--preserve-fds N passes 3 to 2+N and no more"""
    marker = t.file("marker", "x")
    held = [os.open(marker, os.O_RDONLY) for _ in range(3)]
    wrap = ["sh", "-c", f"exec \"$@\" 3<&{held[0]} 4<&{held[1]} 5<&{held[2]}", "sh"]
    out = t.run(t.bundle("probe", "fds"), "--preserve-fds", "2", pass_fds=held, wrap=wrap).out
    numbers = [line.split()[0] for line in out.splitlines()]
    t.equal(numbers, ["0", "1", "2", "3", "4"])


@test(needs="probe")
def listen_fds(t):
    """LISTEN_FDS passes sockets and tells LISTEN_PID 1"""
    marker = t.file("marker", "x")
    held = os.open(marker, os.O_RDONLY)
    wrap = ["sh", "-c", f"exec \"$@\" 3<&{held}", "sh"]
    bundle = t.bundle("sh", "-c", "env | grep ^LISTEN_ | sort; probe fds")
    out = t.run(bundle, pass_fds=[held], wrap=wrap, env={**os.environ, "LISTEN_FDS": "1"}).out
    t.contains(out, "LISTEN_FDS=1\nLISTEN_PID=1\n")
    t.contains(out, "\n3 ")


@test
def hostname(t):
    """hostname"""
    t.equal(t.sh("hostname", hostname="some-name"), "some-name\n")


@test
def domainname(t):
    """domainname"""
    t.equal(t.sh("cat /proc/sys/kernel/domainname", domainname="a.example"), "a.example\n")


@test
def no_dev_null_owner_change(t):
    """the host's /dev/null keeps its owner when it is the container's stdio"""
    before = os.stat("/dev/null").st_uid
    bundle = t.bundle("true", process__user={"uid": 0, "gid": 0})
    identifier = t.own(t.new_id(), bundle)
    process = t.spawn("run", "-b", bundle.path, identifier)
    process.wait(20)
    t.equal(os.stat("/dev/null").st_uid, before)


@test(needs="root")
def stdio_belongs_to_the_user(t):
    """the user may reopen its stdio"""
    t.equal(t.sh("echo again >/dev/stdout", process__user={"uid": 1001, "gid": 1}), "again\n")


@test
def closed_stdio(t):
    """closed handles 0 to 2 neither break create nor hang"""
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    result = t.rt("run", "-b", bundle.path, identifier,
                  wrap=["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"])
    t.equal(result.code, 0)


@test
def script_without_shebang(t):
    """a text file that is no program is refused, not run by a shell"""
    bundle = t.bundle("/prog")
    t.file(f"{os.path.relpath(bundle.rootfs, t.directory)}/prog", "echo hello\n", 0o755)
    t.true(t.run(bundle).code != 0, "ran")


@test
def zombie_children_of_init(t):
    """a child of init is reparented to init, not to the host"""
    t.equal(t.sh("(sleep 0.1 & ) ; sleep 0.2; ls -d /proc/[0-9]* | wc -l") != "", True)

"""shell DIR: a container of a directory in one command."""
import os

from harness import cases, test


def directory(t):
    return t.bundle().rootfs


def shell(t, *arguments, **options):
    return t.rt("shell", *arguments, **options)


@test(needs="shell")
def command(t):
    """a command in a directory; its output and exit code"""
    result = shell(t, directory(t), "sh", "-c", "echo in; exit 5")
    t.equal((result.code, result.out), (5, "in\n"), str(result))


@test(needs="shell")
def isolated(t):
    """own pid namespace, own hostname, root inside"""
    out = shell(t, "--hostname", "boxy", directory(t), "sh", "-c", "hostname; echo $$; id -u").out
    t.equal(out.split(), ["boxy", "1", "0"])


@cases([("workdir", ["--workdir", "/home"], "pwd", "/home"), ("env", ["-e", "A=b"], "echo $A", "b"),
        ("tmpfs", ["--tmpfs", "/mnt"], "grep -c ' /mnt tmpfs' /proc/mounts", "1"),
        ("net-none", ["--net", "none"], "tail -n +3 /proc/net/dev | cut -d: -f1", "lo")])
def option(t, flags, script, expected):
    """an option of shell"""
    from harness import has_verb
    if not has_verb("shell"):
        t.skip("the runtime has no shell")
    t.equal(shell(t, *flags, directory(t), "sh", "-c", script).out.strip(), expected)


@test(needs="shell")
def bind(t):
    """--bind SRC:DST and SRC:DST:ro"""
    t.file("data/f", "x")
    result = shell(t, "--bind", f"{t.directory}/data:/mnt", directory(t), "cat", "/mnt/f")
    t.equal(result.out, "x", str(result))
    result = shell(t, "--bind", f"{t.directory}/data:/mnt:ro", directory(t), "touch", "/mnt/g")
    t.true(result.code != 0 and not os.path.exists(f"{t.directory}/data/g"), "written")


@test(needs="shell")
def read_only(t):
    """--read-only"""
    place = directory(t)
    t.true(shell(t, "--read-only", place, "touch", "/x").code != 0, "written")
    t.true(not os.path.exists(f"{place}/x"), "written")


@test(needs="shell")
def ephemeral(t):
    """--ephemeral throws changes away"""
    place = directory(t)
    result = shell(t, "--ephemeral", place, "sh", "-c", "echo x >/x && cat /x")
    t.equal((result.code, result.out), (0, "x\n"), str(result))
    t.true(not os.path.exists(f"{place}/x"), "kept")


@test(needs="shell")
def not_a_root(t):
    """a directory without a system is refused with a reason"""
    os.mkdir(f"{t.directory}/empty")
    t.fails("shell", f"{t.directory}/empty")
    t.fails("shell", "/no/such/directory", text="/no/such/directory")


@test(needs="shell")
def nothing_left(t):
    """no container stays"""
    shell(t, directory(t), "true")
    t.equal(t.ok("list", "-q").out, "")


@test(needs="shell")
def dry_run(t):
    """--dry-run prints a plan and runs nothing"""
    place = directory(t)
    t.ok("shell", "--dry-run", place, "touch", "/x")
    t.true(not os.path.exists(f"{place}/x"), "ran")


@test(needs=("shell", "limits"))
def limits(t):
    """--memory and --pids"""
    out = shell(t, "--memory", "64M", "--pids", "20", directory(t), "sh", "-c",
                "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max").out
    t.equal(out.split(), ["67108864", "20"])


@test(needs=("shell", "root"))
def seccomp_and_capabilities(t):
    """the default filter and a short list of capabilities"""
    out = shell(t, directory(t), "sh", "-c", "awk '/^Seccomp:/{print $2}/^CapEff/{print $2}' /proc/self/status").out
    found = out.split()
    t.equal(found[1], "2", "seccomp")
    t.true(not int(found[0], 16) >> 21 & 1, "CAP_SYS_ADMIN")

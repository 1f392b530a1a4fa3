"""The release and the ordinary build are one program. Embedded Swift and a linker that folds sections
have once merged tables of different contents (see Package.swift): here both builds print their tables."""
import os
import re
import subprocess

from harness import Settings, cases, test

DEBUG = os.environ.get("APUS_TEST_DEBUG", "")  # an ordinary build of the same sources
VERBS = """create run start exec state kill delete list ps pause resume update events stats checkpoint
restore shell explain spec features""".split()


def output(t, runtime, *arguments):
    result = subprocess.run([runtime, *arguments], cwd=t.directory, capture_output=True, timeout=60)
    # The name of a shell's container has the number of its process.
    return result.returncode, *(re.sub(rb"shell-\d+", b"shell", text) for text in (result.stdout, result.stderr))


def agree(t, *arguments):
    if not os.access(DEBUG, os.X_OK):
        t.skip("no ordinary build to compare with (APUS_TEST_DEBUG)")
    release, debug = (output(t, runtime, *arguments) for runtime in (Settings.runtime, DEBUG))
    t.equal(release, debug, " ".join(arguments))
    t.true(release[1] or release[2], f"{arguments}: nothing was printed")


@test()
def features(t):
    """features: every table of names"""
    agree(t, "features")


@cases([(verb, verb) for verb in VERBS])
def helps(t, verb):
    """help: every table of options"""
    agree(t, verb, "--help")


@test()
def refusals(t):
    """error texts"""
    for arguments in (["nonsense"], ["create"], ["state", "nobody"], ["kill", "nobody", "SIGNOTHING"],
                      ["exec", "--cap", "CAP_NONE", "nobody", "x"], ["run", "--nonsense", "x"]):
        agree(t, "--root", f"{t.directory}/root", *arguments)


@test(needs="explain")
def plans(t):
    """explain of a configuration with everything in it: planner tables, seccomp, device filter"""
    bundle = t.bundle("true", linux__sysctl={"kernel.msgmax": "1", "net.ipv4.ip_forward": "1"},
                      process__rlimits=[{"type": f"RLIMIT_{name}", "hard": 64, "soft": 32}
                                        for name in ("NOFILE", "CORE", "NPROC", "RTPRIO", "MSGQUEUE")],
                      linux__maskedPaths=["/proc/kcore", "/proc/keys"],
                      linux__readonlyPaths=["/proc/bus", "/proc/sys"],
                      linux__seccomp={"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                                      "syscalls": [{"names": ["read", "write", "clone3", "openat2"],
                                                    "action": "SCMP_ACT_ALLOW"}]})
    for number, options in enumerate((["rbind", "rro", "rnosuid"], ["bind", "noatime", "rslave"], ["bind", "ro"])):
        bundle.mount(f"/b{number}", "bind", "/usr", *options)
    bundle.save("x")
    agree(t, "explain", "--bundle", bundle.path)
    agree(t, "explain", "--json", "--bundle", bundle.path)


@test(needs=("explain", "shell"))
def shells(t):
    """explain of shell options: the default profile and capabilities"""
    root = t.bundle("true").rootfs
    agree(t, "explain", "--json", "shell", root, "--memory", "64M", "--cap-add", "NET_ADMIN", "--read-only")

"""AppArmor in force: the profile is the program's, and the kernel acts on it."""
import os
import shutil
import subprocess

from harness import cases, test

PROFILE = """
profile {name} flags=(attach_disconnected,mediate_deleted) {{
  capability, dbus, file, mount, network, pivot_root, ptrace, signal, umount, unix,
  deny /etc/forbidden rw,
}}
"""


def profile(t, suffix=""):
    """A profile that forbids one file, loaded as long as the test runs."""
    enabled = "/sys/module/apparmor/parameters/enabled"
    if not os.path.exists(enabled) or t.read(enabled).strip() != "Y":
        t.skip("AppArmor is not enabled in this kernel")
    if not shutil.which("apparmor_parser"):
        t.skip("no apparmor_parser")
    name = f"apus-test-{os.getpid()}{suffix}"
    text = PROFILE.format(name=name)
    loaded = parser(text, "--replace")
    if loaded.returncode:
        t.skip(f"no profile can be loaded: {loaded.stderr.strip()}")
    t.cleanups.append(lambda: parser(text, "--remove"))
    return name


def parser(text, action):
    return subprocess.run(["apparmor_parser", action, "--skip-cache"], input=text, text=True,
                          capture_output=True, check=False)


def readers(t, *script, **changes):
    """A container with the file that the profile forbids."""
    bundle = t.bundle(*script, **changes)
    with open(f"{bundle.rootfs}/etc/forbidden", "w") as file:
        file.write("seen")
    return bundle


SCRIPT = "cat /proc/self/attr/current; cat /etc/forbidden 2>&1; cat /etc/passwd >/dev/null && echo fine"


@cases([("gaining", False), ("no-new-privileges", True)], needs="root")
def profile_is_in_force(t, confined):
    """process.apparmorProfile holds for the program, also without new privileges"""
    name = profile(t)
    bundle = readers(t, "sh", "-c", SCRIPT, process__apparmorProfile=name,
                     process__noNewPrivileges=confined)
    out = t.run(bundle).out
    t.contains(out, f"{name} (enforce)")
    t.contains(out, "Permission denied")
    t.contains(out, "fine")
    t.lacks(out, "seen")


@test(needs="root")
def profile_of_exec(t):
    """exec has the container's profile, or that of --apparmor"""
    name, other = profile(t), profile(t, "-other")
    identifier = t.create(readers(t, "sleep", "1000", process__apparmorProfile=name))
    t.ok("start", identifier)
    current = ("cat", "/proc/self/attr/current")
    t.equal(t.ok("exec", identifier, *current).out.strip(), f"{name} (enforce)")
    t.equal(t.ok("exec", "--apparmor", other, identifier, *current).out.strip(), f"{other} (enforce)")


@test(needs="root")
def profile_and_user(t):
    """a user without capabilities in a user namespace has the profile as well"""
    name = profile(t)
    bundle = readers(t, "sh", "-c", SCRIPT, process__apparmorProfile=name,
                     process__user={"uid": 1000, "gid": 1000}, process__capabilities={}).user_namespace()
    t.contains(t.run(bundle).out, f"{name} (enforce)")


@test(needs="root")
def unknown_profile(t):
    """a profile that is not loaded fails create, in the words that podman looks for"""
    profile(t)
    t.refused(t.bundle(process__apparmorProfile="apus-test-none"), verb="create",
              text="write `/proc/thread-self/attr/exec`")

"""AppArmor in force; the profile is loaded for the test."""
import shutil
import subprocess

from harness import test

PROFILE = """profile %s flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  pivot_root,
  signal,
  ptrace,
  unix,
  deny /denied w,
}
"""
SCRIPT = "cat /proc/self/attr/current; echo x >/allowed && echo written; echo x >/denied || echo refused"


def profile(t):
    """The name of a loaded profile."""
    if not shutil.which("apparmor_parser"):
        t.skip("no apparmor_parser")
    name = f"apus-test-{t.prefix}"

    def parse(*flags):
        subprocess.run(["apparmor_parser", "--skip-cache", *flags], input=PROFILE % name, text=True,
                       check=True, capture_output=True, timeout=50)
    parse("--replace")
    t.cleanups.append(lambda: parse("--remove"))
    return name


@test(needs=("apparmor", "root"), timeout=120)
def profile_in_force(t):
    """the process has the profile, and what that denies is refused; exec has it, too"""
    name = profile(t)
    expected = [name, "(enforce)", "written", "refused"]
    out = t.run(t.bundle("sh", "-c", SCRIPT, process__apparmorProfile=name)).out
    t.equal(out.split(), expected)
    identifier = t.up(process__apparmorProfile=name)
    t.equal(t.ok("exec", identifier, "sh", "-c", SCRIPT).out.split(), expected)


@test(needs=("apparmor", "root"), timeout=120)
def profile_of_an_exec(t):
    """exec --apparmor"""
    name = profile(t)
    identifier = t.up()
    t.equal(t.ok("exec", "--apparmor", name, identifier, "sh", "-c", SCRIPT).out.split(),
            [name, "(enforce)", "written", "refused"])


@test(needs=("apparmor", "root"), timeout=120)
def unknown_profile(t):
    """a profile that is not loaded fails create, in the words that podman looks for"""
    t.refused(t.bundle(process__apparmorProfile="apus-test-none"), verb="create",
              text="write `/proc/thread-self/attr/exec`")

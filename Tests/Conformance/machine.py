"""systemd as the first process of a container.

The configuration is that of rootfs-examples/systemd, and so is the root file system, unless
$APUS_TEST_SYSTEMD names another; it is not changed."""
import json
import os
import subprocess

from harness import test

RECIPE = f"{os.path.dirname(os.path.abspath(__file__))}/../../rootfs-examples/systemd"


def tree(t):
    """The directory, under an overlay that takes the changes."""
    source = os.environ.get("APUS_TEST_SYSTEMD") or f"{RECIPE}/rootfs"
    if not os.path.exists(f"{source}/lib/systemd/systemd"):
        t.skip("rootfs-examples/systemd is not built")
    base, root = f"{t.directory}/changes", f"{t.directory}/machine"
    for directory in (base, root):
        os.mkdir(directory)

    def mount(*arguments):
        subprocess.run(["mount", *arguments], check=True)
        t.cleanups.append(lambda: subprocess.run(["umount", "-l", arguments[-1]], check=False))
    mount("-t", "tmpfs", "tmpfs", base)
    os.mkdir(f"{base}/upper")
    os.mkdir(f"{base}/work")
    mount("-t", "overlay", "-o", f"lowerdir={source},upperdir={base}/upper,workdir={base}/work",
          "overlay", root)
    # The unit that runs these tests, where the directory is the virtual machine's own.
    unit = f"{root}/etc/systemd/system/multi-user.target.wants/apus-payload.service"
    if os.path.lexists(unit):
        os.unlink(unit)
    open(f"{root}/etc/fstab", "w").close()
    return root


@test(needs=("cgroup", "root"), slow=True, timeout=300)
def boots(t):
    """it reaches multi-user.target, answers, and SIGRTMIN+3 shuts it down"""
    bundle = t.bundle()
    bundle.config = json.loads(t.read(f"{RECIPE}/config.json"))
    bundle.set("root.path", tree(t))
    identifier = t.create(bundle)
    pid = t.pid(identifier)
    t.ok("start", identifier)

    def systemctl(*arguments):
        return t.rt("exec", identifier, "systemctl", *arguments, timeout=60).out.strip()
    t.eventually(lambda: systemctl("is-system-running") in ("running", "degraded"), "booted", 60)
    t.equal(systemctl("is-active", "multi-user.target"), "active")
    t.equal(systemctl("--failed", "--plain", "--no-legend"), "")
    # A service has a cgroup of its own, which systemd made inside of ours.
    t.true(os.path.isdir(f"{bundle.cgroup}/system.slice"), os.listdir(bundle.cgroup))
    t.contains(t.ok("exec", identifier, "cat", "/proc/1/cgroup").out, "0::/init.scope")
    t.ok("kill", identifier, "RTMIN+3")
    t.wait(pid, 30)
    t.eventually(lambda: t.status(identifier) == "stopped", "stops")
    t.ok("delete", identifier)
    t.true(not os.path.isdir(bundle.cgroup), "the cgroup is left")

"""Weights of block devices, by what two readers get of a device with little to give (null_blk)."""
import os
import time

from harness import Settings, test
from limits import limited

NEEDS = ("limits", "probe", "root")


def reader(t, device, weight):
    """A container that reads the device without end; its bundle."""
    number = {"type": "b", "major": os.major(device), "minor": os.minor(device)}
    bundle = limited(t, "probe", "direct", "read", "/dev/slow", "1000000", blockIO={"weight": weight},
                     devices=[{"allow": False, "access": "rwm"},
                              {"allow": True, "access": "r", **number}])
    bundle.set("linux.devices", [{"path": "/dev/slow", "fileMode": 0o600, **number}])
    t.ok("start", t.create(bundle))
    return bundle


def share(t, name):
    """How much more a reader of weight 500 gets than one of 100."""
    if not os.path.exists(f"/dev/{name}"):
        t.skip("no null_blk device (the virtual machine has them)")
    device = os.stat(f"/dev/{name}").st_rdev
    bundles = [reader(t, device, weight) for weight in (100, 500)]

    def reads():
        found = []
        for bundle in bundles:
            lines = [line.split() for line in t.read(f"{bundle.cgroup}/io.stat").splitlines()]
            found += [int(word[5:]) for line in lines for word in line[1:]
                      if line[0] == f"{os.major(device)}:{os.minor(device)}" and word[:5] == "rios="]
        return len(found) == 2 and found
    t.eventually(reads, "both read")
    time.sleep(2)  # until the kernel has learnt what both want
    before = reads()
    time.sleep(6)
    lesser, greater = (after - start for after, start in zip(reads(), before))
    t.true(lesser > 0 and greater > 40, f"{lesser} and {greater} reads")
    return greater / lesser


@test(needs=NEEDS)
def by_bfq(t):
    """the bfq scheduler obeys io.bfq.weight"""
    found = share(t, "nullb0")
    t.true(2.5 < found < 10, f"five times the weight gave {found:.1f} times the reads")


@test(needs=NEEDS)
def by_cost(t):
    """the cost model obeys io.weight, which a weight is where the kernel has no bfq"""
    if os.path.exists(f"{Settings.cgroup_mount}{Settings.cgroup_base}/io.bfq.weight"):
        t.skip("bfq is loaded (the virtual machine runs this before)")
    if os.path.exists("/dev/nullb1"):
        device = os.stat("/dev/nullb1").st_rdev
        number = f"{os.major(device)}:{os.minor(device)}"
        for file, text in (
                ("model", "ctrl=user model=linear rbps=1000000000 rseqiops=200 rrandiops=200 "
                          "wbps=1000000000 wseqiops=200 wrandiops=200"),
                ("qos", "enable=1 ctrl=user rpct=0 rlat=0 wpct=0 wlat=0 min=100 max=100")):
            with open(f"{Settings.cgroup_mount}/io.cost.{file}", "w") as settings:
                settings.write(f"{number} {text}")
    found = share(t, "nullb1")
    t.true(2.5 < found < 10, f"five times the weight gave {found:.1f} times the reads")
    t.equal(t.ok("update", "--dry-run", "--blkio-weight", "500", t.ids[-1]).out, "io.weight = 4950\n")

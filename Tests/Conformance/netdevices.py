"""linux.netDevices: devices of the host's network that the container gets."""
import os
import subprocess

from harness import test


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True).stdout


def device(t, suffix=""):
    """A device to move, with the other end of its cable down; its name."""
    name = f"d{os.getpid()}{suffix}"
    for kind in (["dummy"], ["veth", "peer", "name", f"p{os.getpid()}{suffix}"]):
        if subprocess.run(["ip", "link", "add", name, "type", *kind], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            t.cleanups.append(lambda: ip("link", "del", name, check=False))
            return name
    t.skip("the kernel makes no network device to move")


@test(needs=("root", "ip"))
def moved_and_renamed(t):
    """the device has its new name inside, is up, and has left the host"""
    name = device(t)
    identifier = t.create(t.bundle("sleep", "1000", linux__netDevices={name: {"name": "inner0"}}))
    t.ok("start", identifier)
    t.contains(t.ok("exec", identifier, "ip", "link", "show", "inner0").out, ["<UP", ",UP"])
    t.lacks(ip("link"), f"{name}@")
    t.lacks(ip("link"), f"{name}:")


@test(needs=("root", "ip"))
def name_kept(t):
    """without a name the device keeps its own"""
    name = device(t)
    t.contains(t.run(t.bundle("ip", "link", linux__netDevices={name: {}})).out, name)


@test(needs=("root", "ip"))
def attributes_kept(t):
    """permanent global addresses, the hardware address and the MTU are as before"""
    name = device(t)
    ip("link", "set", name, "address", "02:00:5e:10:20:30", "mtu", "1400")
    ip("address", "add", "192.0.2.7/24", "dev", name)
    ip("address", "add", "192.0.2.8/25", "dev", name)
    ip("-6", "address", "add", "2001:db8::7/64", "dev", name, "nodad")
    ip("address", "add", "169.254.3.3/16", "dev", name, "scope", "link")
    ip("-6", "address", "add", "2001:db8::9/64", "dev", name, "valid_lft", "900", "preferred_lft", "800")
    out = t.run(t.bundle("ip", "address", "show", "e0", linux__netDevices={name: {"name": "e0"}})).out
    for part in ("192.0.2.7/24", "192.0.2.8/25", "2001:db8::7/64", "02:00:5e:10:20:30", "mtu 1400"):
        t.contains(out, part)
    t.lacks(out, "169.254.3.3", "an address of the link")
    t.lacks(out, "2001:db8::9", "an address for a time")


@test(needs=("root", "ip"))
def name_taken(t):
    """a name that the namespace has already is an error, and the device stays outside"""
    name = device(t)
    t.refused(t.bundle(linux__netDevices={name: {"name": "lo"}}), text="netDevices", verb="create")
    t.contains(ip("link"), name)


@test(needs=("root", "ip"))
def template(t):
    """of a name with %d the kernel makes the next free one"""
    devices = {device(t, suffix): {"name": "net%d"} for suffix in "ab"}
    out = t.run(t.bundle("ip", "link", linux__netDevices=devices)).out
    t.contains(out, "net0")
    t.contains(out, "net1")


@test(needs=("root", "ip"))
def without_namespace(t):
    """a device cannot move where there is no network namespace of the container"""
    t.refused(t.bundle(linux__netDevices={device(t): {}}).without_namespace("network"),
              text="netDevices", verb="create")


@test(needs=("root", "ip"))
def not_returned(t):
    """delete leaves the device in a namespace that was joined"""
    name = device(t)
    place = t.file("ns")
    subprocess.run(["unshare", f"--net={place}", "true"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", place], check=False))
    identifier = t.create(t.bundle(linux__netDevices={name: {}}).namespace("network", place))
    t.ok("delete", "--force", identifier)
    inside = subprocess.run(["nsenter", f"--net={place}", "ip", "link"], check=True, capture_output=True,
                            text=True).stdout
    t.contains(inside, name)
    t.lacks(ip("link"), f"{name}@")

"""cgroups with the fs driver: place, limits, update, statistics."""
import json
import os

from harness import Settings, cases, controllers, test


def value(t, bundle, name):
    try:
        return t.read(f"{bundle.cgroup}/{name}").strip()
    except OSError as error:
        t.fail(f"{name}: {error}")


def limited(t, resources):
    bundle = t.bundle("sleep", "1000")
    bundle.config["linux"].setdefault("resources", {}).update(resources)
    identifier = t.create(bundle)
    return bundle, identifier


@test(needs="cgroup")
def place(t):
    """an absolute cgroupsPath counts from the mount, and the process is in it"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.create(bundle)
    t.equal(t.read(f"/proc/{t.pid(identifier)}/cgroup").strip().splitlines()[-1],
            f"0::{bundle.cgroup[len(Settings.cgroup_mount):]}")


@test(needs="cgroup")
def removed(t):
    """delete removes the cgroup and what the container made in it"""
    bundle = t.bundle("sleep", "1000")
    identifier = t.create(bundle)
    os.makedirs(f"{bundle.cgroup}/one/two")
    t.ok("delete", "--force", identifier)
    t.true(not os.path.isdir(bundle.cgroup), "cgroup left")


@test(needs="cgroup")
def processes_in_subcgroups_die(t):
    """delete --force reaches processes that moved to a cgroup below"""
    bundle = t.bundle("sh", "-c", "sleep 4321 & sleep 4321; true").without_namespace("pid")
    identifier = t.create(bundle)
    t.ok("start", identifier)
    pids = t.eventually(lambda: (p := json.loads(t.ok("ps", "-f", "json", identifier).out)) and len(p) > 2 and p,
                        "three processes")
    os.mkdir(f"{bundle.cgroup}/sub")
    mover = next(p for p in pids if p != t.pid(identifier))
    with open(f"{bundle.cgroup}/sub/cgroup.procs", "w") as file:
        file.write(str(mover))
    t.ok("delete", "--force", identifier)
    t.eventually(lambda: not t.descendants(), "all end")


@test(needs="cgroup")
def occupied(t):
    """a cgroup with processes of others is refused"""
    first = t.bundle("sleep", "1000")
    t.create(first)
    second = t.bundle("sleep", "1000", linux__cgroupsPath=first.config["linux"]["cgroupsPath"])
    second.save("second")
    t.fails("create", "-b", second.path, "second", text=["not empty", "cgroup"])
    t.eventually(lambda: value(t, first, "cgroup.procs"), "the first container lives")


@test(needs="cgroup")
def created_while_frozen(t):
    """a frozen cgroup is refused, not waited for"""
    bundle = t.bundle("true")
    bundle.save("x")
    os.makedirs(bundle.cgroup)
    with open(f"{bundle.cgroup}/cgroup.freeze", "w") as file:
        file.write("1")
    t.fails("create", "-b", bundle.path, "x", text=["frozen", "cgroup"])
    if os.path.isdir(bundle.cgroup):
        os.rmdir(bundle.cgroup)


@cases([("memory", {"memory": {"limit": 67108864}}, "memory.max", "67108864"),
        ("reservation", {"memory": {"reservation": 33554432}}, "memory.low", "33554432"),
        ("unlimited", {"memory": {"limit": -1}}, "memory.max", "max"),
        ("pids", {"pids": {"limit": 33}}, "pids.max", "33"),
        ("pids-max", {"pids": {"limit": -1}}, "pids.max", "max"),
        ("pids-none", {"pids": {"limit": 0}}, "pids.max", "0"),
        ("quota", {"cpu": {"quota": 50000, "period": 100000}}, "cpu.max", "50000 100000"),
        ("period", {"cpu": {"period": 50000}}, "cpu.max", "max 50000"),
        ("shares", {"cpu": {"shares": 1024}}, "cpu.weight", ("39", "100")),
        ("shares-min", {"cpu": {"shares": 2}}, "cpu.weight", "1"),
        ("shares-max", {"cpu": {"shares": 262144}}, "cpu.weight", "10000"),
        ("idle", {"cpu": {"idle": 1}}, "cpu.idle", "1"),
        ("burst", {"cpu": {"quota": 50000, "period": 100000, "burst": 10000}}, "cpu.max.burst", "10000"),
        ("cpus", {"cpu": {"cpus": "0"}}, "cpuset.cpus", "0"),
        ("mems", {"cpu": {"mems": "0"}}, "cpuset.mems", "0"),
        ("swap", {"memory": {"limit": 67108864, "swap": 100663296}}, "memory.swap.max", "33554432"),
        ("swap-unlimited", {"memory": {"limit": 67108864, "swap": -1}}, "memory.swap.max", "max"),
        ("unified", {"unified": {"memory.high": "50331648"}}, "memory.high", "50331648"),
        ("weight", {"blockIO": {"weight": 500}}, "io.weight", ("default 4950", "default 500"))],
       needs="limits")
def limit(t, resources, name, expected):
    """a limit of linux.resources"""
    bundle, _ = limited(t, resources)
    if name == "io.weight" and os.path.exists(f"{bundle.cgroup}/io.bfq.weight"):
        name = "io.bfq.weight"
    if not os.path.exists(f"{bundle.cgroup}/{name}") and name == "io.weight":
        t.skip("the kernel has no io.weight")
    if name == "memory.swap.max" and not os.path.exists(f"{bundle.cgroup}/{name}"):
        t.skip("the kernel accounts no swap")
    found = value(t, bundle, name)
    t.true(found in expected if isinstance(expected, tuple) else found == expected,
           f"{name} is {found}, expected {expected}")


@cases([("swap-below", {"memory": {"limit": 67108864, "swap": 1000}}),
        ("swap-alone", {"memory": {"swap": 67108864}}),
        ("unified-controller", {"unified": {"nosuch.max": "1"}}),
        ("unified-file", {"unified": {"memory.nosuch": "1"}}),
        ("unified-path", {"unified": {"../cgroup.procs": "1"}}),
        ("unified-slash", {"unified": {"sub/memory.max": "1"}}),
        ("cpus", {"cpu": {"cpus": "9999"}}), ("cpus-word", {"cpu": {"cpus": "all"}}),
        ("period", {"cpu": {"quota": 1, "period": 1}}),
        ("burst", {"cpu": {"quota": 1000, "period": 100000, "burst": 10**12}})], needs="limits")
def bad_limit(t, resources):
    """a limit that cannot be set is refused"""
    bundle = t.bundle()
    bundle.config["linux"].setdefault("resources", {}).update(resources)
    t.refused(bundle, verb="create")


@test(needs=("limits", "probe"))
def memory_limit_holds(t):
    """a program over its memory limit is killed"""
    bundle = t.bundle("probe", "memory", "100")
    bundle.config["linux"].setdefault("resources", {})["memory"] = {"limit": 20 << 20, "swap": 20 << 20}
    result = t.run(bundle)
    t.equal(result.code, 137)
    t.contains(result.err, "container init was OOM-killed (memory limit too low?)")
    t.contains(result.err, f"the limit is {20 << 20} bytes, the most that was in use ")


@test(needs="limits")
def small_memory(t):
    """a container starts under 512 KiB"""
    bundle = t.bundle("true")
    bundle.config["linux"].setdefault("resources", {})["memory"] = {"limit": 512 << 10}
    t.equal(t.run(bundle).code, 0)


@test(needs="limits")
def too_small_memory(t):
    """a limit that no program fits says that it was the limit"""
    bundle = t.bundle("sleep", "1")
    bundle.config["linux"].setdefault("resources", {})["memory"] = {"limit": 4096, "swap": 4096}
    identifier = t.own(t.new_id(), bundle)
    result = t.rt("run", "-b", bundle.path, identifier)
    t.true(result.code != 0, str(result))
    t.contains(result.err.lower(), ["oom", "memory"])


@test(needs=("limits", "probe"))
def pids_limit_holds(t):
    """the limit of processes"""
    bundle = t.bundle("probe", "forks", "50")
    bundle.config["linux"].setdefault("resources", {})["pids"] = {"limit": 10}
    out = t.run(bundle).out
    t.true(int(out.split()[1]) <= 10, out)


@test(needs="limits")
def pids_limit_one(t):
    """a limit of one process"""
    bundle = t.bundle("true")
    bundle.config["linux"].setdefault("resources", {})["pids"] = {"limit": 1}
    result = t.run(bundle)
    t.equal(result.code, 0, str(result))


@cases([("memory", ["--memory", "100000000"], "memory.max", "99999744"),
        ("suffix", ["--memory", "64M"], "memory.max", "67108864"),
        ("pids", ["--pids-limit", "44"], "pids.max", "44"),
        ("quota", ["--cpu-quota", "30000", "--cpu-period", "60000"], "cpu.max", "30000 60000"),
        ("shares", ["--cpu-share", "2"], "cpu.weight", "1"),
        ("cpus", ["--cpuset-cpus", "0"], "cpuset.cpus", "0")], needs="limits")
def update(t, flags, name, expected):
    """update changes a limit"""
    bundle, identifier = limited(t, {})
    if name == "memory.max":
        t.ok("update", "--memory-swap", "-1", identifier)
    t.ok("update", *flags, identifier)
    t.equal(value(t, bundle, name), expected)


@test(needs="limits")
def update_from_stdin(t):
    """update --resources - reads JSON"""
    bundle, identifier = limited(t, {"pids": {"limit": 20}})
    t.ok("update", "--resources", "-", identifier,
         stdin=json.dumps({"memory": {"limit": 50331648}, "cpu": {"quota": 20000, "period": 100000}}))
    t.equal(value(t, bundle, "memory.max"), "50331648")
    t.equal(value(t, bundle, "cpu.max"), "20000 100000")
    t.equal(value(t, bundle, "pids.max"), "20", "a limit that was not named")


@test(needs="limits")
def update_from_file(t):
    """update --resources=FILE, as podman calls it"""
    bundle, identifier = limited(t, {})
    path = t.file("resources.json", json.dumps({"pids": {"limit": 55}}))
    t.ok("update", f"--resources={path}", identifier)
    t.equal(value(t, bundle, "pids.max"), "55")


@test(needs="limits")
def update_keeps_devices(t):
    """update does not touch the device rules"""
    _, identifier = limited(t, {"devices": [{"allow": False, "access": "rwm"},
                                            {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]})
    t.ok("start", identifier)
    t.ok("update", "--pids-limit", "44", identifier)
    t.ok("exec", identifier, "sh", "-c", "echo >/dev/null")


@test(needs="limits")
def update_bad(t):
    """update with a value that is none changes nothing"""
    bundle, identifier = limited(t, {"pids": {"limit": 20}})
    for flags in (["--pids-limit", "x"], ["--memory", "-5"], ["--resources", f"{t.directory}/none"]):
        t.fails("update", *flags, identifier)
    t.equal(value(t, bundle, "pids.max"), "20")


@test(needs="limits")
def events_stats(t):
    """events --stats prints one object in runc's shape"""
    _, identifier = limited(t, {"pids": {"limit": 20}})
    t.ok("start", identifier)
    record = json.loads(t.ok("events", "--stats", identifier).out)
    t.equal((record["type"], record["id"]), ("stats", identifier))
    data = record["data"]
    t.equal(data["pids"], {"current": 1, "limit": 20})
    t.true(data["memory"]["usage"]["usage"] > 0, data["memory"])
    t.true(data["cpu"]["usage"]["total"] > 0, data["cpu"])


@test(needs=("cgroup", "root"))
def device_rules(t):
    """the allowed devices open, others do not"""
    bundle = t.bundle("sh", "-c", "mknod /dev/shm/z c 1 5; head -c 1 /dev/shm/z | wc -c; "
                      "mknod /dev/shm/k c 1 11; head -c 1 /dev/shm/k 2>&1 | tail -n 1")
    bundle.config["mounts"] = [{**m, "options": [o for o in m.get("options", []) if o != "nodev"]}
                               for m in bundle.config["mounts"]]
    bundle.config["process"]["capabilities"] = {
        k: ["CAP_MKNOD"] for k in ("bounding", "effective", "permitted")}
    bundle.config["linux"]["resources"] = {"devices": [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 1, "minor": 5, "access": "rwm"}]}
    out = t.run(bundle).out
    t.contains(out, "1\n")
    t.contains(out, ["Operation not permitted", "no such file", "can't open"])


@test(needs=("cgroup", "root"))
def default_devices_work_under_rules(t):
    """the default devices stay usable under a rule that denies all"""
    t.equal(t.sh("echo x >/dev/null && head -c 2 /dev/zero | wc -c && head -c 1 /dev/urandom | wc -c").split(),
            ["2", "1"])


@test(needs="cgroup")
def empty_cgroups_path(t):
    """without cgroupsPath the runtime chooses a place and removes it"""
    if os.geteuid() == 0:
        before = set(os.listdir("/sys/fs/cgroup"))
    bundle = t.bundle("true", linux__cgroupsPath=None)
    bundle.config["linux"].pop("cgroupsPath", None)
    import harness
    base, harness.Settings.cgroup_base = harness.Settings.cgroup_base, ""
    result = t.run(bundle)
    harness.Settings.cgroup_base = base
    t.equal(result.code, 0, str(result))
    if os.geteuid() == 0:
        left = {e for e in set(os.listdir("/sys/fs/cgroup")) - before if t.ids[-1] in e}
        t.equal(left, set())


@test(needs="cgroup")
def annotations_do_not_change_limits(t):
    """annotations never change limits or place"""
    bundle = t.bundle("sleep", "1000", annotations={"run.oci.systemd.subgroup": "../../x",
                                                    "org.systemd.property.MemoryMax": "uint64 1"})
    identifier = t.create(bundle)
    t.contains(t.read(f"/proc/{t.pid(identifier)}/cgroup"), bundle.cgroup[len(Settings.cgroup_mount):])


@cases([("given", "rw", True, 1000), ("read-only", "ro", True, 0), ("no-namespace", "rw", False, 0)],
       needs=("cgroup", "root"))
def ownership(t, option, has_namespace, expected):
    """a writable cgroup of its own namespace belongs to the container's user, with the delegated files"""
    bundle = t.bundle("sleep", "1000", process__user={"uid": 1000, "gid": 1000})
    bundle.without_mount("/sys/fs/cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", option)
    if not has_namespace:
        bundle.without_namespace("cgroup")
    t.create(bundle)
    t.equal(os.stat(bundle.cgroup).st_uid, expected, "directory")
    delegated = t.read("/sys/kernel/cgroup/delegate").split()
    for name in os.listdir(bundle.cgroup):
        owner = expected if name in delegated else 0
        t.equal(os.stat(f"{bundle.cgroup}/{name}").st_uid, owner, name)


@test(needs=("cgroup", "root"))
def ownership_of_another_place(t):
    """a cgroup file system elsewhere than at /sys/fs/cgroup gives nothing away"""
    bundle = t.bundle("sleep", "1000", process__user={"uid": 1000, "gid": 1000})
    bundle.mount("/cg", "cgroup", "cgroup", "rw")
    t.create(bundle)
    t.equal(os.stat(bundle.cgroup).st_uid, 0)


@test(needs=("cgroup", "root"))
def relative_path(t):
    """a relative cgroupsPath is the same place each time"""
    places = []
    for _ in range(2):
        bundle = t.bundle("sleep", "1000", linux__cgroupsPath=f"apus-relative-{os.getpid()}/x")
        identifier = t.create(bundle)
        places.append(t.read(f"/proc/{t.pid(identifier)}/cgroup").strip().splitlines()[-1])
        t.ok("delete", "--force", identifier)
    t.equal(places[0], places[1])
    t.contains(places[0], f"apus-relative-{os.getpid()}/x")


@test(needs=("cgroup", "root"))
def huge_pages(t):
    """hugepageLimits: the use and, where the kernel counts them, the reservations"""
    if "hugetlb" not in controllers():
        t.skip("no hugetlb controller")
    bundle, _ = limited(t, {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 << 20}]})
    for name in ("hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"):
        t.equal(value(t, bundle, name), str(4 << 20), name)


@test(needs=("cgroup", "root"))
def rdma_of_no_device(t):
    """limits of an RDMA device that the host has not are an error"""
    bundle = t.bundle()
    bundle.config["linux"]["resources"] = {"rdma": {"nosuch0": {"hcaHandles": 3}}}
    t.refused(bundle, text="rdma", verb="create")


@test(needs="limits")
def check_before_update(t):
    """checkBeforeUpdate refuses a limit below the use, and changes nothing"""
    bundle, identifier = limited(t, {"memory": {"limit": 64 << 20}})
    with open(f"{bundle.rootfs}/filler", "wb") as file:
        file.write(bytes(8 << 20))
    t.ok("start", identifier)
    t.ok("exec", identifier, "sh", "-c", "cat /filler >/dev/shm/filler")
    memory = {"memory": {"limit": 1 << 20, "checkBeforeUpdate": True}}
    t.fails("update", "--resources", "-", identifier, stdin=json.dumps(memory),
            text="rejecting memory limit")
    t.equal(value(t, bundle, "memory.max"), str(64 << 20))


@test(needs="limits")
def throttled_device(t):
    """limits of a block device go to io.max"""
    with open("/proc/partitions") as file:
        rows = [line.split() for line in file.readlines()[2:]]
    if not rows:
        t.skip("no block device")
    major, minor = int(rows[0][0]), int(rows[0][1])
    entry = [{"major": major, "minor": minor, "rate": 1 << 20}]
    bundle, _ = limited(t, {"blockIO": {"throttleReadBpsDevice": entry, "throttleWriteIOPSDevice": entry}})
    t.equal(value(t, bundle, "io.max"), f"{major}:{minor} rbps=1048576 wbps=max riops=max wiops=1048576")

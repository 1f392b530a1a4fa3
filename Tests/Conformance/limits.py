"""Limits shown by their effect on a load: what the kernel does, not what a file says."""
import json
import os
import time

from harness import Settings, cases, test

MIB = 1 << 20


def counter(bundle, file, name):
    """A number of a file of "name number" lines."""
    with open(f"{bundle.cgroup}/{file}") as lines:
        return next((int(line.split()[1]) for line in lines if line.split()[0] == name), None)


def limited(t, *args, **resources):
    """A bundle with these limits."""
    bundle = t.bundle(*(args or ("sleep", "1000")))
    bundle.config["linux"].setdefault("resources", {}).update(resources)
    return bundle


def up(t, *args, **resources):
    bundle = limited(t, *args, **resources)
    identifier = t.create(bundle)
    bundle.out = t.last_out
    t.ok("start", identifier)
    return bundle, identifier


def said(t, bundle, word, seconds=30):
    """The number after `word` that a probe has printed."""
    def line():
        found = [line.split() for line in t.read(bundle.out).splitlines() if line.startswith(word)]
        return found and found[0]
    return int(t.eventually(line, f"'{word}'", seconds)[1])


def need_file(t, bundle, name):
    if not os.path.exists(f"{bundle.cgroup}/{name}"):
        t.skip(f"the kernel has no {name} here")


@test(needs=("limits", "probe"))
def memory_kill_spares_the_neighbour(t):
    """over its limit a container is killed, and no one else"""
    neighbour, other = up(t)
    bundle = limited(t, "probe", "memory", "100", memory={"limit": 20 * MIB, "swap": 20 * MIB})
    identifier = t.create(bundle)
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.equal(t.wait(pid, 30), -9)
    t.equal(counter(bundle, "memory.events", "oom_kill"), 1)
    t.equal(counter(neighbour, "memory.events", "oom_kill"), 0)
    t.equal(t.ok("exec", other, "echo", "alive").out, "alive\n")


@test(needs=("limits", "probe", "root"), timeout=120)
def reservation_protects(t):
    """memory below the reservation is not taken for another container's sake"""
    with open(f"{Settings.cgroup_mount}{Settings.cgroup_base}/cgroup.subtree_control", "w") as file:
        file.write("+memory")
    parent = f"{Settings.cgroup_base}/parent-{t.prefix}"
    os.mkdir(f"{Settings.cgroup_mount}{parent}")
    t.cleanups.append(lambda: os.rmdir(f"{Settings.cgroup_mount}{parent}"))
    with open(f"{Settings.cgroup_mount}{parent}/memory.max", "w") as file:
        file.write(str(48 * MIB))

    def up_below(name, *args, **resources):
        bundle = limited(t, *args, **resources).set("linux.cgroupsPath", f"{parent}/{name}")
        identifier = t.create(bundle)
        bundle.out = t.last_out
        t.ok("start", identifier)
        return bundle

    files = "dd if=/dev/zero of=/data bs=1M count=12 2>/dev/null; sync; echo done 1; sleep 1000"
    protected = up_below("protected", "sh", "-c", files, memory={"reservation": 24 * MIB})
    exposed = up_below("exposed", "sh", "-c", files)
    said(t, protected, "done", 60)
    said(t, exposed, "done", 60)
    greedy = up_below("greedy", "probe", "memory", "34", "hold", unified={"memory.swap.max": "0"})
    said(t, greedy, "eaten:", 60)
    kept, lost = (counter(bundle, "memory.stat", "file") for bundle in (protected, exposed))
    t.true(kept > 11 * MIB and lost < 6 * MIB, f"kept {kept}, of the unprotected {lost}")


@cases([("within", 64, 48, 0), ("beyond", 64, 100, -9), ("none", 32, 48, -9)],
       needs=("limits", "probe"))
def swap(t, swap, size, code):
    """`swap` counts memory and swap together: 32 MiB of memory, and the rest on disk"""
    with open("/proc/swaps") as file:
        if len(file.readlines()) < 2:
            t.skip("this machine has no swap")
    bundle = limited(t, "probe", "memory", str(size), memory={"limit": 32 * MIB, "swap": swap * MIB})
    identifier = t.create(bundle)
    pid = t.pid(identifier)
    t.ok("start", identifier)
    t.equal(t.wait(pid, 60), code)
    if code == 0:
        t.true(counter(bundle, "memory.events", "max") > 0, "the limit was never reached")


@test(needs=("limits", "probe"))
def unified_high(t):
    """unified: memory.high slows a program down instead of killing it"""
    bundle, _ = up(t, "probe", "memory", "12", "hold", unified={"memory.high": str(8 * MIB)})
    t.eventually(lambda: counter(bundle, "memory.events", "high"), "the program is held up")
    t.equal(counter(bundle, "memory.events", "oom_kill"), 0)


@test(needs=("limits", "probe"))
def half_a_processor(t):
    """a quota of half the period is half a processor"""
    bundle, _ = up(t, "sh", "-c", "probe burn 2000; sleep 1000",
                   cpu={"quota": 50000, "period": 100000})
    burned = said(t, bundle, "burned:")
    t.true(700 <= burned <= 1150, f"{burned} ms of 2000")
    t.true(counter(bundle, "cpu.stat", "nr_throttled") >= 10, t.read(f"{bundle.cgroup}/cpu.stat"))


@test(needs=("limits", "probe"))
def burst(t):
    """what was saved up in idle periods may be used in a burst"""
    bundle, _ = up(t, "sh", "-c", "probe burn 60 300 5; sleep 1000",
                   cpu={"quota": 40000, "period": 100000, "burst": 40000})
    need_file(t, bundle, "cpu.max.burst")
    said(t, bundle, "burned:")
    t.true(counter(bundle, "cpu.stat", "nr_bursts") > 0, t.read(f"{bundle.cgroup}/cpu.stat"))
    t.true(counter(bundle, "cpu.stat", "burst_usec") > 0, t.read(f"{bundle.cgroup}/cpu.stat"))


@cases([("idle", {"idle": 1}, {}, 8), ("shares", {"shares": 102}, {"shares": 10240}, 3)],
       needs="limits")
def contention(t, low, high, ratio):
    """two containers on one processor: the weight decides, and an idle one takes what is left"""
    loop = ("sh", "-c", "while :; do :; done")
    (lesser, _), (greater, _) = (up(t, *loop, cpu={"cpus": "0", **cpu}) for cpu in (low, high))
    bundles = (lesser, greater)

    def used():
        return [counter(bundle, "cpu.stat", "usage_usec") for bundle in bundles]
    before = used()
    time.sleep(2)
    lesser, greater = (after - start for after, start in zip(used(), before))
    t.true(greater > ratio * lesser, f"{lesser} and {greater} us")


@cases([("kill", ["kill", "KILL"]), ("kill-all", ["kill", "--all", "KILL"]), ("delete", ["delete", "--force"])],
       needs=("limits", "probe"))
def idle_ends(t, words):
    """what is killed ends soon, also an idle container on a busy processor"""
    verb, *flags = words
    bundle, identifier = up(t, "probe", "memory", "10", "hold", cpu={"cpus": "0", "idle": 1})
    said(t, bundle, "eaten:")
    pid = t.pid(identifier)
    for _ in range(2):
        up(t, "sh", "-c", "while :; do :; done", cpu={"cpus": "0"})
    began = time.monotonic()
    if verb == "delete":
        t.ok(verb, *flags, identifier, reap=True)
    else:
        t.ok(verb, *flags[:-1], identifier, flags[-1])
        t.wait(pid)
    t.quick(time.monotonic() - began, 2, "the end of an idle container")


@test(needs="limits")
def processors(t):
    """cpus: the program sees those alone, and an update moves it while it runs"""
    if os.cpu_count() < 2:
        t.skip("one processor")
    bundle, identifier = up(t, cpu={"cpus": "0", "mems": "0"})
    t.equal(t.ok("exec", identifier, "nproc").out, "1\n")

    def allowed(kind):
        status = t.read(f"/proc/{t.pid(identifier)}/status").splitlines()
        return next(line.split()[1] for line in status if line.startswith(f"{kind}_allowed_list"))
    t.equal((allowed("Cpus"), allowed("Mems")), ("0", "0"))
    t.ok("update", "--cpuset-cpus", "1", identifier)
    t.equal(allowed("Cpus"), "1")


@test(needs=("limits", "probe"))
def fork_bomb(t):
    """a fork bomb ends at pids.limit; the neighbour can fork, and delete is quick"""
    _, other = up(t)
    bundle, identifier = up(t, "sh", "-c", "bomb() { bomb | bomb & }; bomb; sleep 1000",
                            pids={"limit": 40})
    t.eventually(lambda: counter(bundle, "pids.events", "max"), "the limit is met")
    t.true(int(t.read(f"{bundle.cgroup}/pids.peak")) <= 40, "more processes than the limit")
    t.equal(t.ok("exec", other, "sh", "-c", "true & wait; echo alive").out, "alive\n")
    result = t.ok("delete", "--force", identifier, reap=True)
    t.quick(result.seconds, 2, "delete --force of a fork bomb")


def device_of(t, path):
    """MAJOR, MINOR of the whole disk that a path is on."""
    number = os.stat(path).st_dev
    link = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"
    if not os.path.exists(link):
        t.skip(f"{path} is not on a block device")
    if os.path.exists(f"{link}/partition"):
        link = os.path.dirname(os.path.realpath(link))
    return tuple(int(part) for part in t.read(f"{link}/dev").split(":"))


@cases([("read-bps", "read", "throttleReadBpsDevice", MIB), ("write-bps", "write", "throttleWriteBpsDevice", MIB),
        ("read-iops", "read", "throttleReadIOPSDevice", 16), ("write-iops", "write", "throttleWriteIOPSDevice", 16)],
       needs=("limits", "probe", "root"))
def throttle(t, direction, field, rate):
    """2 MiB, 32 requests, at a rate of 1 MiB or 16 requests a second take two seconds"""
    device = dict(zip(("major", "minor"), device_of(t, Settings.work)))
    bundle = limited(t, "probe", "direct", direction, "/data", "2048",
                     blockIO={field: [{**device, "rate": rate}]})
    with open(f"{bundle.rootfs}/data", "wb") as file:
        file.write(b"x" * 2 * MIB)
        os.fsync(file.fileno())
    result = t.run(bundle)
    t.equal(result.code, 0, str(result))
    if not result.out.startswith("took:"):
        t.skip(f"no direct access to this file system: {result.out.strip()}")
    took = int(result.out.split()[1])
    t.true(1300 <= took < 2600 * Settings.patience, f"took {took} ms")


@test(needs=("limits", "root"))
def weight_of_a_device(t):
    """a weight of its own for a device"""
    major, minor = device_of(t, Settings.work)
    bundle = limited(t, blockIO={"weight": 500, "weightDevice": [
        {"major": major, "minor": minor, "weight": 300}]})
    t.create(bundle)
    if os.path.exists(f"{bundle.cgroup}/io.bfq.weight"):
        t.equal(t.read(f"{bundle.cgroup}/io.bfq.weight").splitlines(),
                ["default 500", f"{major}:{minor} 300"])
    else:
        need_file(t, bundle, "io.weight")
        t.contains(t.read(f"{bundle.cgroup}/io.weight"), f"{major}:{minor} 2930")


@test(needs=("limits", "probe", "root"))
def huge_pages(t):
    """hugepageLimits: so many and no more"""
    with open("/proc/sys/vm/nr_hugepages") as file:
        if int(file.read()) < 4:
            t.skip("this machine has no huge pages set aside")
    bundle = limited(t, "probe", "huge", "4",
                     hugepageLimits=[{"pageSize": "2MB", "limit": 4 * MIB}])
    t.equal(t.run(bundle).out, "huge: 2\n")
    t.refused(limited(t, hugepageLimits=[{"pageSize": "3MB", "limit": 4 * MIB}]), verb="create")


@test(needs="limits")
def small_memory_again(t):
    """512 KiB are enough every time"""
    count = Settings.rounds(200)
    bundle = limited(t, "true", memory={"limit": 512 << 10, "swap": 512 << 10})
    for number in range(count):
        result = t.run(bundle)
        t.equal(result.code, 0, f"run {number + 1} of {count}: {result}")


def whole(t, bundle, name):
    return t.read(f"{bundle.cgroup}/{name}").strip()


# What update takes: the JSON, and the file that shows it.
FIELDS = [
    ("memory", {"memory": {"limit": 50331648}}, "memory.max", "50331648"),
    ("reservation", {"memory": {"reservation": 25165824}}, "memory.low", "25165824"),
    ("shares", {"cpu": {"shares": 2048}}, "cpu.weight", ("79", "174")),
    ("quota", {"cpu": {"quota": 30000, "period": 50000}}, "cpu.max", "30000 50000"),
    ("quota-alone", {"cpu": {"quota": 70000}}, "cpu.max", "70000 100000"),
    ("burst", {"cpu": {"quota": 50000, "period": 100000, "burst": 20000}}, "cpu.max.burst", "20000"),
    ("idle", {"cpu": {"idle": 1}}, "cpu.idle", "1"),
    ("cpus", {"cpu": {"cpus": "0"}}, "cpuset.cpus.effective", "0"),
    ("mems", {"cpu": {"mems": "0"}}, "cpuset.mems.effective", "0"),
    ("pids", {"pids": {"limit": 77}}, "pids.max", "77"),
    ("weight", {"blockIO": {"weight": 200}}, ("io.bfq.weight", "io.weight"),
     ("default 200", "default 1920")),
    ("unified", {"unified": {"memory.high": "75497472"}}, "memory.high", "75497472"),
]


def field_file(t, bundle, names):
    for name in names if isinstance(names, tuple) else (names,):
        if os.path.exists(f"{bundle.cgroup}/{name}"):
            return name
    t.skip(f"the kernel has no {names}")


@cases(FIELDS, needs="limits")
def update(t, change, name, expected):
    """update puts it in force; --dry-run says so and does not; a refused update changes nothing"""
    bundle, identifier = up(t, memory={"limit": 67108864}, cpu={"quota": 60000, "period": 100000})
    name = field_file(t, bundle, name)
    before = whole(t, bundle, name)

    said = t.ok("update", "--dry-run", "-r", "-", identifier, stdin=json.dumps(change)).out
    t.contains(said, f"{name.replace('.effective', '')} = ")
    t.equal(whole(t, bundle, name), before, "after a dry run")

    bad = {**change, "unified": {**change.get("unified", {}), "pids.max": "many"}}
    t.fails("update", "-r", "-", identifier, stdin=json.dumps(bad), text="pids.max")
    t.equal(whole(t, bundle, name), before, "after a refused update")

    t.ok("update", "-r", "-", identifier, stdin=json.dumps(change))
    found = whole(t, bundle, name).splitlines()[0]
    t.true(found in expected if isinstance(expected, tuple) else found == expected,
           f"{name} is {found}, expected {expected}")
    t.equal(t.status(identifier), "running")


@test(needs=("limits", "root"))
def update_throttle(t):
    """update of a device's rate: one device's line, restored when another value is refused"""
    device = dict(zip(("major", "minor"), device_of(t, Settings.work)))
    bundle, identifier = up(t, blockIO={"throttleReadBpsDevice": [{**device, "rate": 5 * MIB}]})
    before = whole(t, bundle, "io.max")
    t.contains(before, f"rbps={5 * MIB}")
    change = {"blockIO": {"throttleReadBpsDevice": [{**device, "rate": MIB}]}}
    t.fails("update", "-r", "-", identifier,
            stdin=json.dumps({**change, "unified": {"pids.max": "many"}}))
    t.equal(whole(t, bundle, "io.max"), before)
    t.ok("update", "-r", "-", identifier, stdin=json.dumps(change))
    t.contains(whole(t, bundle, "io.max"), f"rbps={MIB} ")


def plain_devices(t, count):
    """NAME, MINOR of character devices 10:MINOR that anyone may open who has the right to the node."""
    found = []
    for name in ("cpu_dma_latency", "userfaultfd", "loop-control", "tun", "fuse"):
        if os.path.exists(f"/sys/class/misc/{name}/dev"):
            found.append((name, int(t.read(f"/sys/class/misc/{name}/dev").split(":")[1])))
    if len(found) < count:
        t.skip("not enough devices that can be opened without more")
    return found[:count]


@test(needs=("cgroup", "root", "probe"))
def device_rules_by_update(t):
    """update replaces the rules of devices: not allowed, then allowed, then not, then again"""
    [(name, minor)] = plain_devices(t, 1)
    bundle = limited(t)
    bundle.set("linux.devices", [{"path": f"/dev/{name}", "type": "c", "major": 10, "minor": minor,
                                  "fileMode": 0o666}])
    identifier = t.create(bundle)
    t.ok("start", identifier)

    def opened():
        return t.ok("exec", identifier, "probe", "read", f"/dev/{name}", "/dev/null").out.split()
    null = ["/dev/null:", "opened"]
    t.equal(opened(), [f"/dev/{name}:", "EPERM", *null])
    for allow, result in ((True, "opened"), (False, "EPERM"), (True, "opened")):
        rules = [{"allow": False, "access": "rwm"},
                 {"allow": allow, "type": "c", "major": 10, "minor": minor, "access": "r"}]
        t.ok("update", "-r", "-", identifier, stdin=json.dumps({"devices": rules}))
        t.equal(opened(), [f"/dev/{name}:", result, *null])

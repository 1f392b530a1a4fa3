"""The tests there are, what each needs of the machine, and the settings of the whole run."""
import inspect
import os
import shutil
import subprocess

TESTS = []


class Failure(Exception):
    """A test did not hold."""


class Skip(Exception):
    """A test makes no sense here; the text says why."""


class Test:
    def __init__(self, function, needs, slow, timeout):
        module = os.path.splitext(os.path.basename(inspect.getfile(function)))[0]
        self.name = f"{module}.{function.__name__}"
        self.function, self.needs, self.slow, self.timeout = function, needs, slow, timeout
        self.summary = (function.__doc__ or function.__name__).strip().splitlines()[0]


def test(function=None, *, needs=(), slow=False, timeout=60):
    """Registers a test; `needs` are names of `NEEDS`, `slow` tests are sampled by --sample."""
    if function is None:
        return lambda f: test(f, needs=needs, slow=slow, timeout=timeout)
    TESTS.append(Test(function, (needs,) if isinstance(needs, str) else needs, slow, timeout))
    return function


def cases(table, **options):
    """Registers one test for each (name, values...) of a table: `f(t, *values)`."""

    def register(function):
        for name, *values in table:
            def one(t, values=values):
                return function(t, *values)
            one.__name__ = f"{function.__name__}[{name}]"
            one.__doc__ = function.__doc__
            entry = Test(function, options.get("needs", ()), options.get("slow", False),
                         options.get("timeout", 60))
            entry.name = f"{entry.name}[{name}]"
            entry.function = one
            if isinstance(entry.needs, str):
                entry.needs = (entry.needs,)
            TESTS.append(entry)
        return function

    return register


class Settings:
    """Of the whole run; filled by `run`."""
    runtime = ""
    work = ""
    tools = ""
    user = False
    sample = 1
    verbose = False
    cgroup_base = ""
    # Every deadline is multiplied by this: an emulated machine is slow.
    patience = float(os.environ.get("APUS_TEST_PATIENCE", "1"))
    cgroup_mount = "/sys/fs/cgroup"

    @classmethod
    def rounds(cls, whole, least=10):
        """How often something that needs luck to fail is tried: `whole` times, fewer by --sample."""
        return max(least, whole // cls.sample)


def controllers():
    try:
        with open(f"{Settings.cgroup_mount}{Settings.cgroup_base}/../cgroup.controllers") as file:
            return file.read().split()
    except OSError:
        return []


def tool(name):
    path = f"{Settings.tools}/{name}"
    return path if os.access(path, os.X_OK) else None


def criu_works():
    if not shutil.which("criu"):
        return False
    return subprocess.run(["criu", "check"], capture_output=True, timeout=60).returncode == 0


def has_verb(verb):
    reply = subprocess.run([Settings.runtime, verb, "--help"], capture_output=True, timeout=20)
    return reply.returncode == 0


def has_test_policy():
    """Whether SELinux enforces the tests' policy, selinux.cil."""
    if not os.path.isdir("/sys/fs/selinux"):
        return False
    with open("/proc/self/attr/current") as file:
        return file.read().rstrip("\0\n") == "u:r:host_t"


# What a test may need: name -> (holds, reason when it does not).
NEEDS = {
    "root": (lambda: os.geteuid() == 0, "needs root"),
    "user": (lambda: os.geteuid() != 0, "only as an ordinary user"),
    "cgroup": (lambda: os.access(f"{Settings.cgroup_mount}{Settings.cgroup_base}/..", os.W_OK),
               "no writable cgroup here"),
    "limits": (lambda: {"memory", "pids", "cpu"} <= set(controllers()),
               "no cgroup v2 controllers here (the virtual machine has them)"),
    "probe": (lambda: tool("probe"), "no C compiler for the probe"),
    "stepper": (lambda: tool("stepper"), "no C compiler for the stepper"),
    "without": (lambda: tool("without"), "no C compiler for the filter"),
    "systemd": (lambda: os.path.isdir("/run/systemd/system"), "systemd is not running"),
    "strace": (lambda: shutil.which("strace"), "no strace"),
    "ip": (lambda: shutil.which("ip"), "no ip command"),
    "apparmor": (lambda: os.path.isdir("/sys/kernel/security/apparmor"), "no AppArmor"),
    "selinux": (has_test_policy, "no SELinux with the policy of the tests (APUS_VM_AS=selinux has it)"),
    "criu": (criu_works, "no criu that works with this kernel"),
    "explain": (lambda: has_verb("explain"), "the runtime has no explain"),
    "shell": (lambda: has_verb("shell"), "the runtime has no shell"),
    "events": (lambda: has_verb("events"), "the runtime has no events"),
}
_needs = {}


def unmet(needs):
    for name in needs:
        if name not in _needs:
            _needs[name] = bool(NEEDS[name][0]())
        if not _needs[name]:
            return NEEDS[name][1]
    return None

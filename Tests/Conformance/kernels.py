"""System calls that the kernel lacks, or that a seccomp filter around the runtime forbids: what works
does so in full, what cannot work is refused in one line, and nothing is left."""
import errno

from harness import cases, test, tool

# Calls without a substitute, with the verb that needs them first.
NEEDED = {
    "clone3": "create", "close_range": "create", "execveat": "create", "fsconfig": "create",
    "fsmount": "create", "fsopen": "create", "memfd_create": "create", "mount_setattr": "create",
    "move_mount": "create", "open_tree": "create", "openat2": "create", "pidfd_open": "create",
    "pidfd_send_signal": "create", "setns": "exec", "statx": "create",
}
# Calls without which everything is as with them.
SPARE = {
    "faccessat2": ("ENOSYS", "EPERM"), "fchmodat2": ("ENOSYS", "EPERM"), "fspick": ("ENOSYS", "EPERM"),
    "keyctl": ("ENOSYS",), "listmount": ("ENOSYS", "EPERM"), "memfd_create:1:0x18": ("EINVAL",),
    "pidfd_getfd": ("ENOSYS", "EPERM"), "statmount": ("ENOSYS", "EPERM"),
}
LOOK = """id; hostname; umask; pwd; env | sort; cut -d' ' -f5- /proc/self/mountinfo
grep -E '^(Cap|NoNewPrivs|Groups|Uid|Gid)' /proc/self/status; stat -c '%A %u:%g %t:%T %N' /dev/*; ls /proc/self/fd
"""


def without(call, error):
    return {"wrap": [tool("without"), str(getattr(errno, error)), call]}


def look(t, **wrap):
    """What a container sees, run by a runtime so limited, and what one more process in it sees."""
    bundle = t.bundle("sh", "-c", LOOK + "exec sleep 1000")
    identifier = t.own("looked-at", bundle)
    t.ok("create", "-b", bundle.path, identifier, **wrap)
    t.equal(t.status(identifier), "created")
    t.ok("start", identifier, **wrap)
    t.ok("state", identifier, **wrap)
    seen = t.ok("exec", identifier, "sh", "-c", LOOK, **wrap).out
    pid = t.pid(identifier)
    t.ok("kill", identifier, "KILL", **wrap)
    t.wait(pid)
    t.ok("delete", identifier, **wrap)
    t.true(not t.state_entries(), f"state left: {t.state_entries()}")
    bundle = t.bundle("sh", "-c", LOOK)
    t.own(identifier, bundle)
    first = t.ok("run", "-b", bundle.path, identifier, **wrap).out
    return (first + seen).splitlines()


@cases([(f"{call}-{error}", call, error) for call, errors in SPARE.items() for error in errors],
       needs=("root", "without"))
def spare_call(t, call, error):
    """without a call that has a substitute everything is as with it"""
    found, expected = look(t, **without(call, error)), look(t)
    t.equal([line for line in found if line not in expected], [])
    t.equal([line for line in expected if line not in found], [])


@cases([(f"{call}-{error}", call, error) for call in NEEDED for error in ("ENOSYS", "EPERM")],
       needs=("root", "without"))
def needed_call(t, call, error):
    """without a call that has none the runtime says what is missing, and leaves nothing"""
    wrap = without(call, error)
    if NEEDED[call] == "exec":
        identifier = t.up()
        result = t.fails("exec", identifier, "true", code=255, **wrap)
        t.equal(t.status(identifier), "running")
    else:
        result = t.refused(t.bundle(), verb="create", **wrap)
        t.refused(t.bundle(), verb="run", **wrap)
    t.equal(len(result.err.splitlines()), 1, f"lines of {result}")
    if error == "ENOSYS":
        t.contains(result.err, "Linux 5.14 or newer is needed")


@cases([(f"{call}-{verb}", call, verb) for verb in ("kill", "delete") for call in
        ("openat2", "pidfd_open", "pidfd_send_signal")], needs=("root", "without"))
def forbidden_later(t, call, verb):
    """a call that is forbidden only later: the verb says so or does all of its work"""
    identifier = t.up()
    arguments = {"kill": ["kill", identifier, "KILL"], "delete": ["delete", "--force", identifier]}
    result = t.rt(*arguments[verb], **without(call, "EPERM"))
    if result.code:
        t.equal(len(result.err.splitlines()), 1, f"lines of {result}")
        # Its processes may be dead already: the next delete does the rest.
        t.contains(t.status(identifier), ["running", "stopped"] if verb == "delete" else "running")
    elif verb == "delete":
        t.reap()
        t.true(not t.state_entries() and not t.descendants(), f"left: {t.descendants()}")
    else:
        t.eventually(lambda: t.status(identifier) == "stopped", "stopped")


@test(needs=("root", "without"))
def everything_is_kept(t):
    """`list` and `state` of a runtime so limited neither lose nor remove a container"""
    identifier = t.up()
    for call in ("openat2", "pidfd_open", "faccessat2", "statx"):
        t.rt("list", **without(call, "EPERM"))
        t.rt("state", identifier, **without(call, "EPERM"))
    t.equal(t.status(identifier), "running")

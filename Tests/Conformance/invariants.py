"""What holds after every test: looked at from outside of it."""
import os


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return f"{pid} ({file.read().replace(chr(0), ' ').strip()})"
    except OSError:
        return str(pid)


def remove_cgroup(path):
    for directory, _, _ in os.walk(path, topdown=False):
        try:
            with open(f"{directory}/cgroup.kill", "w") as file:
                file.write("1")
        except OSError:
            pass
        try:
            os.rmdir(directory)
        except OSError:
            pass


def mountinfo():
    with open("/proc/self/mountinfo") as file:
        return sorted(line.split(" ", 2)[2] for line in file)


def mount_changes(before, after):
    """Mounts that came or went; one also goes, without our doing, when its directory is removed."""
    came = [f"mount left: {line.strip()}" for line in set(after) - set(before)]
    went = [f"mount gone: {line.strip()}" for line in set(before) - set(after)
            if os.path.lexists(line.split()[2])]
    return came + went


def has_children():
    """Whether this process has any, dead ones among them; without, nobody is below a subreaper."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return True
    except ChildProcessError:
        return False


def descendants(ancestor):
    """The living processes below one; as it is their subreaper, no process of a test can hide."""
    if ancestor == os.getpid() and not has_children():
        return []
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
                parents[int(entry)] = (int(fields[1]), fields[0])
            except OSError:
                continue
    found, grown = {ancestor}, True
    while grown:
        more = {p for p, (parent, _) in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return [p for p in found if p != ancestor and parents[p][1] not in "ZX"]

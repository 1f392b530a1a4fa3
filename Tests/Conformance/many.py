"""Hundreds of containers: nothing is left of them, and the last is as quick as the first."""
import os
import time

from harness import Settings, test


@test(slow=True, timeout=900)
def hundreds(t):
    """500 containers (fewer by --sample) created, started, listed and deleted"""
    count = Settings.rounds(500, least=12)
    bundle = t.bundle("sleep", "1000")
    times = {"create": [], "start": [], "state": [], "delete": []}
    names = []

    def timed(verb, *arguments):
        began = time.monotonic()
        t.ok(verb, *arguments, timeout=60)
        times[verb].append(time.monotonic() - began)

    for _ in range(count):
        # A cgroup for each: the bundle's path is that of the last.
        bundle.config["linux"].pop("cgroupsPath", None)
        names.append(t.own(t.new_id(), bundle))
        timed("create", "-b", bundle.path, names[-1])
        timed("start", names[-1])
        timed("state", names[-1])
    t.equal(sorted(t.ok("list", "-q", timeout=60).out.split()), sorted(names))
    for name in names:
        timed("delete", "--force", name)
        t.reap()
    t.equal(t.ok("list", "-q").out, "")
    t.equal([path for path in t.cgroups if os.path.isdir(path)], [])
    quarter = count // 4
    for verb, taken in times.items():
        # Medians: one slow moment of the machine is no trend.
        first, last = sorted(taken[:quarter])[quarter // 2], sorted(taken[-quarter:])[quarter // 2]
        t.true(last < 2 * first + 0.01, f"{verb} took {first:.4f} s at first, {last:.4f} s at the end")

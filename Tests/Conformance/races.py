"""Several verbs at once on one id."""
import json
import os
import time

from harness import Settings, test


@test(timeout=120, slow=True)
def two_creates(t):
    """two creates of one id, fifty times (fewer by --sample): one wins, the other is refused, the winner works"""
    for round in range(Settings.rounds(50)):
        bundle = t.bundle("sleep", "1000")
        identifier = f"{t.prefix}-race"
        t.ids.append(identifier)
        bundle.save(identifier)
        both = [t.spawn("create", "-b", bundle.path, identifier) for _ in range(2)]
        codes = sorted(process.wait(20 * Settings.patience) for process in both)
        t.equal(codes[0], 0, f"round {round}: a winner")
        t.true(codes[1] > 0, f"round {round}: two winners or a signal: {codes}")
        t.ok("start", identifier)
        t.equal(t.status(identifier), "running", f"round {round}")
        t.ok("delete", "--force", identifier)
        t.reap()


@test(timeout=120)
def six_deletes(t):
    """six delete --force at once all succeed"""
    for _ in range(5):
        identifier = t.up()
        all_of_them = [t.spawn("delete", "--force", identifier) for _ in range(6)]
        t.equal([process.wait(20 * Settings.patience) for process in all_of_them], [0] * 6)
        t.reap()


@test(timeout=120)
def start_and_delete(t):
    """start against delete --force: nothing hangs, nothing is left"""
    for _ in range(15):
        identifier = t.create(t.bundle("sleep", "1000"))
        pair = [t.spawn("start", identifier), t.spawn("delete", "--force", identifier)]
        codes = [process.wait(20 * Settings.patience) for process in pair]
        t.true(codes[1] == 0 and 0 <= codes[0] < 128, codes)
        t.reap()
        t.equal(t.rt("state", identifier).code != 0, True, "deleted")


@test(timeout=120)
def two_starts(t):
    """two starts: exactly one succeeds"""
    for _ in range(15):
        bundle = t.bundle("sh", "-c", "echo x >>/runs; sleep 1000")
        identifier = t.create(bundle)
        codes = sorted(p.wait(20 * Settings.patience) for p in [t.spawn("start", identifier) for _ in range(2)])
        t.true(codes[0] == 0 and codes[1] > 0, codes)
        t.eventually(lambda: os.path.exists(f"{bundle.rootfs}/runs"), "runs")
        t.ok("delete", "--force", identifier)
        t.reap()


@test(timeout=120)
def exec_and_delete(t):
    """exec against delete --force"""
    for _ in range(15):
        identifier = t.up()
        runs = [t.spawn("exec", identifier, "sleep", "1000") for _ in range(3)]
        time.sleep(0.02)
        t.ok("delete", "--force", identifier, reap=True)
        for process in runs:
            t.true(process.wait(20 * Settings.patience) != 0, "exec of a deleted container succeeded")
        t.reap()


@test(timeout=120)
def kill_and_delete(t):
    """kill against delete --force"""
    for _ in range(15):
        identifier = t.up()
        pair = [t.spawn("kill", identifier, "KILL"), t.spawn("delete", "--force", identifier)]
        t.equal(pair[1].wait(20 * Settings.patience), 0)
        t.true(0 <= pair[0].wait(20 * Settings.patience) < 128, "kill was killed")
        t.reap()


@test(timeout=120)
def creator_dies(t):
    """create killed at a moment of its life: delete --force leaves nothing"""
    for n in range(20):
        bundle = t.bundle("sleep", "1000")
        identifier = t.own(t.new_id(), bundle)
        process = t.spawn("create", "-b", bundle.path, identifier)
        time.sleep(n * 0.0007)
        process.kill()
        process.wait()
        result = t.rt("delete", "--force", identifier, reap=True)
        t.equal(result.code, 0, str(result))
        t.true(not bundle.cgroup or not os.path.isdir(bundle.cgroup), f"cgroup left, {n}")


@test(timeout=120, slow=True)
def state_while_changing(t):
    """state and list never fail strangely while containers come and go"""
    bundle = t.bundle("true")
    watchers = [t.spawn("list", "-f", "json") for _ in range(3)]
    for _ in range(15):
        identifier = t.own(t.new_id(), bundle)
        process = t.spawn("run", "-b", bundle.path, identifier)
        while process.poll() is None:
            result = t.rt("list", "-f", "json")
            t.equal(result.code, 0, str(result))
            json.loads(result.out)
            state = t.rt("state", identifier)
            if state.code == 0:
                t.contains(json.loads(state.out)["status"], ["creating", "created", "running", "stopped"])
            else:
                t.contains(state.err, "does not exist")
    for process in watchers:
        t.equal(process.wait(10 * Settings.patience), 0)

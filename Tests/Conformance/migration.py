"""Checkpoints whose memory goes to another machine: CRIU's page server, and pages on demand."""
import os
import subprocess

from checkpoint import COUNT, NEEDS, counting, restored, saved, started
from harness import test
from systemd import Scope, gone, shown

PORT = 27277


def listens(port):
    with open("/proc/net/tcp") as file:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
                   for line in file.readlines()[1:])


def criu(t, *arguments):
    """criu beside the runtime, ended with the test at the latest."""
    return t.spawn(program="criu", *arguments)


@test(needs=NEEDS, timeout=120)
def page_server(t):
    """--page-server sends the memory to criu there; the image holds the rest"""
    if listens(PORT):
        t.skip(f"port {PORT} is taken")
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    counting(t, bundle)
    there, image = f"{t.directory}/there", f"{t.directory}/image"
    os.mkdir(there)
    server = criu(t, "page-server", "-D", there, "--address", "127.0.0.1", "--port", str(PORT))
    t.eventually(lambda: listens(PORT), "the page server")
    t.ok("checkpoint", "--image-path", image, "--page-server", f"127.0.0.1:{PORT}", identifier,
         reap=True, timeout=40)
    t.equal(server.wait(20), 0, "the page server's end")
    t.equal([n for n in os.listdir(image) if n.startswith("pages-")], [], "pages here")
    for name in os.listdir(image):
        if not os.path.exists(f"{there}/{name}"):
            os.rename(f"{image}/{name}", f"{there}/{name}")
    restored(t, bundle, there)
    counting(t, bundle)


@test(needs=NEEDS, timeout=120)
def lazy_pages(t):
    """--lazy-pages: the container goes on elsewhere before its memory has come"""
    if subprocess.run(["criu", "check", "--feature", "uffd-noncoop"], capture_output=True).returncode:
        t.skip("this kernel brings no pages on demand (userfaultfd with CAP_SYS_PTRACE)")
    if listens(PORT):
        t.skip(f"port {PORT} is taken")
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    counting(t, bundle)
    image = f"{t.directory}/image"
    reading, writing = os.pipe()
    saving = t.spawn("checkpoint", "--image-path", image, "--lazy-pages", "--status-fd", str(writing),
                     "--page-server", f"127.0.0.1:{PORT}", "--manage-cgroups-mode", "ignore", identifier,
                     pass_fds=[writing])
    os.close(writing)
    t.equal(os.read(reading, 2), b"\0", "--status-fd")
    os.close(reading)
    t.true(os.path.exists(f"{image}/inventory.img"), "no image")
    daemon = criu(t, "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", str(PORT),
                  "-D", image)
    t.eventually(lambda: os.path.exists(f"{image}/lazy-pages.socket"), "the daemon of pages")
    back = restored(t, bundle, image, "--lazy-pages", "--manage-cgroups-mode", "ignore")
    counting(t, bundle)
    t.equal((t.wait_and_reap(saving, 60), daemon.wait(60)), (0, 0), "ends of checkpoint and daemon")
    counting(t, bundle)
    t.fails("state", identifier, text="does not exist")
    t.equal(t.status(back), "running")


@test(needs=NEEDS, timeout=120)
def pages_for_nobody(t):
    """a checkpoint that waits for who wants its pages does not keep others from the container"""
    bundle = t.bundle("sh", "-c", COUNT)
    identifier = started(t, bundle)
    counting(t, bundle)
    reading, writing = os.pipe()
    saving = t.spawn("checkpoint", "--image-path", f"{t.directory}/image", "--lazy-pages", "--status-fd",
                     str(writing), "--page-server", f"127.0.0.1:{PORT + 1}", identifier, pass_fds=[writing])
    os.close(writing)
    t.equal(os.read(reading, 2), b"\0", "--status-fd")
    os.close(reading)
    t.ok("delete", "--force", identifier, timeout=8)
    t.fails("state", identifier, text="does not exist")
    t.true(t.wait_and_reap(saving, 8) != 0, "a checkpoint without its container")


@test(needs=(*NEEDS, "systemd"), timeout=120)
def into_a_scope(t):
    """--systemd-cgroup: restored processes are in a scope of the new container's name"""
    scope = Scope(t, "sh", "-c", COUNT).up()
    counting(t, scope.bundle)
    image = saved(t, scope.id)
    t.eventually(lambda: gone(t, scope.unit), "the end of the first scope")
    back = t.own(t.new_id())
    unit = f"apus-{back}.scope"
    scope.bundle.set("linux.cgroupsPath", f":apus:{back}").save(back)
    t.ok("--systemd-cgroup", "restore", "--detach", "-b", scope.bundle.path, "--image-path", image, back,
         timeout=40)
    counting(t, scope.bundle)
    with open(f"/proc/{t.pid(back)}/cgroup") as file:
        path = file.read().splitlines()[-1][3:]
    t.equal(shown(t, unit, "ActiveState", "ControlGroup"), {"ActiveState": "active", "ControlGroup": path})
    t.ok("pause", back)
    t.equal(t.status(back), "paused")
    t.ok("resume", back)
    t.ok("delete", "--force", back)
    t.eventually(lambda: gone(t, unit), "the end of the scope")

"""What must not get into a container: the runtime's file, handles, paths, keys, sockets."""
import hashlib
import os
import stat
import subprocess

from harness import Settings, cases, test


def digest():
    with open(Settings.runtime, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@cases([("run", "/proc/self/exe"), ("script", "/evil")])
def own_executable(t, program):
    """/proc/self/exe as the program does not give the container the runtime"""
    before = digest()
    bundle = t.bundle(program)
    with open(f"{bundle.rootfs}/evil", "w") as file:
        file.write("#!/proc/self/exe\n")
    os.chmod(f"{bundle.rootfs}/evil", 0o755)
    identifier = t.own(t.new_id(), bundle)
    t.rt("run", "-b", bundle.path, identifier)
    t.equal(digest(), before)


@test(needs=("root", "probe"))
def executable_cannot_be_opened_for_writing(t):
    """/proc/1/exe of a created container is neither the host's file nor writable"""
    identifier = t.create(t.bundle("sleep", "1000"))
    path = f"/proc/{t.pid(identifier)}/exe"
    host, seen = os.stat(Settings.runtime), os.stat(path)
    t.true((host.st_dev, host.st_ino) != (seen.st_dev, seen.st_ino), "init is the host's file")
    try:
        os.close(os.open(path, os.O_WRONLY))
        t.fail("opened for writing")
    except OSError:
        pass


@cases([(str(n), n) for n in (3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20)])
def working_directory_is_a_handle(t, number):
    """cwd=/proc/self/fd/N with inherited directories: refused, or inside"""
    bundle = t.bundle("sh", "-c", "ls -d .; cat ./host-marker; pwd", **{"process.cwd": f"/proc/self/fd/{number}"})
    marker = t.file("outer/host-marker", "HOST")
    held = [os.open(os.path.dirname(marker), os.O_RDONLY) for _ in range(17)]
    result = t.run(bundle, pass_fds=held)
    t.lacks(result.out, "HOST")


@test
def exec_working_directory_is_a_handle(t):
    """exec --cwd /proc/self/fd/N likewise, also through a symlink"""
    bundle = t.bundle("sleep", "1000")
    os.symlink("/proc/self/fd/7", f"{bundle.rootfs}/way-out")
    identifier = t.create(bundle)
    t.ok("start", identifier)
    marker = t.file("outer/host-marker", "HOST")
    held = [os.open(os.path.dirname(marker), os.O_RDONLY) for _ in range(17)]
    for cwd in [f"/proc/self/fd/{n}" for n in range(3, 12)] + ["/way-out", "/proc/self/cwd/../.."]:
        result = t.rt("exec", "--cwd", cwd, identifier, "cat", "host-marker", pass_fds=held)
        t.lacks(result.out, "HOST", cwd)


@test(needs=("root", "probe"))
def handles_of_created_init(t):
    """a created container's init holds no directory of the host"""
    held = [os.open("/", os.O_RDONLY) for _ in range(40)]
    identifier = t.create(t.bundle("sleep", "1000"), pass_fds=held)
    pid = t.pid(identifier)
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        if int(fd) > 2 and stat.S_ISDIR(os.stat(path).st_mode):
            inside = os.stat(f"/proc/{pid}/root")
            info = os.stat(path)
            t.true((info.st_dev, info.st_ino) == (inside.st_dev, inside.st_ino),
                   f"handle {fd} is {os.readlink(path)}")


@test(needs=("root", "probe"), slow=True, timeout=90)
def joining_process_is_closed(t):
    """a container with CAP_SYS_PTRACE steals no handle of processes that exec into it"""
    bundle = t.bundle("probe", "steal")
    bundle.config["process"]["capabilities"] = {
        k: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"] for k in ("bounding", "effective", "permitted")}
    identifier = t.create(bundle)
    out = t.last_out
    t.ok("start", identifier)
    for _ in range(Settings.rounds(60)):
        t.ok("exec", identifier, "true")
    t.equal(t.read(out), "")


@test(needs="root")
def no_host_paths_in_mountinfo(t):
    """the container's mountinfo has no path of the host beyond what was asked"""
    bundle = t.bundle("cat", "/proc/self/mountinfo")
    out = t.run(bundle).out
    for row in out.splitlines():
        source_root, point = row.split()[3:5]
        t.true(point == "/" or source_root.startswith("/") and t.directory not in source_root
               and "/run/" not in source_root and t.root not in source_root, row)


@test
def state_directory_unreachable(t):
    """the state directory is not seen from inside"""
    t.lacks(t.sh("cat /proc/self/mountinfo /proc/1/mountinfo"), t.root)


@test
def no_abstract_sockets(t):
    """no abstract sockets stay open"""
    before = t.read("/proc/net/unix").count("@")
    t.up()
    t.equal(t.read("/proc/net/unix").count("@"), before)


@test(needs=("root", "strace"))
def nothing_of_the_image_is_opened(t):
    """no library, locale or name service file of the image is opened by the runtime"""
    bundle = t.bundle("true")
    os.makedirs(f"{bundle.rootfs}/lib/x86_64-linux-gnu")
    for name in ("etc/ld.so.cache", "etc/nsswitch.conf", "etc/localtime", "lib/x86_64-linux-gnu/libnss_files.so.2"):
        with open(f"{bundle.rootfs}/{name}", "w") as file:
            file.write("evil")
    bundle.save("x")
    trace = f"{t.directory}/trace"
    t.own("x", bundle)
    t.rt("run", "-b", bundle.path, "x",
         wrap=["strace", "-f", "-e", "trace=open,openat,openat2,pivot_root,chroot,execve", "-o", trace])
    text = t.read(trace)
    inside = text[text.index("pivot_root"):] if "pivot_root" in text else text
    inside = inside[:inside.index('execve("/bin/true"')] if 'execve("/bin/true"' in inside else inside
    for word in ("libnss", "nsswitch", "ld.so.cache", "locale", "gconv"):
        t.lacks(inside, word)


@test(needs="root")
def inherited_mounts_do_not_show(t):
    """a mount made on the host before is not in the container"""
    os.makedirs(f"{t.directory}/mine")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{t.directory}/mine"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/mine"], check=True))
    t.lacks(t.sh("cat /proc/self/mountinfo"), "/mine ")


@test(needs="probe")
def sessions_are_apart(t):
    """two containers have different session keyrings"""
    def serial():
        return t.run(t.bundle("probe", "keyring")).out.split()[1]
    t.true(serial() != serial(), "the same keyring")


@test
def passed_variables_do_not_reach_the_runtime(t):
    """LD_PRELOAD of the container's environment does not matter to the runtime"""
    bundle = t.bundle("true")
    bundle.config["process"]["env"] += ["LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/"]
    t.equal(t.run(bundle).code, 0)

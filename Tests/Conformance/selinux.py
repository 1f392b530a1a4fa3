"""SELinux in force, under the policy beside this file: `Tests/vm/conformance` with APUS_VM_AS=selinux
boots a kernel for it and loads the policy."""
import os

from harness import test

CONTAINER, OTHER, SECRET = "u:r:container_t", "u:r:other_t", "u:object_r:secret_t"
SCRIPT = "cat /proc/self/attr/current; echo; cat /secret || echo refused"
NEEDS = ("selinux", "root")


def with_secret(t, *args, **changes):
    bundle = t.bundle(*args, **changes)
    path = f"{bundle.rootfs}/secret"
    with open(path, "w") as file:
        file.write("known\n")
    os.setxattr(path, "security.selinux", SECRET.encode())
    return bundle


def words(out):
    return out.replace("\0", " ").split()


@test(needs=NEEDS)
def label_in_force(t):
    """the process has the label, and what that denies is refused; without one it reads on"""
    out = t.run(with_secret(t, "sh", "-c", SCRIPT, process__selinuxLabel=CONTAINER)).out
    t.equal(words(out), [CONTAINER, "refused"])
    out = t.run(with_secret(t, "sh", "-c", SCRIPT)).out
    t.equal(words(out), ["u:r:host_t", "known"])


@test(needs=NEEDS)
def label_of_an_exec(t):
    """exec has the container's label, or that of --process-label"""
    bundle = with_secret(t, "sleep", "1000", process__selinuxLabel=CONTAINER)
    identifier = t.create(bundle)
    t.ok("start", identifier)
    t.equal(words(t.ok("exec", identifier, "sh", "-c", SCRIPT).out), [CONTAINER, "refused"])
    out = t.ok("exec", "--process-label", OTHER, identifier, "sh", "-c", SCRIPT).out
    t.equal(words(out), [OTHER, "known"])


@test(needs=NEEDS)
def label_without_new_privileges(t):
    """no_new_privs does not keep the process from its label"""
    bundle = with_secret(t, "sh", "-c", SCRIPT, process__selinuxLabel=CONTAINER, process__noNewPrivileges=True)
    t.equal(words(t.run(bundle).out), [CONTAINER, "refused"])


@test(needs=NEEDS)
def mount_label(t):
    """the files of the container's own file systems have the mount label"""
    script = "echo x >/m/file; cat /m/file || echo refused; grep ' /m ' /proc/self/mountinfo"
    bundle = t.bundle("sh", "-c", script, process__selinuxLabel=CONTAINER, linux__mountLabel=SECRET)
    bundle.mount("/m")
    out = t.run(bundle).out
    t.true("refused" in out.split(), out)
    t.true(f"context={SECRET}" in out, out)


@test(needs=NEEDS)
def unknown_label(t):
    """a label that the policy has not fails create, and nothing is left"""
    t.refused(t.bundle(process__selinuxLabel="u:r:nobody_t"), verb="create", text="process.selinuxLabel")
    bundle = t.bundle(linux__mountLabel="u:object_r:nobody_t").mount("/m")
    t.refused(bundle, verb="create", text="mounts[")

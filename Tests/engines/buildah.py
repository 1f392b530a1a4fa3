"""buildah run and bud with the runtime under test."""

from harness import USER, check, contains, equal, sh


class Buildah:
    """buildah of one user."""

    def __init__(self, name, user):
        self.name, self.user = name, user
        self.runtime = None

    def __call__(self, arguments, **options):
        return sh(f"buildah {arguments}", user=self.user, **options)

    def prepare(self, runtime, archive):
        """Imports the image."""
        self.runtime = runtime
        sh(f"podman import {archive} box >/dev/null", user=self.user)

    def clean(self):
        """Removes what a failed check left."""
        self("rm -a >/dev/null 2>&1; true", expect=None)


# Its defaults are more than the host may allow root of a namespace.
LIMIT = "--ulimit nofile=1024:1024 --ulimit nproc=1024:1024"
BUILDAH = Buildah("buildah", None)
ROOTLESS = Buildah("buildah-rootless", USER)
ALL = (BUILDAH, ROOTLESS)


@check(*ALL)
def run(buildah):
    """buildah run: output, exit code, user, a missing program."""
    name = buildah(f"from {LIMIT} localhost/box").strip()
    command = f"run --isolation oci --runtime {buildah.runtime}"
    equal(buildah(f"{command} {name} -- echo hello").strip(), "hello", "output")
    code, _ = buildah(f"{command} {name} -- sh -c 'exit 3'", expect=None)
    equal(code, 3, "exit code")
    contains(buildah(f"{command} --user 33:44 {name} -- id"), "uid=33")
    contains(buildah(f"{command} --cap-add CAP_NET_ADMIN {name} -- grep CapEff /proc/self/status"), "CapEff:")
    contains(buildah(f"{command} {name} -- nope", expect=None)[1], "not found in $PATH")


@check(*ALL)
def volume_and_terminal(buildah):
    """buildah run with a volume, and with a terminal."""
    name = buildah(f"from {LIMIT} localhost/box").strip()
    command = f"run --isolation oci --runtime {buildah.runtime}"
    equal(buildah(f"{command} -v /etc/hostname:/given:ro {name} -- cat /given"), sh("cat /etc/hostname"), "volume")
    contains(buildah(f"{command} -t {name} -- tty"), "/dev/pts/0")


@check(*ALL)
def bud(buildah):
    """buildah bud with RUN, a secret, a cache and a failing step."""
    sh("rm -rf bud && mkdir bud && echo word >bud/secret && "
       "printf 'FROM localhost/box\\nRUN echo built >/made\\n"
       "RUN --mount=type=secret,id=s cat /run/secrets/s >>/made\\n"
       "RUN --mount=type=cache,target=/c touch /c/x && ls /c >>/made\\n' >bud/Dockerfile", user=buildah.user)
    command = f"bud {LIMIT} --isolation oci --runtime {buildah.runtime} -t built --secret id=s,src=bud/secret bud"
    buildah(command)
    equal(sh("podman run --rm built cat /made", user=buildah.user).split(), ["built", "word", "x"], "made")
    sh("printf 'FROM localhost/box\\nRUN exit 6\\n' >bud/Dockerfile", user=buildah.user)
    code, text = buildah(command, expect=None)
    equal(code, 6, text)

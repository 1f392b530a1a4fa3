"""buildah run and bud with the runtime under test."""

from harness import check, contains, equal, sh


class Buildah:
    """buildah as root."""

    name = "buildah"

    def __init__(self):
        self.runtime = None

    def __call__(self, arguments, **options):
        return sh(f"buildah {arguments}", **options)

    def prepare(self, runtime, archive):
        """Imports the image."""
        self.runtime = runtime
        sh(f"podman import {archive} box >/dev/null")

    def clean(self):
        """Removes what a failed check left."""
        sh("buildah rm -a >/dev/null 2>&1; true", expect=None)


BUILDAH = Buildah()


@check(BUILDAH)
def run(buildah):
    """buildah run: output and exit code."""
    name = buildah("from localhost/box").strip()
    equal(buildah(f"run --runtime {buildah.runtime} {name} -- echo hello").strip(), "hello", "output")
    code, _ = buildah(f"run --runtime {buildah.runtime} {name} -- sh -c 'exit 3'", expect=None)
    equal(code, 3, "exit code")
    contains(buildah(f"run --runtime {buildah.runtime} --user 33:44 {name} -- id"), "uid=33")


@check(BUILDAH)
def bud(buildah):
    """buildah bud with RUN."""
    sh("rm -rf /tmp/bud && mkdir /tmp/bud && printf 'FROM localhost/box\\nRUN echo built >/made\\n' >/tmp/bud/Dockerfile")
    buildah(f"bud --runtime {buildah.runtime} -t built /tmp/bud")
    equal(sh("podman run --rm built cat /made").strip(), "built", "output")

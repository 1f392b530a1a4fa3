"""The Debian package of the runtime: it installs, podman finds it, and it goes without a trace."""

import glob
import os

from harness import Unavailable, check, contains, equal, sh
from podman import ROOT


class Package:
    """apt, and the package that `make deb` makes of the runtime under test."""

    name = "package"

    def __init__(self):
        self.file = None

    def prepare(self, runtime, archive):
        """Finds the package beside the payload."""
        found = glob.glob("../apus_*.deb")
        if not found:
            raise Unavailable("no package of this runtime")
        self.file = os.path.realpath(found[0])
        ROOT.prepare(runtime, archive)

    def clean(self):
        """Removes what a failed check left."""
        sh("apt-get purge -y apus >/dev/null 2>&1; true", expect=None)


PACKAGE = Package()


@check(PACKAGE)
def deb(package):
    """apt-get installs it, podman and man find it, and purging removes every file."""
    # What the other checks had podman find instead.
    hidden = ("/usr/local/bin/apus", "/etc/containers/containers.conf.d/runtime.conf")
    for path in hidden:
        if os.path.exists(path):
            os.rename(path, path + ".hidden")
    try:
        sh(f"DEBIAN_FRONTEND=noninteractive apt-get install -y {package.file}", timeout=300)
        equal(sh("podman --runtime apus info -f '{{.Host.OCIRuntime.Path}}'").strip(), "/usr/bin/apus", "podman's runtime")
        equal(sh("podman --runtime apus run --rm box echo packaged").strip(), "packaged", "output")
        contains(sh("podman --runtime apus run --rm --cgroups disabled box nope", expect=127), "not found in $PATH")
        contains(sh("dpkg -L apus"), "/usr/share/man/man8/apus.8.gz")
        files = sh("dpkg -L apus | xargs -n1 sh -c 'test -f \"$0\" && echo \"$0\"; true'").split()
        sh("apt-get purge -y apus")
        equal([path for path in files if os.path.exists(path)], [], "left")
    finally:
        for path in hidden:
            if os.path.exists(path + ".hidden"):
                os.rename(path + ".hidden", path)

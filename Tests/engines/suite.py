"""Runs in the machine: prepares the engines for the runtime, then makes the checks.

usage: suite.py RUNTIME ARCHIVE [PATTERN]
"""

import re
import sys

import buildah
import containerd
import cri
import docker
import load  # noqa: F401 (its checks register themselves, as those of swarm do)
import package
import podman
import podman_options  # noqa: F401
import swarm  # noqa: F401
from harness import CHECKS, Failed, Unavailable, note, run_all, sh

# One check of every kind of thing that an engine asks of its runtime.
CORE = (r"^podman\.(run_(output|exit_code|missing_in_path|not_executable|user|seccomp|terminal|device|no_cgroups)"
        r"|lifecycle|exec_details|pause|limits|sdnotify|systemd)$"
        r"|^rootless\.(run_output|lifecycle)$|^containerd\.(run|missing_program|terminal|tasks)$")


def main():
    runtime, archive = sys.argv[1], sys.argv[2]
    pattern = sys.argv[3] if len(sys.argv) > 3 else "."
    if pattern == "core":
        pattern = CORE
    note(sh(f"{runtime} --version").splitlines()[0])
    failures = 0
    unavailable = {}
    for engine in (*podman.ALL, *buildah.ALL, containerd.CTR, cri.CRI, docker.DOCKER, package.PACKAGE):
        if not any(re.search(pattern, name) for name, _, owner in CHECKS if owner is engine):
            continue
        try:
            engine.prepare(runtime, archive)
        except Unavailable as reason:
            unavailable[engine] = str(reason)
        except Failed as reason:
            print(f"FAIL {engine.name}.prepare: {reason}", flush=True)
            failures += 1
    return 1 if run_all(pattern, unavailable) + failures else 0


if __name__ == "__main__":
    sys.exit(main())

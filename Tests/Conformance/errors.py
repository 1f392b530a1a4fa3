"""Bad input: a refusal within a second, with the reason, no signal, nothing left."""
import itertools
import json
import os
import subprocess
import re
import resource

from harness import cases, test


def raw(t, content, text=None, seconds=3):
    bundle = t.bundle()
    bundle.raw = content
    result = t.refused(bundle, text=text)
    t.quick(result.seconds, seconds, str(result))
    return result


def base(t):
    return t.bundle().config


def broken(t, path, value):
    return raw(t, json.dumps(t.bundle().set(path, value).config))


@cases([("empty", ""), ("space", "  \n"), ("word", "hello"), ("array", "[]"), ("number", "1"),
        ("null", "null"), ("cut", '{"ociVersion": "1.0'), ("comma", '{"a": 1,}'),
        ("single-quotes", "{'a': 1}"), ("comment", '{} // x'), ("bom", "\ufeff{}"), ("object", "{}"),
        ("nul", "\0"), ("lone-surrogate", '{"ociVersion": "\\ud800"}'), ("leading-zero", '{"a": 01}'),
        ("nan", '{"a": NaN}')])
def not_a_config(t, content):
    """config.json that is no configuration"""
    raw(t, content)


@test
def missing_config(t):
    """a bundle without config.json"""
    os.mkdir(f"{t.directory}/empty")
    t.fails("create", "-b", f"{t.directory}/empty", "x", text="config.json")


@test
def missing_bundle(t):
    """a bundle that does not exist"""
    t.fails("create", "-b", "/no/such/bundle", "x", text="/no/such/bundle")


@test
def trailing_bytes(t):
    """bytes behind the document"""
    raw(t, json.dumps(base(t)) + " {}")


@test
def deep_nesting(t):
    """a million nested arrays"""
    raw(t, '{"x": ' + "[" * 1000000 + "]" * 1000000 + "}")


@test
def deep_objects(t):
    """a hundred thousand nested objects"""
    raw(t, '{"x":' * 100000 + "1" + "}" * 100000)


@test
def huge_file(t):
    """a config of 100 MB is refused before it is believed"""
    bundle = t.bundle()
    head, tail = json.dumps(bundle.config)[:-1] + ', "unknown": "', '"}'
    # In pieces: what this process holds would count as the runtime's, which is forked from it.
    bundle.raw = itertools.chain([head], itertools.repeat("x" * 100000, 1000), [tail])
    t.quick(t.refused(bundle).seconds, 5, "the refusal")
    t.true(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 64 << 10,
           f"peak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss} KiB")


@cases([("process", '"process": {"args": ["true"], "cwd": "/"}'), ("root", '"root": {"path": "/"}'),
        ("unknown", '"zzz": 1, "zzz": 2')])
def duplicate_key(t, extra):
    """a key given twice"""
    raw(t, json.dumps(base(t))[:-1] + ", " + extra + "}")


@cases([("args", "process.args", ["true\0x"]), ("env", "process.env", ["A=\0"]),
        ("cwd", "process.cwd", "/\0"), ("hostname", "hostname", "a\0b"),
        ("root", "root.path", "rootfs\0x"), ("cgroup", "linux.cgroupsPath", "/a\0b"),
        ("masked", "linux.maskedPaths", ["/a\0b"])])
def nul_byte(t, path, value):
    """a NUL in a string"""
    broken(t, path, value)


@test
def nul_in_destination(t):
    """a NUL in a mount's destination"""
    raw(t, json.dumps(t.bundle().mount("/a\0b").config))


@test
def invalid_utf8(t):
    """bytes that are not UTF-8"""
    raw(t, json.dumps(t.bundle("x@y").config).encode().replace(b"x@y", b"x\xff\xfey"))


@cases([("minus", -1), ("2^32", 2**32), ("fraction", 1.5), ("text", "0"), ("null-object", {}),
        ("exponent", 1e20), ("bool", True), ("list", [0])])
def bad_uid(t, value):
    """a uid that is none"""
    broken(t, "process.user.uid", value)


@cases([("minus", -1), ("2^32", 2**32), ("text", "5")])
def bad_group(t, value):
    """a supplementary group that is none"""
    broken(t, "process.user.additionalGids", [value])


@cases([("args-empty", "process.args", []), ("args-missing", "process.args", None),
        ("args-type", "process.args", "true"), ("args-number", "process.args", [1]),
        ("cwd-relative", "process.cwd", "tmp"), ("cwd-missing", "process.cwd", None),
        ("cwd-empty", "process.cwd", ""), ("env-type", "process.env", {"A": "1"}),
        ("process-missing", "process", None), ("process-type", "process", []),
        ("root-missing", "root", None), ("root-path-missing", "root.path", None),
        ("root-none", "root.path", "no-such-dir"), ("root-type", "root.path", 5),
        ("terminal-type", "process.terminal", "yes"), ("readonly-type", "root.readonly", 1),
        ("mounts-type", "mounts", {}), ("mount-type", "mounts", ["x"]),
        ("linux-type", "linux", []), ("hostname-type", "hostname", 5),
        ("annotations-type", "annotations", {"a": 1}), ("hooks-type", "hooks", []),
        ("namespaces-type", "linux.namespaces", [{"type": 5}]),
        ("namespace-empty", "linux.namespaces", [{}]), ("rlimit-type", "process.rlimits", {}),
        ("nnp-type", "process.noNewPrivileges", "true"), ("sysctl-type", "linux.sysctl", {"net.x": 1}),
        ("oom-range", "process.oomScoreAdj", 100000), ("rootfs-propagation", "linux.rootfsPropagation", "both"),
        ("personality", "linux.personality", {"domain": "WINDOWS"}), ("devices-type", "linux.devices", {}),
        ("device-kind", "linux.devices", [{"type": "x", "path": "/dev/x", "major": 1, "minor": 1}]),
        ("device-number", "linux.devices", [{"type": "c", "path": "/dev/x", "major": -1, "minor": 1}]),
        ("device-rule-access", "linux.resources.devices", [{"allow": True, "access": "rwx"}]),
        ("masked-type", "linux.maskedPaths", "/proc"), ("version", "ociVersion", "2.0.0"),
        ("version-type", "ociVersion", 1), ("version-empty", "ociVersion", ""),
        ("version-missing", "ociVersion", None), ("scheduler", "process.scheduler", {"policy": "SCHED_BOGUS"}),
        ("io-class", "process.ioPriority", {"class": "IOPRIO_CLASS_X", "priority": 1}),
        ("umask", "process.user.umask", -1)])
def bad_value(t, path, value):
    """a value of the wrong kind, missing, or out of range"""
    broken(t, path, value)


@cases([(name, [name]) for name in ("=x", "", "NOEQUALS", "A=1\0B=2")])
def bad_environment(t, value):
    """an environment entry that is none"""
    broken(t, "process.env", value)


@cases([("unknown", [{"type": "RLIMIT_BOGUS", "soft": 1, "hard": 1}]),
        ("soft-over-hard", [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 5}]),
        ("twice", [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 2),
        ("negative", [{"type": "RLIMIT_CORE", "soft": -1, "hard": 0}])])
def bad_rlimit(t, value):
    """a resource limit that is none"""
    broken(t, "process.rlimits", value)


@cases([("missing", "no-such-program", ["executable file", "no such file or directory"]),
        ("path", "/no/such/program", ["no such file or directory"]),
        ("directory", "/etc", ["is a directory", "permission denied"]),
        ("not-executable", "/etc/passwd", ["permission denied"]),
        ("empty", "", ["no such file or directory", "not found", "empty"])])
def cannot_run(t, program, text):
    """a program that cannot start fails the create, with words that engines know"""
    t.refused(t.bundle(program), text=text, verb="create")


@test
def missing_program_is_named(t):
    """the missing program is named in the words that engines parse"""
    t.refused(t.bundle("no-such-program"), verb="create",
              text='exec: "no-such-program": executable file not found in $PATH')


@cases([(name or "empty", name) for name in (
    "..", ".", "a/b", "/a", "a b", "x" * 1025, "ä", "a\nb", "", "../x", "a;b", "%s")])
def bad_id(t, identifier):
    """an id with other letters is refused by every verb"""
    bundle = t.bundle()
    bundle.save("x")
    before = os.listdir(t.root)
    for verb in (["create", "-b", bundle.path], ["state"], ["delete"], ["kill"]):
        t.fails(*verb, identifier)
    t.equal([e for e in os.listdir(t.root) if os.path.isdir(f"{t.root}/{e}")],
            [e for e in before if os.path.isdir(f"{t.root}/{e}")])


@cases([(n, n) for n in ("a", "A1", "a.b", "a_b", "a-b", "a+b", "0", "x" * 200, "...")])
def good_id(t, identifier):
    """ids of the allowed letters work"""
    bundle = t.bundle()
    t.own(identifier, bundle)
    t.ok("create", "-b", bundle.path, identifier)


@cases([(key, key) for key in ("process.NONEWPRIVILEGES", "process.noNewPrivilege", "linux.maskedpaths",
                               "linux.Seccomp", "root.readOnly")])
def near_miss(t, key):
    """an unknown key is not read as the one it looks like"""
    bundle = t.bundle("sh", "-c", "true")
    bundle.set(key, {"defaultAction": "SCMP_ACT_KILL", "syscalls": []} if "eccomp" in key else True)
    identifier = t.own(t.new_id(), bundle)
    t.rt("run", "-b", bundle.path, identifier)


@test
def unknown_keys_are_allowed(t):
    """unknown keys are no error"""
    bundle = t.bundle("true", somethingNew={"a": [1, 2, {"b": None}]}, process__future=1,
                      linux__future="x")
    t.equal(t.run(bundle).code, 0)


@cases([("number", 65535), ("wrap", 65536), ("double", 131072)], needs="root")
def long_values(t, size):
    """paths and values whose sum passes 64 KiB have their exact effect"""
    bundle = t.bundle("sh", "-c", "echo ${#A} ${#B}")
    half = size // 2  # one string may have 128 KiB at most
    bundle.config["process"]["env"] += ["A=" + "x" * half, "B=" + "y" * (size - half)]
    t.equal(t.run(bundle).out, f"{half} {size - half}\n")


@test
def large_environment(t):
    """a thousand variables"""
    bundle = t.bundle("sh", "-c", "env | grep -c ^V")
    bundle.config["process"]["env"] += [f"V{n}=x" for n in range(1000)]
    t.equal(t.run(bundle).out.strip(), "1000")


@test
def vm_is_refused(t):
    """a configuration of a virtual machine is not run as a process"""
    t.refused(t.bundle(vm={"kernel": {"path": "/vmlinuz"}}))


@test
def log_json(t):
    """--log --log-format json gets exactly one error object"""
    log = f"{t.directory}/log.json"
    bundle = t.bundle("no-such-program")
    bundle.save("x")
    t.fails("--log", log, "--log-format", "json", "create", "-b", bundle.path, "x")
    lines = t.read(log).splitlines()
    t.equal(len(lines), 1, f"lines of {lines}")
    record = json.loads(lines[0])
    t.equal(record["level"], "error")
    t.contains(record["msg"], "no-such-program")
    t.true(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$", record["time"]),
           record["time"])


@test
def log_text_and_append(t):
    """--log appends"""
    log = t.file("log", "first\n")
    t.fails("--log", log, "state", "nobody")
    t.true(t.read(log).startswith("first\n") and "does not exist" in t.read(log), t.read(log))


@test
def log_silent_on_success(t):
    """nothing is logged when nothing failed"""
    log = f"{t.directory}/log.json"
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    result = t.ok("--log", log, "--log-format", "json", "create", "-b", bundle.path, identifier)
    t.equal((result.out, result.err), ("", ""))
    t.equal(t.read(log) if os.path.exists(log) else "", "")


@test
def stderr_is_short(t):
    """an error is at most 8 KiB"""
    bundle = t.bundle("x" * 100000)
    bundle.save("x")
    result = t.fails("create", "-b", bundle.path, "x")
    t.true(len(result.err) <= 8192, len(result.err))


@test(needs="root")
def full_state_directory(t):
    """a full state directory refuses the create and leaves nothing"""
    os.makedirs(f"{t.directory}/small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=3", "tmpfs", f"{t.directory}/small"],
                   check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/small"], check=True))
    t.root = f"{t.directory}/small"
    t.refused(t.bundle(), verb="create")


@test(needs="root")
def read_only_state_directory(t):
    """a read-only state directory refuses the create and leaves nothing"""
    os.makedirs(f"{t.directory}/ro")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", f"{t.directory}/ro"], check=True)
    t.cleanups.append(lambda: subprocess.run(["umount", f"{t.directory}/ro"], check=True))
    t.root = f"{t.directory}/ro"
    t.refused(t.bundle(), verb="create")


@test
def few_handles(t):
    """RLIMIT_NOFILE of 10 works or refuses cleanly"""
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    result = t.rt("run", "-b", bundle.path, identifier, wrap=["sh", "-c", "ulimit -n 10; exec \"$@\"", "sh"])
    t.true(0 <= result.code < 128, str(result))

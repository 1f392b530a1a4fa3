"""The command line as engines use it: forms of options, version, features, spec, help."""
import json
import os
import re

from harness import Settings, cases, test


@test
def version(t):
    """--version: name and version, commit, spec"""
    out = t.rt("--version", plain=True).out
    t.true(re.match(r"\S+ version \S+\n", out), out)
    t.true(re.search(r"^spec: 1\.\d+\.\d+", out, re.M), out)
    t.true(re.search(r"^commit: ?", out, re.M), out)
    t.equal(t.rt("-v", plain=True).out, out)


@test
def features(t):
    """features: the structure of the specification, with everything engines look for"""
    found = json.loads(t.ok("features").out)
    for key in ("ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux"):
        t.true(key in found, f"no {key}")
    t.equal(set(found["hooks"]), {"prestart", "createRuntime", "createContainer", "startContainer",
                                  "poststart", "poststop"})
    t.true({"bind", "ro", "nosuid", "rshared"} <= set(found["mountOptions"]), found["mountOptions"])
    linux = found["linux"]
    t.true({"pid", "network", "ipc", "uts", "mount", "cgroup", "user"} <= set(linux["namespaces"]),
           linux["namespaces"])
    t.true("CAP_SYS_ADMIN" in linux["capabilities"], "capabilities")
    t.equal(linux["cgroup"]["v2"], True)
    t.equal(linux["seccomp"]["enabled"], True)
    t.true({"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"} <= set(linux["seccomp"]["actions"]), "actions")
    t.true({"SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"} <= set(linux["seccomp"]["operators"]), "operators")


@test
def features_newer(t):
    """features tells of recursive mount flags and idmapped mounts"""
    found = json.loads(t.ok("features").out)
    t.true("rro" in found["mountOptions"], "rro")
    t.equal(found["linux"]["mountExtensions"]["idmap"]["enabled"], True)


@test
def spec(t):
    """spec writes a config.json that runs, and never overwrites one"""
    t.ok("spec")
    config = json.loads(t.read(f"{t.directory}/config.json"))
    t.equal(config["process"]["args"], ["sh"])
    t.fails("spec", text="exist")


@test(needs="root")
def spec_runs(t):
    """the written config.json runs as it is"""
    bundle = t.bundle()
    t.ok("spec", "--bundle", bundle.path)
    config = json.loads(t.read(f"{bundle.path}/config.json"))
    config["process"].update(args=["echo", "it runs"], terminal=False)
    bundle.config = config
    t.equal(t.run(bundle).out, "it runs\n")


@test
def spec_rootless(t):
    """spec --rootless maps the caller"""
    t.ok("spec", "--rootless")
    config = json.loads(t.read(f"{t.directory}/config.json"))
    t.equal(config["linux"]["uidMappings"][0]["hostID"], os.geteuid())
    t.true("user" in [n["type"] for n in config["linux"]["namespaces"]], "no user namespace")


@cases([(verb, verb) for verb in ("create", "start", "state", "kill", "delete", "run", "exec", "list",
                                  "ps", "pause", "resume", "update", "features", "spec")])
def help_of(t, verb):
    """VERB --help"""
    result = t.ok(verb, "--help")
    t.contains(result.out, verb)


@test
def general_help(t):
    """--help names the verbs"""
    out = t.rt("--help", plain=True).out
    for verb in ("create", "start", "state", "kill", "delete", "exec"):
        t.contains(out, verb)


@test
def nothing_given(t):
    """without arguments: help, no crash"""
    result = t.rt(plain=True)
    t.true(0 <= result.code < 128 and result.out + result.err, str(result))


@cases([("verb", ["frobnicate"]), ("help", ["help", "frobnicate"])])
def unknown_command(t, arguments):
    """a command that there is not has an exit code of its own"""
    t.equal(t.fails(*arguments).code, 3)


@cases([("option", ["state", "--frobnicate", "x"]), ("missing", ["state"]),
        ("too-many", ["state", "a", "b"]), ("value", ["create", "--bundle"]), ("kill-none", ["kill"]),
        ("global", ["--frobnicate", "list"]), ("number", ["create", "--preserve-fds", "x", "id"]),
        ("negative", ["create", "--preserve-fds", "-1", "id"]), ("format", ["list", "-f", "xml"]),
        ("log-format", ["--log-format", "xml", "list"])])
def not_understood(t, arguments):
    """a command line that is not understood is refused"""
    t.fails(*arguments)


@cases([("separate", ["--bundle", "{b}"]), ("equals", ["--bundle={b}"]), ("short", ["-b", "{b}"]),
        ("after", None)])
def forms_of_options(t, form):
    """the forms of an option with a value"""
    bundle = t.bundle()
    identifier = t.own(t.new_id(), bundle)
    if form is None:
        t.ok("create", f"--bundle={bundle.path}", "--pid-file", f"{t.directory}/p", identifier)
    else:
        t.ok("create", *[x.format(b=bundle.path) for x in form], identifier)


@test
def single_dash(t):
    """a long name with one dash, as one engine writes -no-subreaper"""
    bundle = t.bundle("true")
    identifier = t.own(t.new_id(), bundle)
    t.ok("run", "-no-subreaper", "--bundle", bundle.path, identifier)


@test
def global_options(t):
    """the global options that engines give"""
    bundle = t.bundle()
    t.own("x", bundle)
    t.global_flags = ["--log", f"{t.directory}/log", "--log-format", "json"]
    t.ok("create", "--bundle", bundle.path, "--pid-file", f"{t.directory}/pid", "x")
    t.ok("start", "x")
    t.ok("delete", "--force", "x")


@test(needs="user")
def root_without_environment(t):
    """without XDG_RUNTIME_DIR a user's state is in /run/user or /tmp, in a directory of the user's own"""
    bundle = t.bundle("true")
    bundle.save("plain1")
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    for arguments in (["create", "-b", bundle.path, "plain1"], ["delete", "--force", "plain1"]):
        result = t.rt(*arguments, plain=True, env=environment)
        t.equal(result.code, 0, str(result))


@test(needs="user")
def root_of_another(t):
    """a root directory that is another's is refused"""
    t.fails("--root", "/usr", "list", plain=True, text="EPERM")


@test
def root_from_environment(t):
    """without --root an ordinary user's state is below XDG_RUNTIME_DIR"""
    if os.geteuid() == 0:
        t.skip("only as an ordinary user")
    os.mkdir(f"{t.directory}/xdg", 0o700)
    bundle = t.bundle("true")
    bundle.save("xdg1")
    environment = {**os.environ, "XDG_RUNTIME_DIR": f"{t.directory}/xdg"}
    result = t.rt("create", "-b", bundle.path, "xdg1", plain=True, env=environment)
    t.equal(result.code, 0, str(result))
    t.true(os.listdir(f"{t.directory}/xdg"), "nothing in XDG_RUNTIME_DIR")
    result = t.rt("delete", "--force", "xdg1", plain=True, env=environment)
    t.equal(result.code, 0, str(result))


@test
def missing_explicit_root(t):
    """list of an explicit root that does not exist"""
    result = t.rt("--root", "/no/such/root", "list", plain=True)
    t.true(result.code in (0, 1), str(result))


@test
def checkpoint_help(t):
    """checkpoint --help tells whether there is checkpoint; restore wants its argument"""
    if t.rt("checkpoint", "--help").code:
        t.skip("no checkpoint")
    result = t.rt("restore", "--lsm-mount-context")
    t.contains(result.out + result.err, ["flag needs an argument", "requires an argument"])


@test
def bundle_with_strange_name(t):
    """a bundle whose path has spaces, quotes and letters of other languages"""
    bundle = t.bundle("echo", "fine")
    bundle.save("x")
    strange = f"{t.directory}/a b'\"ä\\n%s"
    os.rename(bundle.path, strange)
    t.own("x")
    t.equal(t.ok("run", "-b", strange, "x").out, "fine\n")


@test
def works_without_environment(t):
    """an empty environment is enough"""
    bundle = t.bundle("echo", "fine")
    identifier = t.own(t.new_id(), bundle)
    t.equal(t.ok("run", "-b", bundle.path, identifier, env={}).out, "fine\n")


@test
def works_in_a_deleted_directory(t):
    """a working directory that is gone does not matter"""
    bundle = t.bundle("echo", "fine")
    identifier = t.own(t.new_id(), bundle)
    os.mkdir(f"{t.directory}/gone")
    result = t.rt("run", "-b", bundle.path, identifier, cwd=f"{t.directory}/gone",
                  wrap=["sh", "-c", f"rmdir {t.directory}/gone; exec \"$@\"", "sh"])
    t.equal(result.out, "fine\n", str(result))


@test
def no_set_id_program(t):
    """the runtime's file has neither set-id bits nor capabilities"""
    t.equal(os.stat(Settings.runtime).st_mode & 0o6000, 0)
    t.true("security.capability" not in os.listxattr(Settings.runtime), "file capabilities")

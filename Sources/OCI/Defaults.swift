// The configurations that Apus writes itself: for `apus spec` to be edited, for `apus shell` to
// be used as it is.

extension Spec {
    /// The version of OCI's runtime-spec that this runtime implements.
    package static let version = "1.3.0"

    /// What `apus spec` writes: a shell with a terminal, closed off in the customary way.
    package static func example() -> Spec {
        var spec = Spec()
        spec.ociVersion = version
        spec.process = .example()
        spec.root = Root()
        spec.root?.path = "rootfs"
        spec.root?.readonly = true
        spec.hostname = "apus"
        spec.mounts = standardMounts
        spec.linux = .example()
        return spec
    }

    /// The example for a user without privileges, who becomes root inside.
    ///
    /// It has no network namespace, since nobody could set it up, and no limits, since the
    /// cgroup may not be the user's. sysfs can then only be bound, and gid 5 is not mapped.
    package static func rootlessExample(uid: UInt32, gid: UInt32) -> Spec {
        var spec = example()
        spec.linux?.namespaces.removeAll { $0.type == .network }
        spec.linux?.namespaces.append(Namespace(.user))
        spec.linux?.uidMappings = [IDMapping(containerID: 0, hostID: uid, size: 1)]
        spec.linux?.gidMappings = [IDMapping(containerID: 0, hostID: gid, size: 1)]
        spec.linux?.resources = nil
        var mounts: [Mount] = []
        for var mount in spec.mounts {
            switch mount.destination {
            case "/dev/pts": mount.options.removeAll { $0.hasPrefix("gid=") }
            case "/sys":
                mount = Mount(
                    "/sys", type: "none", source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "ro"])
            default: break
            }
            mounts.append(mount)
        }
        spec.mounts = mounts
        return spec
    }

    /// What `apus shell DIR` starts from: writable, with the capabilities that distributions'
    /// package tools need, and Apus's own seccomp filter set by the caller.
    package static func shell(root: String, args: [String]) -> Spec {
        var spec = example()
        spec.root?.path = root
        spec.root?.readonly = false
        spec.process?.args = args
        spec.process?.capabilities = .uniform(Capabilities.ordinary)
        return spec
    }

    /// The file systems that programs expect everywhere: OCI config-linux.md "Default Filesystems".
    package static var standardMounts: [Mount] {
        [
            Mount("/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            Mount(
                "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Mount(
                "/dev/pts", type: "devpts", source: "devpts",
                options: [
                    "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
                ]),
            Mount(
                "/dev/shm", type: "tmpfs", source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            Mount(
                "/dev/mqueue", type: "mqueue", source: "mqueue",
                options: ["nosuid", "noexec", "nodev"]),
            Mount(
                "/sys", type: "sysfs", source: "sysfs",
                options: ["nosuid", "noexec", "nodev", "ro"]),
            Mount(
                "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: ["nosuid", "noexec", "nodev", "relatime", "ro"]),
        ]
    }
}

extension Spec.Process {
    /// A shell on a terminal, with the least of capabilities that is of use.
    static func example() -> Spec.Process {
        var process = Spec.Process()
        process.terminal = true
        process.args = ["sh"]
        process.env = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm",
        ]
        process.cwd = "/"
        process.capabilities = .uniform([
            "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
        ])
        var files = Spec.Rlimit()
        files.type = .nofile
        files.hard = 1024
        files.soft = 1024
        process.rlimits = [files]
        process.noNewPrivileges = true
        return process
    }
}

extension Spec.Capabilities {
    /// What container engines commonly grant: enough for root to manage a container's own files
    /// and users, nothing that reaches the host.
    package static let ordinary = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",
        "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP",
        "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ]

    /// The same capabilities in the sets of root.
    ///
    /// Nothing is inheritable or ambient: such a set would give them to whoever runs a file with
    /// inheritable capabilities (CVE-2022-24769).
    package static func uniform(_ names: [String]) -> Spec.Capabilities {
        var capabilities = Spec.Capabilities()
        capabilities.bounding = names
        capabilities.effective = names
        capabilities.permitted = names
        return capabilities
    }
}

extension Spec.Linux {
    static func example() -> Spec.Linux {
        var linux = Spec.Linux()
        linux.namespaces = [
            Spec.Namespace(.pid), Spec.Namespace(.network), Spec.Namespace(.ipc),
            Spec.Namespace(.uts), Spec.Namespace(.mount), Spec.Namespace(.cgroup),
        ]
        var all = Spec.Resources.DeviceRule()
        all.access = "rwm"
        linux.resources = Spec.Resources()
        linux.resources?.devices = [all]
        linux.maskedPaths = standardMaskedPaths
        linux.readonlyPaths = standardReadonlyPaths
        return linux
    }

    /// Files of procfs and sysfs that tell or change something of the host.
    package static let standardMaskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
        "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
    ]

    /// Files of procfs that may be read only.
    package static let standardReadonlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]
}

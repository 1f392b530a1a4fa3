// The system calls of the default filter, by what they are for.

extension Seccomp {
    /// What every container may call.
    static var allowed: [String] {
        files + directories + attributes + polling + memory + processes + signals + identity
            + scheduling + time + messages + networking + asynchronous + limits
    }

    private static let files = [
        "_llseek", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
        "fadvise64", "fadvise64_64", "fallocate", "fcntl", "fcntl64", "fdatasync", "flock",
        "fsync", "ftruncate", "ftruncate64", "lseek", "memfd_create", "memfd_secret", "open",
        "openat", "openat2", "pipe", "pipe2", "pread64", "preadv", "preadv2", "pwrite64",
        "pwritev", "pwritev2", "read", "readahead", "readv", "sendfile", "sendfile64", "splice",
        "sync", "sync_file_range", "syncfs", "tee", "truncate", "truncate64", "vmsplice", "write",
        "writev",
    ]

    private static let directories = [
        "access", "chdir", "faccessat", "faccessat2", "fchdir", "getcwd", "getdents",
        "getdents64", "link", "linkat", "mkdir", "mkdirat", "mknod", "mknodat", "readlink",
        "readlinkat", "rename", "renameat", "renameat2", "rmdir", "symlink", "symlinkat",
        "unlink", "unlinkat",
    ]

    private static let attributes = [
        "chmod", "chown", "chown32", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32",
        "fchownat", "fgetxattr", "file_getattr", "file_setattr", "flistxattr", "fremovexattr",
        "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "futimesat",
        "getxattr", "getxattrat", "lchown", "lchown32", "lgetxattr", "listxattr", "listxattrat",
        "llistxattr", "lremovexattr", "lsetxattr", "lstat", "lstat64", "name_to_handle_at",
        "newfstatat", "removexattr", "removexattrat", "setxattr", "setxattrat", "stat", "stat64",
        "statfs", "statfs64", "statx", "umask", "utime", "utimensat", "utimensat_time64",
        "utimes",
    ]

    private static let polling = [
        "_newselect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old",
        "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2",
        "fanotify_mark", "inotify_add_watch", "inotify_init", "inotify_init1",
        "inotify_rm_watch", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64",
        "select", "signalfd", "signalfd4",
    ]

    private static let memory = [
        "brk", "madvise", "map_shadow_stack", "membarrier", "mincore", "mlock", "mlock2",
        "mlockall", "mmap", "mmap2", "mprotect", "mremap", "mseal", "msync", "munlock",
        "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "process_madvise",
        "remap_file_pages", "cachestat",
    ]

    private static let processes = [
        "arch_prctl", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork",
        "futex", "futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake",
        "get_robust_list", "get_thread_area", "getpgid", "getpgrp", "getpid", "getppid",
        "getsid", "gettid", "landlock_add_rule", "landlock_create_ruleset",
        "landlock_restrict_self", "modify_ldt", "pidfd_open", "prctl", "process_mrelease",
        "ptrace", "rseq", "seccomp", "set_robust_list", "set_thread_area", "set_tid_address",
        "setpgid", "setsid", "vfork", "wait4", "waitid", "waitpid",
    ]

    private static let signals = [
        "kill", "pause", "pidfd_send_signal", "restart_syscall", "rt_sigaction", "rt_sigpending",
        "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
        "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sigaction", "sigaltstack", "signal",
        "sigpending", "sigprocmask", "sigreturn", "sigsuspend", "tgkill", "tkill",
    ]

    private static let identity = [
        "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups",
        "getgroups32", "getresgid", "getresgid32", "getresuid", "getresuid32", "getuid",
        "getuid32", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32",
        "setgroups", "setgroups32", "setregid", "setregid32", "setresgid", "setresgid32",
        "setresuid", "setresuid32", "setreuid", "setreuid32", "setuid", "setuid32",
    ]

    private static let scheduling = [
        "getcpu", "getpriority", "ioprio_get", "ioprio_set", "sched_get_priority_max",
        "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
        "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64",
        "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
        "sched_yield", "setpriority",
    ]

    private static let time = [
        "adjtimex", "alarm", "clock_adjtime", "clock_adjtime64", "clock_getres",
        "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
        "clock_nanosleep_time64", "getitimer", "gettimeofday", "nanosleep", "setitimer", "time",
        "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
        "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
        "timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times",
    ]

    private static let messages = [
        "ipc", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
        "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "msgctl",
        "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop",
        "semtimedop_time64", "shmat", "shmctl", "shmdt", "shmget",
    ]

    private static let networking = [
        "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
        "listen", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send",
        "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketcall", "socketpair",
    ]

    private static let asynchronous = [
        "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
        "io_setup", "io_submit",
    ]

    private static let limits = [
        "getrandom", "getrlimit", "getrusage", "prlimit64", "setrlimit", "sysinfo", "ugetrlimit",
        "uname",
    ]

    /// What the kernel itself checks by a capability.
    static let guarded: [(capability: String, names: [String])] = [
        ("CAP_DAC_READ_SEARCH", ["open_by_handle_at"]),
        (
            "CAP_SYS_ADMIN",
            [
                "bpf", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "listmount",
                "mount", "mount_setattr", "move_mount", "open_tree", "open_tree_attr",
                "perf_event_open", "quotactl", "quotactl_fd", "setdomainname", "sethostname",
                "setns", "statmount", "umount", "umount2", "unshare",
            ]
        ),
        ("CAP_SYS_BOOT", ["reboot"]),
        ("CAP_SYS_CHROOT", ["chroot"]),
        ("CAP_SYS_MODULE", ["delete_module", "finit_module", "init_module"]),
        ("CAP_SYS_PACCT", ["acct"]),
        (
            "CAP_SYS_PTRACE",
            ["kcmp", "pidfd_getfd", "process_vm_readv", "process_vm_writev"]
        ),
        ("CAP_SYS_RAWIO", ["ioperm", "iopl"]),
        ("CAP_SYS_TIME", ["clock_settime", "clock_settime64", "settimeofday", "stime"]),
        ("CAP_SYS_TTY_CONFIG", ["vhangup"]),
        (
            "CAP_SYS_NICE",
            ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"]
        ),
        ("CAP_SYSLOG", ["syslog"]),
        ("CAP_BPF", ["bpf"]),
        ("CAP_PERFMON", ["perf_event_open"]),
    ]
}

// Runs inside containers: asks the kernel what a shell cannot. Built statically by `run`.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int say(const char *what, long result) {
    if (result < 0) printf("%s: %s\n", what, strerrorname_np(errno));
    else printf("%s: %ld\n", what, result);
    return 0;
}

// Every open handle but the one that reads the directory: "number target".
static int fds(void) {
    DIR *d = opendir("/proc/self/fd");
    if (!d) return say("opendir", -1);
    struct dirent *e;
    while ((e = readdir(d))) {
        char target[4096] = "";
        if (e->d_name[0] == '.' || atoi(e->d_name) == dirfd(d)) continue;
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        printf("%s %s\n", e->d_name, n < 0 ? "?" : target);
    }
    return 0;
}

// syscall NUMBER ARGUMENT...: the result or the name of the errno.
static int system_call(char **argv) {
    long a[7] = {0};
    for (int i = 0; i < 7 && argv[i]; i++) a[i] = strtol(argv[i], NULL, 0);
    return say("syscall", syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]));
}

static int keyring(void) {
    char text[256] = "";
    long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    if (serial < 0) return say("keyring", serial);
    if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text, sizeof text) < 0) return say("keyring", -1);
    printf("keyring: %ld %s\n", serial, text);
    return 0;
}

struct attributes {
    unsigned size, policy;
    unsigned long long flags;
    int nice;
    unsigned priority;
    unsigned long long runtime, deadline, period;
};

static int scheduler(void) {
    struct attributes a = {0};
    if (syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) < 0) return say("scheduler", -1);
    printf("policy %u nice %d priority %u runtime %llu deadline %llu period %llu flags %llu\n",
           a.policy, a.nice, a.priority, a.runtime, a.deadline, a.period, a.flags);
    return 0;
}

// Pushes a byte into the terminal's input, the old way and by a paste of the selection.
static int push(void) {
    char byte = 'Z';
    say("TIOCSTI", ioctl(0, TIOCSTI, &byte));
    char paste = 3;
    return say("TIOCLINUX", ioctl(0, TIOCLINUX, &paste));
}

static int open_files(char **argv, int flags) {
    for (; *argv; argv++) {
        int fd = open(*argv, flags | O_CLOEXEC | O_NONBLOCK);
        printf("%s: %s\n", *argv, fd < 0 ? strerrorname_np(errno) : "opened");
        if (fd >= 0) close(fd);
    }
    return 0;
}

// mknod TYPE MAJOR MINOR PATH
static int make_node(char **argv) {
    mode_t mode = (argv[0][0] == 'b' ? S_IFBLK : S_IFCHR) | 0666;
    unlink(argv[3]);
    return say("mknod", mknod(argv[3], mode, makedev(atoi(argv[1]), atoi(argv[2]))));
}

static int usernamespace(void) { return say("unshare", unshare(CLONE_NEWUSER)); }

static int signals(void) {
    printf("blocked:");
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    for (int s = 1; s < 65; s++) if (sigismember(&set, s) == 1) printf(" %d", s);
    printf("\nignored:");
    for (int s = 1; s < 65; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) == 0 && action.sa_handler == SIG_IGN) printf(" %d", s);
    }
    printf("\n");
    return 0;
}

static int session(void) {
    printf("pid %d sid %d pgrp %d tty-pgrp %d\n", getpid(), getsid(0), getpgrp(), tcgetpgrp(0));
    return 0;
}

static int eat_memory(char **argv) {
    size_t size = strtoul(argv[0], NULL, 0) << 20;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return say("mmap", -1);
    for (size_t i = 0; i < size; i += 4096) p[i] = 1;
    say("eaten", (long)(size >> 20));
    fflush(stdout);
    if (argv[1]) pause();
    return 0;
}

static long milliseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// burn MS [REST TIMES]: works for that long, and rests, so many times; the milliseconds of CPU it got.
static int burn(char **argv) {
    int rest = argv[1] ? atoi(argv[1]) : 0, times = argv[1] && argv[2] ? atoi(argv[2]) : 1;
    while (times--) {
        long end = milliseconds(CLOCK_MONOTONIC) + atoi(argv[0]);
        while (milliseconds(CLOCK_MONOTONIC) < end) {}
        usleep(rest * 1000);
    }
    return say("burned", milliseconds(CLOCK_PROCESS_CPUTIME_ID));
}

// direct read|write FILE KIB: past the page cache, 64 KiB at a time; the milliseconds it took.
static int direct(char **argv) {
    static char buffer[65536] __attribute__((aligned(4096)));
    int writes = argv[0][0] == 'w';
    int fd = open(argv[1], (writes ? O_WRONLY | O_CREAT : O_RDONLY) | O_DIRECT, 0600);
    if (fd < 0) return say("open", fd);
    long began = milliseconds(CLOCK_MONOTONIC);
    for (int left = atoi(argv[2]); left > 0; left -= 64) {
        ssize_t n = writes ? write(fd, buffer, sizeof buffer) : read(fd, buffer, sizeof buffer);
        if (n != sizeof buffer) return say("direct", n < 0 ? -1 : n);
    }
    return say("took", milliseconds(CLOCK_MONOTONIC) - began);
}

// huge N: maps and touches so many pages of 2 MiB; how many it got.
static int huge(char **argv) {
    int made = 0;
    for (; made < atoi(argv[0]); made++) {
        char *p = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
        if (p == MAP_FAILED) break;
        *p = 1;
    }
    return say("huge", made);
}

static int forks(char **argv) {
    int n = atoi(argv[0]), made = 0;
    for (int i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); pause(); _exit(0); }
        if (pid < 0) break;
        made++;
    }
    say("forks", made);
    return 0;
}

// catch SIGNAL...: prints the number of each signal that comes, ends with TERM.
static volatile sig_atomic_t caught;
static void on_signal(int s) { caught = s; }
static int catch_signals(void) {
    sigset_t all, old;
    for (int s = 1; s < 65; s++) signal(s, on_signal);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    sigemptyset(&old);
    puts("ready");
    fflush(stdout);
    for (;;) {
        sigsuspend(&old);
        printf("signal %d\n", caught);
        fflush(stdout);
        if (caught == SIGTERM) return 7;
    }
}

// Whether a directory lies outside this root: the way up from it never passes our root.
static int outside(int fd, const struct stat *root) {
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0 || fs.f_type == 0x9fa0 || fs.f_type == 0x62656572 ||
        fs.f_type == 0x63677270 || fs.f_type == 0x1cd1) return 0;  // proc, sysfs, cgroup2, devpts
    struct stat st, before = {0};
    for (int up = dup(fd), next; up >= 0; up = next) {
        if (fstat(up, &st) < 0 || (st.st_dev == root->st_dev && st.st_ino == root->st_ino)) {
            close(up);
            return 0;
        }
        int top = st.st_dev == before.st_dev && st.st_ino == before.st_ino;
        before = st;
        next = top ? -1 : openat(up, "..", O_PATH | O_CLOEXEC);
        close(up);
        if (top) return 1;
    }
    return 0;
}

// Opens what it may of every process's handles and tells those outside this root.
_Noreturn static void stealer(void) {
    struct stat root;
    stat("/", &root);
    for (;;) {
        DIR *d = opendir("/proc");
        struct dirent *e;
        while (d && (e = readdir(d))) {
            int pid = atoi(e->d_name);
            if (pid < 2) continue;
            for (int n = 0; n < 40; n++) {
                char path[300];
                snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, n);
                int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0) continue;
                if (outside(fd, &root)) {
                    printf("stolen %s\n", path);
                    fflush(stdout);
                }
                close(fd);
            }
        }
        if (d) closedir(d);
    }
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    char **rest = argv + 2;
    if (!strcmp(verb, "fds")) return fds();
    if (!strcmp(verb, "syscall") && argc > 2) return system_call(rest);
    if (!strcmp(verb, "keyring")) return keyring();
    if (!strcmp(verb, "scheduler")) return scheduler();
    if (!strcmp(verb, "push")) return push();
    if (!strcmp(verb, "read")) return open_files(rest, O_RDONLY);
    if (!strcmp(verb, "write")) return open_files(rest, O_WRONLY);
    if (!strcmp(verb, "mknod") && argc == 6) return make_node(rest);
    if (!strcmp(verb, "userns")) return usernamespace();
    if (!strcmp(verb, "signals")) return signals();
    if (!strcmp(verb, "session")) return session();
    if (!strcmp(verb, "memory") && argc > 2) return eat_memory(rest);
    if (!strcmp(verb, "burn") && argc > 2) return burn(rest);
    if (!strcmp(verb, "direct") && argc == 5) return direct(rest);
    if (!strcmp(verb, "huge") && argc == 3) return huge(rest);
    if (!strcmp(verb, "forks") && argc == 3) return forks(rest);
    if (!strcmp(verb, "catch")) return catch_signals();
    if (!strcmp(verb, "steal")) stealer();
    if (!strcmp(verb, "personality")) { printf("%#x\n", personality(0xffffffff)); return 0; }
    if (!strcmp(verb, "ioprio")) return say("ioprio", syscall(SYS_ioprio_get, 1, 0));
    if (!strcmp(verb, "dumpable")) return say("dumpable", prctl(PR_GET_DUMPABLE));
    fprintf(stderr, "probe: unknown verb %s\n", verb);
    return 64;
}

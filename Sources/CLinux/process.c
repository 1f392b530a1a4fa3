// Processes, their credentials, limits and signals.
#include "shim.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

int apus_pidfd_open(int pid, uint32_t flags) { APUS_RESULT(syscall(SYS_pidfd_open, pid, flags)); }

int apus_pidfd_signal(int pidfd, int signal) {
    APUS_RESULT(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int apus_pidfd_getfd(int pidfd, int number) { APUS_RESULT(syscall(SYS_pidfd_getfd, pidfd, number, 0)); }

int apus_waitid(int id_type, int id, int options, struct apus_exit *exit) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    // The raw call: a libc may refuse an id type it does not know (P_PIDFD).
    if (syscall(SYS_waitid, id_type, id, &info, options, NULL) < 0)
        return -errno;
    *exit = (struct apus_exit){info.si_pid, info.si_code, info.si_status};
    return 0;
}

int apus_prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    APUS_RESULT(prctl(operation, a, b, c, d));
}

int apus_setns(int fd, uint64_t types) { APUS_RESULT(setns(fd, (int)types)); }

int apus_unshare(uint64_t flags) { APUS_RESULT(unshare((int)flags)); }

int apus_kill(int pid, int signal) { APUS_RESULT(kill(pid, signal)); }

int apus_getpid(void) { return getpid(); }

/// The kernel's own answer: the length with the NUL.
long apus_working_directory(void *bytes, size_t size) { APUS_RESULT(syscall(SYS_getcwd, bytes, size)); }

int apus_getppid(void) { return getppid(); }

int apus_setsid(void) { APUS_RESULT(setsid()); }

int apus_getpgid(int pid) { APUS_RESULT(getpgid(pid)); }

uint32_t apus_getuid(void) { return getuid(); }

uint32_t apus_geteuid(void) { return geteuid(); }

uint32_t apus_getgid(void) { return getgid(); }

uint32_t apus_getegid(void) { return getegid(); }

uint32_t apus_umask(uint32_t mask) { return umask((mode_t)mask); }

int apus_capabilities(int pid, uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct {
        uint32_t version;
        int32_t pid;
    } head = {0x20080522, pid};  // _LINUX_CAPABILITY_VERSION_3
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2];
    if (syscall(SYS_capget, &head, data) < 0)
        return -errno;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int apus_get_limit(int pid, int resource, uint64_t *soft, uint64_t *hard) {
    uint64_t limit[2];  // struct rlimit64
    if (syscall(SYS_prlimit64, pid, resource, NULL, limit) < 0)
        return -errno;
    *soft = limit[0];
    *hard = limit[1];
    return 0;
}

int apus_set_limit(int pid, int resource, uint64_t soft, uint64_t hard) {
    uint64_t limit[2] = {soft, hard};  // struct rlimit64
    return syscall(SYS_prlimit64, pid, resource, limit, NULL) < 0 ? -errno : 0;
}

// The raw calls: a libc's take a mask of its own size.
int apus_get_affinity(void *mask, size_t size) { APUS_RESULT(syscall(SYS_sched_getaffinity, 0, size, mask)); }

int apus_set_affinity(const void *mask, size_t size) {
    APUS_RESULT(syscall(SYS_sched_setaffinity, 0, size, mask));
}

int apus_names(struct apus_names *names) {
    _Static_assert(sizeof(((struct utsname *)0)->release) == sizeof names->release, "struct utsname");
    struct utsname u;
    if (uname(&u) < 0)
        return -errno;
    memcpy(names->system, u.sysname, sizeof names->system);
    memcpy(names->node, u.nodename, sizeof names->node);
    memcpy(names->release, u.release, sizeof names->release);
    memcpy(names->version, u.version, sizeof names->version);
    memcpy(names->machine, u.machine, sizeof names->machine);
    return 0;
}

void apus_exit(int code) { _exit(code); }

int apus_signal_mask(int how, uint64_t mask, uint64_t *old) {
    // The raw call: libc keeps signals 32 to 34 for itself and leaves them out.
    APUS_RESULT(syscall(SYS_rt_sigprocmask, how, &mask, old, sizeof mask));
}

int apus_signalfd(uint64_t mask, int flags) {
    APUS_RESULT(syscall(SYS_signalfd4, -1, &mask, sizeof mask, flags));
}

int apus_read_signal(int fd, int32_t *pid) {
    uint32_t info[32];  // struct signalfd_siginfo: number, errno, code, pid, ...
    ssize_t size = read(fd, info, sizeof info);
    if (size < 0)
        return -errno;
    *pid = (int32_t)info[3];
    return (int)info[0];
}

int apus_ignore_signal(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    APUS_RESULT(sigaction(number, &action, NULL));
}

// Cgroups: marks on their directories, and the process that holds a new scope of systemd open.

#include "shim.h"

#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

int apus_set_attribute(int fd, const char *name, const void *value, size_t size) {
    APUS_RESULT(fsetxattr(fd, name, value, size, 0));
}

long apus_get_attribute(int fd, const char *name, void *value, size_t size) {
    APUS_RESULT(fgetxattr(fd, name, value, size));
}

// Only direct system calls from here on: the child has one thread of the parent's, and no more.
static _Noreturn void hold(long parent) {
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // The parent may have ended before it could be watched.
    if (syscall(SYS_getppid) != parent)
        syscall(SYS_exit_group, 0);
    syscall(SYS_prctl, PR_SET_NAME, "apus-hold", 0, 0, 0);
    syscall(SYS_close_range, 0, ~0u, 0);
    for (;;)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

int apus_placeholder(int *pidfd) {
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    arguments.exit_signal = SIGCHLD;
    long parent = getpid();
    // The child keeps the mask: no handler of the parent's may ever run in it.
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0)
        hold(parent);
    int error = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    return pid < 0 ? -error : (int)pid;
}

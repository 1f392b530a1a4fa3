// Starts a program in one clone3: the init stage, a hook, a helper.
//
// The child shares the memory of its parent until it executes (CLONE_VM), and the parent sleeps until
// then (CLONE_VFORK): no page is copied, and an error of the child is a plain store. It runs on the
// parent's stack, so `clone_and_run` holds nothing there that is needed after the call.
#include "shim.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>

/// struct clone_args
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
};

// CLONE_*, of which a libc's header may not know the youngest.
static const uint64_t VM = 0x100, PIDFD = 0x1000, VFORK = 0x4000, NEW_USER = 0x10000000,
                      INTO_CGROUP = 0x200000000;

enum { RANGE_CLOSE_ON_EXEC = 4, EMPTY_PATH = 0x1000 };

/// What the child needs; `error` is its answer.
struct child {
    const struct apus_launch *launch;
    int *handles;  // `launch->count` numbers, the child's to change
    volatile int error;
};

/// Every signal as at the start of a program: a handler of the parent must never run in the child, and
/// what the parent ignores is not the program's affair.
static int reset_signals(void) {
    uint64_t action[4] = {0};  // struct sigaction of the kernel: SIG_DFL
    for (int number = 1; number <= 64; number++)
        if (number != SIGKILL && number != SIGSTOP
            && syscall(SYS_rt_sigaction, number, action, NULL, 8) < 0)
            return -1;
    return 0;
}

/// Places handle i at number base + i, and closes all that follow at exec.
static int place_handles(const struct apus_launch *launch, int *handles, int *image) {
    int base = (int)launch->base, end = base + (int)launch->count;
    // Out of the way of the numbers that are about to be used.
    for (int i = base; i < end; i++)
        if (handles[i - base] < end
            && (handles[i - base] = fcntl(handles[i - base], F_DUPFD_CLOEXEC, end)) < 0)
            return -1;
    if (*image >= 0 && *image < end && (*image = fcntl(*image, F_DUPFD_CLOEXEC, end)) < 0)
        return -1;
    for (int i = base; i < end; i++)
        if (dup3(handles[i - base], i, 0) < 0)
            return -1;
    return (int)syscall(SYS_close_range, end, ~0U, RANGE_CLOSE_ON_EXEC);
}

/// Makes every capability ambient: a user of a new user namespace has all of them and no id yet, and
/// would lose them by executing.
static int keep_capabilities(void) {
    uint32_t head[2] = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2];
    if (syscall(SYS_capget, head, data) < 0)
        return -1;
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    if (syscall(SYS_capset, head, data) < 0)
        return -1;
    for (unsigned long number = 0; number < 64; number++)
        if (data[number / 32].permitted & 1U << number % 32
            && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) < 0)
            return -1;
    return 0;
}

/// Binds trees in the program's own mount namespace, from which nothing reaches the host's.
static int bind_trees(char *const *binds) {
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return -1;
    for (; binds[0]; binds += 2)
        if (mount(binds[0], binds[1], NULL, MS_BIND | MS_REC, NULL) < 0)
            return -1;
    return 0;
}

static _Noreturn __attribute__((noinline)) void run(struct child *child) {
    const struct apus_launch *launch = child->launch;
    int image = launch->image;
    int failed = reset_signals() < 0 || (launch->new_group && setpgid(0, 0) < 0)
        || (launch->death_signal && prctl(PR_SET_PDEATHSIG, launch->death_signal, 0, 0, 0) < 0)
        || (launch->namespaces & NEW_USER && keep_capabilities() < 0)
        || (launch->binds[0] && bind_trees(launch->binds) < 0)
        || (launch->directory[0] && chdir(launch->directory) < 0 && errno != ENOENT)
        || place_handles(launch, child->handles, &image) < 0
        || syscall(SYS_rt_sigprocmask, SIG_SETMASK, &launch->blocked, NULL, 8) < 0;
    if (!failed && image >= 0)
        syscall(SYS_execveat, image, "", launch->arguments, launch->environment, EMPTY_PATH);
    else if (!failed)
        execve(launch->path, launch->arguments, launch->environment);
    child->error = errno;
    _exit(127);
}

/// clone3 without a function to return from: returns in the parent only.
static __attribute__((noinline)) long clone_and_run(struct clone_arguments *arguments, struct child *child) {
    long result;
#if defined(__x86_64__)
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = SYS_clone3;
    register long first __asm__("x0") = (long)arguments;
    register long second __asm__("x1") = sizeof *arguments;
    __asm__ volatile("svc 0" : "+r"(first) : "r"(number), "r"(second) : "memory");
    result = first;
#else
#error "apus_launch: a clone3 for this architecture"
#endif
    if (result == 0)
        run(child);
    return result;
}

int apus_launch(struct apus_launch *launch) {
    int handles[launch->count + 1];
    memcpy(handles, launch->handles, launch->count * sizeof *handles);
    struct child child = {launch, handles, 0};
    int pidfd = -1;
    struct clone_arguments arguments = {
        .flags = launch->namespaces | VM | VFORK | PIDFD | (launch->cgroup >= 0 ? INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = launch->cgroup >= 0 ? (uint64_t)launch->cgroup : 0,
    };
    uint64_t all = ~0ULL, old;
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all) < 0)
        return -errno;
    long pid = clone_and_run(&arguments, &child);
    if (pid > 0 && child.error != 0) {
        syscall(SYS_waitid, 1 /* P_PID */, pid, NULL, 4 /* WEXITED */, NULL);
        close(pidfd);
        pid = -child.error;
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
    if (pid < 0)
        return (int)pid;
    launch->pid = (int32_t)pid;
    launch->pidfd = pidfd;
    return 0;
}

// without: runs a program, and all that it starts, as on a kernel that lacks system calls, or below a
// seccomp filter that is older than they are.
//
//   without ERRNO CALL PROGRAM [ARGUMENT...]
//
// CALL is the name of a call; with flags behind it, "memfd_create:1:0x18", it fails only where its
// argument (from 0) has one of these bits. Exit status: the program's.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Numbers since Linux 5.0 are the same everywhere, and not in every libc's header.
static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    {"bpf", SYS_bpf}, {"capget", SYS_capget}, {"execveat", SYS_execveat}, {"fsync", SYS_fsync},
    {"getrandom", SYS_getrandom}, {"keyctl", SYS_keyctl}, {"memfd_create", SYS_memfd_create},
    {"prlimit64", SYS_prlimit64}, {"renameat2", SYS_renameat2}, {"seccomp", SYS_seccomp},
    {"setns", SYS_setns}, {"signalfd4", SYS_signalfd4}, {"statx", SYS_statx}, {"unshare", SYS_unshare},
    {"waitid", SYS_waitid},
    {"pidfd_send_signal", 424}, {"open_tree", 428}, {"move_mount", 429}, {"fsopen", 430},
    {"fsconfig", 431}, {"fsmount", 432}, {"fspick", 433}, {"pidfd_open", 434}, {"clone3", 435},
    {"close_range", 436}, {"openat2", 437}, {"pidfd_getfd", 438}, {"faccessat2", 439},
    {"mount_setattr", 442}, {"fchmodat2", 452}, {"statmount", 457}, {"listmount", 458},
};

#if defined(__x86_64__)
static const unsigned architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
static const unsigned architecture = AUDIT_ARCH_AARCH64;
#endif

static int number_of(const char *name, size_t size) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strlen(calls[i].name) == size && !memcmp(calls[i].name, name, size))
            return (int)calls[i].number;
    return -1;
}

int main(int argc, char **argv) {
    if (argc < 4) return 64;
    const char *flags = strchr(argv[2], ':');
    int number = number_of(argv[2], flags ? (size_t)(flags - argv[2]) : strlen(argv[2]));
    if (number < 0) {
        fprintf(stderr, "without: no call %s\n", argv[2]);
        return 64;
    }
    unsigned argument = 0, mask = 0;
    if (flags && sscanf(flags, ":%u:%x", &argument, &mask) != 2) return 64;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + argument * 8),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, mask ? 1 : 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1])),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return 65;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("without: filter");
        return 65;
    }
    execv(argv[3], argv + 3);
    perror(argv[3]);
    return 66;
}

// The init stage: reads the plan and performs its steps in order. It runs inside the container's
// namespaces, often under the container's memory limit and among hostile files: no heap, no stdio,
// no look-ups of the C library, few pages touched, every result used.
#include "internal.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

const struct apus_signature apus_signatures[] = {
    [APUS_OP_AWAIT] = {apus_step_await, 1, 0, 0},
    [APUS_OP_GATE] = {apus_step_gate, 0, 0, 0},
    [APUS_OP_FORK] = {apus_step_fork, 1, 0, 0},
    [APUS_OP_JOIN] = {apus_step_join, 2, 0, 0},
    [APUS_OP_UNSHARE] = {apus_step_unshare, 1, 0, 0},
    [APUS_OP_TIME_OFFSETS] = {apus_step_time_offsets, 0, 1, 0},
    [APUS_OP_BECOME_ROOT] = {apus_step_become_root, 1, 0, 0},
    [APUS_OP_SESSION] = {apus_step_session, 0, 0, 0},
    [APUS_OP_KEYRING] = {apus_step_keyring, 0, 2, 0},
    [APUS_OP_LOOPBACK] = {apus_step_loopback, 0, 0, 0},
    [APUS_OP_PROPAGATION] = {apus_step_propagation, 1, 0, 0},
    [APUS_OP_ROOT] = {apus_step_root, 2, 1, 0},
    [APUS_OP_MOUNT] = {apus_step_mount, 7, 5, 0},
    [APUS_OP_BIND] = {apus_step_bind, 7, 2, 0},
    [APUS_OP_REMOUNT] = {apus_step_remount, 7, 2, 0},
    [APUS_OP_CGROUP_MOUNT] = {apus_step_cgroup_mount, 6, 2, 0},
    [APUS_OP_DEVICE] = {apus_step_device, 7, 1, 0},
    [APUS_OP_SYMLINK] = {apus_step_symlink, 1, 2, 0},
    [APUS_OP_CONSOLE] = {apus_step_console, 4, 0, 0},
    [APUS_OP_MASK] = {apus_step_mask, 0, 1, 0},
    [APUS_OP_READONLY] = {apus_step_readonly, 0, 1, 0},
    [APUS_OP_PIVOT] = {apus_step_pivot, 1, 0, 0},
    [APUS_OP_ROOT_READONLY] = {apus_step_root_readonly, 0, 0, 0},
    [APUS_OP_ROOT_PROPAGATION] = {apus_step_root_propagation, 1, 0, 0},
    [APUS_OP_HOSTNAME] = {apus_step_hostname, 0, 1, 0},
    [APUS_OP_DOMAINNAME] = {apus_step_domainname, 0, 1, 0},
    [APUS_OP_SYSCTL] = {apus_step_sysctl, 0, 2, 0},
    [APUS_OP_RLIMIT] = {apus_step_rlimit, 3, 0, 0},
    [APUS_OP_OOM_SCORE] = {apus_step_oom_score, 1, 0, 0},
    [APUS_OP_SCHEDULER] = {apus_step_scheduler, 7, 0, 0},
    [APUS_OP_IO_PRIORITY] = {apus_step_io_priority, 2, 0, 0},
    [APUS_OP_AFFINITY] = {apus_step_affinity, 0, 1, 0},
    [APUS_OP_PERSONALITY] = {apus_step_personality, 1, 0, 0},
    [APUS_OP_MEMORY_POLICY] = {apus_step_memory_policy, 1, 1, 0},
    [APUS_OP_PASS_STDIO] = {apus_step_pass_stdio, 2, 0, 0},
    [APUS_OP_WORKDIR] = {apus_step_workdir, 1, 1, 0},
    [APUS_OP_LABEL] = {apus_step_label, 1, 1, 0},
    [APUS_OP_HOOK] = {apus_step_hook, 2, 4, 1 << 2 | 1 << 3},
    [APUS_OP_BOUNDING] = {apus_step_bounding, 1, 0, 0},
    [APUS_OP_GROUPS] = {apus_step_groups, 1, 0, 0},
    [APUS_OP_USER] = {apus_step_user, 3, 0, 0},
    [APUS_OP_CAPABILITIES] = {apus_step_capabilities, 4, 0, 0},
    [APUS_OP_NO_NEW_PRIVILEGES] = {apus_step_no_new_privileges, 0, 0, 0},
    [APUS_OP_SECCOMP] = {apus_step_seccomp, 1, 1, 1 << 0},
    [APUS_OP_EXECUTABLE] = {apus_step_executable, 0, 2, 0},
    [APUS_OP_VERIFY] = {apus_step_verify, 8, 0, 0},
    [APUS_OP_EXEC] = {apus_step_exec, 2, 2, 1 << 0 | 1 << 1},
    [APUS_OP_ROOT_OVERLAY] = {apus_step_root_overlay, 1, 0, 0},
};
const uint32_t apus_signature_count = sizeof apus_signatures / sizeof apus_signatures[0];

void apus_close(int *handle) {
    if (*handle >= 0) close(*handle);
    *handle = -1;
}

void *apus_allocate(size_t size) {
    void *memory = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

_Noreturn void apus_end(int code) {
    syscall(SYS_exit_group, code);
    // The container's filter forbids it, and _exit(3) would try for ever.
    __builtin_trap();
}

/// Tells the runtime why the current step failed, and ends the process.
_Noreturn static void fail(struct apus_init *init, int result) {
    if (result != APUS_REPORTED) {
        apus_send(init, APUS_FAILURE, -result, init->concern, -1);
    }
    apus_end(1);
}

/// The first acts: nothing of this process is readable by others, no handle of the runtime
/// survives exec, and the plan is one that we understand.
static int begin(struct apus_init *init) {
    int result = apus_follow_runtime(init);
    if (result < 0) return result;
    result = apus_close_range((unsigned)init->base, ~0u, APUS_CLOSE_RANGE_CLOEXEC);
    if (result < 0) return result;
    // Executed from memory, its name would be another with every kernel. The runtime knows by it who
    // ended before it became the container's program.
    prctl(PR_SET_NAME, APUS_INIT_NAME, 0, 0, 0);
    for (int handle = 0; handle < 3; handle++) {
        // A hole here would be filled by a handle of ours, that the program then takes for its own.
        if (fcntl(handle, F_GETFD) < 0) return -errno;
    }
#ifndef APUS_INIT_STANDALONE
    signal(SIGILL, SIG_DFL);  // Swift's handler, in a copy of the whole runtime: see apus_end
#endif
    umask(0);
    return apus_plan_open(init);
}

static int base_of(const char *text) {
    int number = 0;
    for (const char *digit = text; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || number > 1 << 20) return -1;
        number = number * 10 + (*digit - '0');
    }
    return number >= 3 ? number : -1;
}

int apus_init_main(int argc, char **argv) {
    int base = argc == 2 ? base_of(argv[1]) : -1;
    if (base < 0) apus_end(1);
    struct apus_init init = {
        .base = base,
        .sync = base + APUS_HANDLE_SYNC,
        .gate = base + APUS_HANDLE_GATE,
        .report = base + APUS_HANDLE_REPORT,
        .root = -1, .proc = -1, .empty = -1, .null = -1, .directory = -1,
        .step = -1,
    };
    int result = apus_at(&init, begin(&init), "");
    if (result < 0) fail(&init, result);
    struct apus_command command;
    uint32_t next = sizeof(struct apus_plan);
    while ((next = apus_plan_step(&init, next, &command)) != 0) {
        init.offset = next;
        init.step++;
        init.concern = (struct apus_text){"", 0};
        result = apus_signatures[command.operation].run(&init, &command);
        if (result < 0) fail(&init, result);
    }
    apus_end(0);
}

#ifdef APUS_INIT_STANDALONE
int main(int argc, char **argv) {
    return apus_init_main(argc, argv);
}
#endif

// Settings of the process itself that have nothing to do with its credentials.
#include "internal.h"

enum { LIST_BYTES = 1024 };  // 8192 processors or nodes, the kernel's own limit

struct limit {
    uint64_t soft, hard;
};

int apus_step_rlimit(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    struct limit limit = {(uint64_t)command->a[1], (uint64_t)command->a[2]};
    return apus_result(syscall(SYS_prlimit64, 0, (int)command->a[0], &limit, NULL));
}

struct scheduling {  // sched_attr, sched_setattr(2)
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

int apus_step_scheduler(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    const int64_t *a = command->a;
    struct scheduling scheduling = {
        .size = sizeof scheduling, .policy = (uint32_t)a[0], .nice = (int32_t)a[1],
        .priority = (uint32_t)a[2], .flags = (uint64_t)a[3], .runtime = (uint64_t)a[4],
        .deadline = (uint64_t)a[5], .period = (uint64_t)a[6],
    };
    return apus_result(syscall(SYS_sched_setattr, 0, &scheduling, 0));
}

int apus_step_io_priority(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    enum { PROCESS = 1, CLASS_SHIFT = 13 };
    long value = (long)(command->a[0] << CLASS_SHIFT | command->a[1]);
    return apus_result(syscall(SYS_ioprio_set, PROCESS, 0, value));
}

static int parse_number(const char **text) {
    if (**text < '0' || **text > '9') return -EINVAL;
    int number = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        number = number * 10 + (**text - '0');
        if (number >= LIST_BYTES * 8) return -EINVAL;
    }
    return number;
}

int apus_parse_list(const char *text, unsigned long *mask, size_t size) {
    const int bits = (int)sizeof *mask * 8;
    int highest = -1;
    for (bool more = true; more; more = *text++ == ',') {
        int first = parse_number(&text), last = first;
        if (*text == '-') {
            text++;
            last = parse_number(&text);
        }
        if (first < 0 || last < first || (size_t)last >= size * 8) return -EINVAL;
        for (int bit = first; bit <= last; bit++) mask[bit / bits] |= 1ul << (bit % bits);
        if (last > highest) highest = last;
        if (*text != ',' && *text != 0) return -EINVAL;
    }
    return highest + 1;
}

int apus_step_affinity(struct apus_init *init, const struct apus_command *command) {
    unsigned long mask[LIST_BYTES / sizeof(unsigned long)] = {0};
    const char *list = command->s[0].bytes;
    if (!*list) {
        // The kernel leaves what the cgroup's cpuset allows.
        memset(mask, 0xff, sizeof mask);
    } else {
        int result = apus_parse_list(list, mask, sizeof mask);
        if (result < 0) return apus_at(init, result, list);
    }
    int result = apus_result(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask));
    if (result < 0 && !*list) {
        apus_warn(init, result, "");
        return 0;
    }
    return apus_at(init, result, list);
}

int apus_step_personality(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    return apus_result(syscall(SYS_personality, (unsigned long)command->a[0]));
}

int apus_step_memory_policy(struct apus_init *init, const struct apus_command *command) {
    unsigned long mask[LIST_BYTES / sizeof(unsigned long)] = {0};
    const char *list = command->s[0].bytes;
    int count = *list ? apus_parse_list(list, mask, sizeof mask) : 0;
    if (count < 0) return apus_at(init, count, list);
    // The kernel takes one less than the number of bits that it is told (set_mempolicy(2), Bugs).
    return apus_at(init, apus_result(syscall(SYS_set_mempolicy, (int)command->a[0],
                                             count ? mask : NULL, (unsigned long)count + 1)), list);
}

/// By handle and without magic links: /proc/self/fd/N would lead to the host (CVE-2024-21626).
/// A working directory outside the root has no path in it (CVE-2024-21626). Asked here and not before
/// exec: a profile that is the last step need not allow getcwd.
static int check_directory(void) {
    char path[APUS_PATH_MAX];
    long size = syscall(SYS_getcwd, path, sizeof path);
    if (size < 0) return -errno;
    return path[0] == '/' ? 0 : -EXDEV;
}

int apus_step_workdir(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes;
    if (init->directed) return 0;
    int handle = command->a[0] ? apus_target(init, path, S_IFDIR, O_DIRECTORY, 0, NULL)
                               : apus_open_in_root(init, path, O_PATH | O_DIRECTORY, 0);
    int result = handle < 0 ? handle : apus_result(fchdir(handle));
    apus_close(&handle);
    if (result >= 0) result = check_directory();
    init->directed = result >= 0;
    // What root may not enter the user may: a network file system that trusts no root.
    if ((result == -EACCES || result == -EPERM) && apus_argument(command, 1) == 1) return 0;
    return apus_at(init, result, path);
}

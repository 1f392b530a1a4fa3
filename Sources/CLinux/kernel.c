// Mounts by handle, seccomp and BPF.
#include "shim.h"

#include <string.h>
#include <sys/mount.h>

int apus_open_tree(int directory, const char *path, uint32_t flags) {
    APUS_RESULT(syscall(SYS_open_tree, directory, path, flags));
}

int apus_move_mount(int from, const char *source, int to, const char *target, uint32_t flags) {
    APUS_RESULT(syscall(SYS_move_mount, from, source, to, target, flags));
}

int apus_unmount(const char *path, int flags) { APUS_RESULT(umount2(path, flags)); }

int apus_mount_setattr(int directory, const char *path, uint32_t flags, uint64_t set, uint64_t clear,
                       uint64_t propagation, int user_namespace) {
    uint64_t attributes[4] = {set, clear, propagation, (uint64_t)user_namespace};  // struct mount_attr
    APUS_RESULT(syscall(SYS_mount_setattr, directory, path, flags, attributes, sizeof attributes));
}

int apus_fsopen(const char *type, uint32_t flags) { APUS_RESULT(syscall(SYS_fsopen, type, flags)); }

int apus_fsconfig(int fd, uint32_t command, const char *key, const char *value, int number) {
    APUS_RESULT(syscall(SYS_fsconfig, fd, command, key, value, number));
}

int apus_fsmount(int fd, uint32_t flags, uint32_t attributes) {
    APUS_RESULT(syscall(SYS_fsmount, fd, flags, attributes));
}

int apus_missing_call(void) {
    // Arguments that no kernel takes: one that knows the call refuses them with another errno.
    const struct {
        long number, a, b, c;
    } calls[] = {
        {SYS_openat2, -1, (long)"", 0}, {SYS_pidfd_open, 0, 0, 0}, {SYS_pidfd_send_signal, -1, 0, 0},
        {SYS_mount_setattr, -1, (long)"", 0},
    };
    for (int i = 0; i < (int)(sizeof calls / sizeof *calls); i++)
        if (syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, 0L, 0L) < 0
            && (errno == ENOSYS || errno == EPERM))
            return i;
    return -1;
}

int apus_seccomp(uint32_t operation, uint32_t flags, void *argument) {
    APUS_RESULT(syscall(SYS_seccomp, operation, flags, argument));
}

// Commands of bpf(2). Each takes the head of union bpf_attr; what is left out is zero.
enum { BPF_LOAD = 5, BPF_ATTACH = 8, BPF_DETACH = 9, BPF_HANDLE_OF_ID = 13, BPF_INFO = 15, BPF_QUERY = 16, BPF_LINK = 28 };

int apus_bpf_load(uint32_t type, const void *instructions, uint32_t count, const char *name) {
    static const char license[] = "GPL";
    struct {
        uint32_t type, count;
        uint64_t instructions, license;
        uint32_t log_level, log_size;
        uint64_t log;
        uint32_t kernel_version, flags;
        char name[16];
    } attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.type = type;
    attributes.count = count;
    attributes.instructions = (uint64_t)(uintptr_t)instructions;
    attributes.license = (uint64_t)(uintptr_t)license;
    strncpy(attributes.name, name, sizeof attributes.name - 1);
    APUS_RESULT(syscall(SYS_bpf, BPF_LOAD, &attributes, sizeof attributes));
}

int apus_bpf_attach(int target, int program, uint32_t type, uint32_t flags, int replaced) {
    uint32_t attributes[5] = {(uint32_t)target, (uint32_t)program, type, flags, (uint32_t)replaced};
    APUS_RESULT(syscall(SYS_bpf, BPF_ATTACH, attributes, sizeof attributes));
}

int apus_bpf_detach(int target, int program, uint32_t type) {
    uint32_t attributes[3] = {(uint32_t)target, (uint32_t)program, type};
    APUS_RESULT(syscall(SYS_bpf, BPF_DETACH, attributes, sizeof attributes));
}

int apus_bpf_link(int target, int program, uint32_t type) {
    uint32_t attributes[4] = {(uint32_t)program, (uint32_t)target, type, 0};
    APUS_RESULT(syscall(SYS_bpf, BPF_LINK, attributes, sizeof attributes));
}

int apus_bpf_query(int target, uint32_t type, uint32_t *ids, uint32_t *count, uint32_t *flags) {
    struct {
        uint32_t target, type, query_flags, attach_flags;
        uint64_t ids;
        uint32_t count, unused;
    } attributes = {(uint32_t)target, type, 0, 0, (uint64_t)(uintptr_t)ids, *count, 0};
    if (syscall(SYS_bpf, BPF_QUERY, &attributes, sizeof attributes) < 0)
        return -errno;
    *count = attributes.count;
    *flags = attributes.attach_flags;
    return 0;
}

int apus_bpf_program(uint32_t id) {
    uint32_t attributes[3] = {id, 0, 0};
    APUS_RESULT(syscall(SYS_bpf, BPF_HANDLE_OF_ID, attributes, sizeof attributes));
}

int apus_bpf_name(int program, char name[16]) {
    // The head of struct bpf_prog_info; the name follows 64 bytes of other things.
    char info[80];
    memset(info, 0, sizeof info);
    struct {
        uint32_t program, size;
        uint64_t info;
    } attributes = {(uint32_t)program, sizeof info, (uint64_t)(uintptr_t)info};
    if (syscall(SYS_bpf, BPF_INFO, &attributes, sizeof attributes) < 0)
        return -errno;
    memcpy(name, info + 64, 15);
    name[15] = 0;
    return 0;
}

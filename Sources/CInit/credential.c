// Who the program runs as and what it may do; set, and read back.
#include "internal.h"

#include <sys/prctl.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_IS_SET 1
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

enum { CAPABILITY_VERSION = 0x20080522, FILTER_FLAG_NEW_LISTENER = 1 << 3, SET_MODE_FILTER = 1 };

struct capability_head {
    uint32_t version;
    int32_t pid;
};
struct capability_data {
    uint32_t effective, permitted, inheritable;
};

/// The capabilities that this kernel knows: masks may name newer ones, which nobody can have. The last
/// one is looked for by halves, since a call is not free where calls are watched.
static uint64_t known_capabilities(void) {
    int known = 0, unknown = 64;
    while (unknown - known > 1) {
        int middle = (known + unknown) / 2;
        if (prctl(PR_CAPBSET_READ, middle, 0, 0, 0) >= 0) {
            known = middle;
        } else {
            unknown = middle;
        }
    }
    return ~0ull >> (63 - known);
}

static int get_capabilities(struct capability_data data[2]) {
    struct capability_head head = {CAPABILITY_VERSION, 0};
    return apus_result(syscall(SYS_capget, &head, data));
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct capability_head head = {CAPABILITY_VERSION, 0};
    struct capability_data data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return apus_result(syscall(SYS_capset, &head, data));
}

static uint64_t mask_of(uint32_t low, uint32_t high) {
    return low | (uint64_t)high << 32;
}

int apus_drop_inheritable(void) {
    struct capability_data now[2];
    int result = get_capabilities(now);
    if (result < 0) return result;
    return set_capabilities(mask_of(now[0].effective, now[1].effective),
                            mask_of(now[0].permitted, now[1].permitted), 0);
}

int apus_step_bounding(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    uint64_t keep = (uint64_t)command->a[0];
    uint64_t drop = ~keep & known_capabilities();
    for (int bit = 0; bit < 64; bit++) {
        if (!(drop >> bit & 1) || prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) >= 0) continue;
        int error = errno;  // EPERM without CAP_SETPCAP: no matter for what is not there
        if (prctl(PR_CAPBSET_READ, bit, 0, 0, 0) != 0) return -error;
    }
    return 0;
}

int apus_step_groups(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    if (command->a[0] == 1) return 0;
    uint32_t count = command->count - 1;
    uint32_t *groups = NULL;
    if (count > 0 && !(groups = apus_allocate(count * sizeof *groups))) return -ENOMEM;
    for (uint32_t index = 0; index < count; index++) {
        groups[index] = (uint32_t)command->a[index + 1];
    }
    return apus_result(syscall(SYS_setgroups, (size_t)count, groups));
}

/// The label is written through the private procfs; opened while it still may be.
static int keep_procfs(struct apus_init *init) {
    struct apus_command label;
    if (!apus_plan_ahead(init, APUS_OP_LABEL, &label)) return 0;
    int proc = apus_proc(init);
    return proc < 0 ? apus_at(init, proc, "/proc") : 0;
}

int apus_step_user(struct apus_init *init, const struct apus_command *command) {
    unsigned uid = (unsigned)command->a[0], gid = (unsigned)command->a[1];
    int result = keep_procfs(init);
    if (result < 0) return result;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return -errno;
    if (syscall(SYS_setresgid, gid, gid, gid) < 0) return apus_at(init, -errno, "gid");
    if (syscall(SYS_setresuid, uid, uid, uid) < 0) return apus_at(init, -errno, "uid");
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) return -errno;
    umask(command->a[2] < 0 ? 022 : (mode_t)command->a[2]);
    // Permitted ones were kept, effective ones were not: the steps that follow still need them.
    struct capability_data now[2];
    result = get_capabilities(now);
    if (result < 0) return result;
    uint64_t permitted = mask_of(now[0].permitted, now[1].permitted);
    uint64_t inheritable = mask_of(now[0].inheritable, now[1].inheritable);
    result = set_capabilities(permitted, permitted, inheritable);
    if (result < 0) return result;
    return apus_follow_runtime(init);
}

/// The runtime itself may lack some (in a container, or under a reduced bounding set). That is a
/// warning and no error (runtime-spec, config, Capabilities); the text is their mask.
static void warn_ungrantable(struct apus_init *init, uint64_t mask) {
    char digits[19], *digit = digits + sizeof digits;
    init->ungrantable = mask;
    if (!mask) return;
    *--digit = 0;
    do *--digit = "0123456789abcdef"[mask & 15];
    while ((mask >>= 4) != 0);
    *--digit = 'x';
    *--digit = '0';
    apus_warn(init, -EPERM, digit);
}

static int raise_ambient(uint64_t ambient) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
    for (int bit = 0; bit < 64; bit++) {
        if (!(ambient >> bit & 1)) continue;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) < 0) return -errno;
    }
    return 0;
}

int apus_step_capabilities(struct apus_init *init, const struct apus_command *command) {
    const uint64_t effective = (uint64_t)command->a[0], permitted = (uint64_t)command->a[1];
    const uint64_t inheritable = (uint64_t)command->a[2], ambient = (uint64_t)command->a[3];
    int result = keep_procfs(init);
    if (result < 0) return result;
    struct capability_data now[2];
    result = get_capabilities(now);
    if (result < 0) return result;
    uint64_t given = mask_of(now[0].permitted, now[1].permitted);
    uint64_t asked = (effective | permitted | inheritable | ambient) & known_capabilities();
    warn_ungrantable(init, asked & ~given);
    result = set_capabilities(effective & given, permitted & given, inheritable & given);
    if (result >= 0) result = apus_at(init, raise_ambient(ambient & given), "ambient");
    return result < 0 ? result : apus_follow_runtime(init);
}

int apus_step_no_new_privileges(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    (void)command;
    return apus_result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

struct filter_program {  // sock_fprog
    unsigned short length;
    const void *instructions;
};

int apus_step_seccomp(struct apus_init *init, const struct apus_command *command) {
    const struct apus_text program = command->s[0];
    if (program.size == 0 || program.size % 8 != 0 || program.size / 8 > 4096) return -EINVAL;
    // From here on the profile decides which calls we may make: what exec needs is made before.
    int result = apus_prepare_exec(init);
    if (result < 0) return result;
    struct filter_program filter = {(unsigned short)(program.size / 8), program.bytes};
    uint64_t flags = (uint64_t)command->a[0];
    result = apus_result(syscall(SYS_seccomp, SET_MODE_FILTER, flags, &filter));
    if (result < 0 || !(flags & FILTER_FLAG_NEW_LISTENER)) return result;
    int listener = result;
    result = apus_rendezvous(init, APUS_AT_LISTENER, listener);
    close(listener);
    return result;
}

/// Which of some capabilities the bounding set has.
static uint64_t bounding_among(uint64_t some) {
    uint64_t set = 0;
    for (int bit = 0; bit < 64; bit++) {
        if (some >> bit & 1 && prctl(PR_CAPBSET_READ, bit, 0, 0, 0) == 1) set |= 1ull << bit;
    }
    return set;
}

/// Which of some capabilities are ambient; others than permitted and inheritable ones cannot be.
static uint64_t ambient_among(uint64_t some) {
    uint64_t set = 0;
    for (int bit = 0; bit < 64; bit++) {
        if (!(some >> bit & 1)) continue;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, bit, 0, 0) == 1) set |= 1ull << bit;
    }
    return set;
}

static bool has_ids(long call, int64_t expected) {
    unsigned ids[3] = {0};
    if (syscall(call, &ids[0], &ids[1], &ids[2]) < 0) return false;
    for (int index = 0; index < 3; index++) {
        if (ids[index] != (unsigned)expected) return false;
    }
    return true;
}

int apus_step_verify(struct apus_init *init, const struct apus_command *command) {
    const int64_t *a = command->a;
    struct capability_data now[2];
    int result = get_capabilities(now);
    if (result < 0) return result;
    const uint64_t known = known_capabilities(), excess = ~(uint64_t)a[5] & known;
    const uint64_t effective = mask_of(now[0].effective, now[1].effective);
    const uint64_t permitted = mask_of(now[0].permitted, now[1].permitted);
    const uint64_t inheritable = mask_of(now[0].inheritable, now[1].inheritable);
    const struct {
        const char *name;
        uint64_t found, expected;
    } sets[] = {
        {"effective", effective, (uint64_t)a[2]},
        {"permitted", permitted, (uint64_t)a[3]},
        {"inheritable", inheritable, (uint64_t)a[4]},
        // What the bounding set lacked from the start cannot come back: only its excess is a fault.
        {"bounding", bounding_among(excess), 0},
        {"ambient", ambient_among(permitted & inheritable), (uint64_t)a[7]},
    };
    if (!has_ids(SYS_getresuid, a[0])) return apus_at(init, -EPERM, "uid");
    if (!has_ids(SYS_getresgid, a[1])) return apus_at(init, -EPERM, "gid");
    for (size_t index = 0; index < sizeof sets / sizeof *sets; index++) {
        uint64_t expected = sets[index].expected & known & ~init->ungrantable;
        if (sets[index].found != expected) return apus_at(init, -EPERM, sets[index].name);
    }
    if (a[6] >= 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != (int)a[6]) {
        return apus_at(init, -EPERM, "no_new_privs");
    }
    return 0;
}

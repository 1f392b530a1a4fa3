// Namespaces: made, joined, and given their first settings.
#include "internal.h"

#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <net/if.h>

/// Another view of the world: handles of the old one are not to be used any more.
static void enter(struct apus_init *init, uint64_t namespaces) {
    init->namespaces |= namespaces;
    apus_close(&init->proc);
    if (namespaces & APUS_CLONE_NEWNS) apus_close(&init->root);
}

/// The child goes on when this process has told its number: the runtime hears of it first.
int apus_step_fork(struct apus_init *init, const struct apus_command *command) {
    int told[2];
    if (pipe2(told, O_CLOEXEC) < 0) return -errno;
    // A sibling: the runtime becomes its parent. The exit signal is inherited with CLONE_PARENT.
    long flags = (long)command->a[0] | APUS_CLONE_PARENT;
    long child = syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (child < 0) return -errno;
    if (child > 0) {
        close(told[0]);
        int result = apus_send(init, APUS_PROCESS, (int32_t)child, (struct apus_text){"", 0}, -1);
        apus_end(result < 0 ? 1 : 0);
    }
    close(told[1]);
    int result = apus_follow_runtime(init);
    char byte;
    ssize_t size;
    do size = read(told[0], &byte, 1);
    while (size < 0 && errno == EINTR);
    close(told[0]);
    apus_check_runtime(init);
    enter(init, (uint64_t)command->a[0]);
    return result;
}

/// The number of the process that a pidfd means, from "Pid:" of its fdinfo; -1 for another handle.
static int number_of_pidfd(int handle) {
    char path[32] = "/proc/self/fdinfo/", text[1024];
    apus_write_decimal((uint32_t)handle, path + 18);
    int file = apus_result(open(path, O_RDONLY | O_CLOEXEC));
    if (file < 0) return -1;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    text[size < 0 ? 0 : size] = 0;
    const char *found = strstr(text, "\nPid:\t");
    if (!found || found[6] < '1' || found[6] > '9') return -1;
    int number = 0;
    for (const char *digit = found + 6; *digit >= '0' && *digit <= '9'; digit++) {
        number = number * 10 + (*digit - '0');
    }
    return number;
}

/// Whether the handle, of a user namespace or of a process, means our own user namespace.
static bool is_own_user_namespace(int handle) {
    struct stat own, other;
    if (stat("/proc/self/ns/user", &own) < 0) return false;
    int process = number_of_pidfd(handle), result;
    if (process < 0) {
        result = fstat(handle, &other);
    } else {
        char path[32] = "/proc/";
        apus_write_decimal((uint32_t)process, path + 6);
        memcpy(path + strlen(path), "/ns/user", 9);
        result = stat(path, &other);
    }
    return result == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

int apus_step_join(struct apus_init *init, const struct apus_command *command) {
    int handle = apus_slot(init, command->a[0]), types = (int)command->a[1];
    if (handle < 0) return handle;
    int result = apus_result(setns(handle, types));
    // To enter the user namespace that one is in is an error to the kernel, not to us.
    if (result == -EINVAL && types & APUS_CLONE_NEWUSER && is_own_user_namespace(handle)) {
        int others = types & ~APUS_CLONE_NEWUSER;
        result = others ? apus_result(setns(handle, others)) : 0;
    }
    if (result < 0) return result;
    enter(init, (uint64_t)command->a[1]);
    return apus_follow_runtime(init);
}

int apus_step_unshare(struct apus_init *init, const struct apus_command *command) {
    if (unshare((int)command->a[0]) < 0) return -errno;
    enter(init, (uint64_t)command->a[0]);
    return apus_follow_runtime(init);
}

int apus_step_time_offsets(struct apus_init *init, const struct apus_command *command) {
    return apus_at(init, apus_proc_write(init, "self/timens_offsets", command->s[0]),
                   "/proc/self/timens_offsets");
}

int apus_step_become_root(struct apus_init *init, const struct apus_command *command) {
    if (syscall(SYS_setresgid, 0, 0, 0) < 0) return apus_at(init, -errno, "gid");
    if (command->a[0] == 0 && syscall(SYS_setgroups, 0, NULL) < 0) {
        return apus_at(init, -errno, "groups");
    }
    if (syscall(SYS_setresuid, 0, 0, 0) < 0) return apus_at(init, -errno, "uid");
    // The launcher made them ambient: exec takes all others from a user that is not mapped.
    int result = apus_drop_inheritable();
    if (result < 0) return result;
    return apus_follow_runtime(init);
}

int apus_step_session(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    (void)command;
    if (getsid(0) == getpid()) return 0;
    return apus_result(setsid());
}

enum {
    JOIN_SESSION_KEYRING = 1,
    KEYCTL_SETPERM = 5,
    // What a session keyring has at birth, and search for its owner: processes that change their
    // session find keys in it.
    KEYRING_PERMISSIONS = 0x3f1b0000,
};

int apus_step_keyring(struct apus_init *init, const struct apus_command *command) {
    const struct apus_text label = command->s[1];
    const char *path = "self/attr/keycreate";
    if (label.size) {
        int result = apus_at(init, apus_proc_write(init, path, label), "/proc/self/attr/keycreate");
        if (result < 0) return result;
    }
    long keyring = syscall(SYS_keyctl, JOIN_SESSION_KEYRING, command->s[0].bytes, 0, 0, 0);
    int result = keyring < 0 ? -errno : 0;
    if (result >= 0) {
        result = apus_result(
            syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, KEYRING_PERMISSIONS, 0, 0));
    }
    if (result == -ENOSYS) {  // a kernel without keys has none to keep apart
        apus_warn(init, result, command->s[0].bytes);
        result = 0;
    }
    if (result >= 0 && label.size) {
        return apus_at(init, apus_proc_write(init, path, (struct apus_text){"\n", 1}),
                       "/proc/self/attr/keycreate");
    }
    return apus_at(init, result, command->s[0].bytes);
}

int apus_step_loopback(struct apus_init *init, const struct apus_command *command) {
    (void)command;
    int handle = apus_result(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (handle < 0) return apus_at(init, handle, "lo");
    struct ifreq request = {.ifr_name = "lo"};
    int result = apus_result(ioctl(handle, SIOCGIFFLAGS, &request));
    if (result >= 0) {
        request.ifr_flags |= IFF_UP;
        result = apus_result(ioctl(handle, SIOCSIFFLAGS, &request));
    }
    close(handle);
    return apus_at(init, result, "lo");
}

int apus_step_hostname(struct apus_init *init, const struct apus_command *command) {
    const struct apus_text name = command->s[0];
    return apus_at(init, apus_result(sethostname(name.bytes, name.size)), name.bytes);
}

int apus_step_domainname(struct apus_init *init, const struct apus_command *command) {
    const struct apus_text name = command->s[0];
    return apus_at(init, apus_result(setdomainname(name.bytes, name.size)), name.bytes);
}

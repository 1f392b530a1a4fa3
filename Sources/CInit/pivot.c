// The container's root: opened, bound onto itself, and made the root of the mount namespace.
#include "internal.h"

#include <sys/mount.h>

int apus_step_propagation(struct apus_init *init, const struct apus_command *command) {
    return apus_at(init, apus_propagate(AT_FDCWD, "/", 0, (uint64_t)command->a[0]), "/");
}

/// Makes private the mount that holds `handle`: a bind below a shared one would be seen by the
/// host, and pivot_root(2) refuses shared parents.
static int make_holder_private(int handle) {
    int at = apus_result(fcntl(handle, F_DUPFD_CLOEXEC, 0));
    while (at >= 0) {
        struct apus_statx status;
        int result = apus_statx_handle(at, &status);
        bool found = result >= 0 && status.attributes & APUS_STATX_IS_MOUNT_ROOT;
        if (found) result = apus_propagate(at, "", APUS_AT_EMPTY_PATH, APUS_MS_PRIVATE);
        if (result < 0 || found) {
            close(at);
            return result;
        }
        int parent = apus_result(openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
        close(at);
        at = parent;
    }
    return at;
}

int apus_step_root(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes;
    int place = apus_at(init, apus_result(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)), path);
    if (place < 0) return place;
    if (apus_argument(command, 2) == 1) {
        init->root = place;
        return 0;
    }
    int result = command->a[1] ? make_holder_private(place) : 0;
    int tree = -1;
    if (result >= 0 && command->a[0] >= 0) {
        result = tree = apus_slot(init, command->a[0]);
        // Opened in the host's mount namespace, it is still a peer of the host's mounts: what is
        // mounted in it would appear there.
        if (result >= 0 && !command->a[1]) {
            result = apus_propagate(tree, "", APUS_AT_EMPTY_PATH, APUS_MS_SLAVE | APUS_MS_REC);
        }
    } else if (result >= 0) {
        result = tree = apus_open_tree(
            place, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH | APUS_AT_RECURSIVE);
    }
    if (result >= 0 && command->a[1]) {
        result = apus_propagate(tree, "", APUS_AT_EMPTY_PATH, APUS_MS_PRIVATE);
    }
    if (result >= 0) result = apus_move_mount(tree, place);
    // On a shared mount it has become shared itself: what is mounted in it stays here.
    if (result >= 0 && apus_argument(command, 2) == 2) {
        result = apus_propagate(tree, "", APUS_AT_EMPTY_PATH, APUS_MS_PRIVATE | APUS_MS_REC);
    }
    close(place);
    init->root = tree;
    return apus_at(init, result, path);
}

/// The new root over the old, at "/"; then the old one is taken from below it.
static int pivot(struct apus_init *init) {
    int old = apus_result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (old < 0) return old;
    int result = apus_result(fchdir(init->root));
    if (result >= 0) result = apus_result(syscall(SYS_pivot_root, ".", "."));
    // As a slave: else the unmount below would reach the host.
    if (result >= 0) {
        result = apus_propagate(old, "", APUS_AT_EMPTY_PATH, APUS_MS_SLAVE | APUS_MS_REC);
    }
    if (result >= 0) result = apus_result(fchdir(old));
    if (result >= 0) result = apus_result(umount2(".", MNT_DETACH));
    close(old);
    return result;
}

/// Takes the host's procfs or sysfs away, or covers what a user namespace may not take away.
static int hide(const char *path) {
    while (umount2(path, MNT_DETACH) == 0) continue;
    if (errno == EINVAL || errno == ENOENT) {  // not a mount point, or locked
        int place = apus_result(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (place == -ENOENT) return 0;
        if (place < 0) return place;
        struct apus_statx status;
        int result = apus_statx_handle(place, &status);
        if (result >= 0 && status.attributes & APUS_STATX_IS_MOUNT_ROOT) {
            int cover = apus_tmpfs("0755", APUS_ATTR_RDONLY);
            result = cover < 0 ? cover : apus_move_mount(cover, place);
            apus_close(&cover);
        }
        close(place);
        return result;
    }
    return -errno;
}

/// For a "/" that cannot be pivoted away (an initramfs). chroot alone is escaped from by those with
/// CAP_SYS_CHROOT, so what is dangerous outside goes first.
static int move_root(struct apus_init *init) {
    int result = apus_propagate(AT_FDCWD, "/", 0, APUS_MS_SLAVE | APUS_MS_REC);
    if (result >= 0) result = hide("/proc");
    if (result >= 0) result = hide("/sys");
    int top = result < 0 ? result : apus_result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (top < 0) return top;
    result = apus_move_mount(init->root, top);
    close(top);
    return result;
}

/// For masks, should the container have no null device; its absence matters only then. Not for any
/// case: to give up a clone that was never attached has the kernel wait for all its processors.
static void keep_null(struct apus_init *init) {
    int own = apus_own_null(init);
    if (own >= 0) {
        close(own);
        return;
    }
    init->null = apus_open_tree(AT_FDCWD, "/dev/null", APUS_OPEN_TREE_CLONE);
    if (init->null >= 0 && apus_is_device(init->null, 1, 3) <= 0) apus_close(&init->null);
}

int apus_step_pivot(struct apus_init *init, const struct apus_command *command) {
    struct apus_command mask;
    if (apus_root(init) < 0) return init->root;
    if (init->null < 0 && apus_plan_ahead(init, APUS_OP_MASK, &mask)) {
        keep_null(init);
    }
    int result = 0;
    if (command->a[0] == 0) {
        result = pivot(init);
    } else {
        if (command->a[0] == 1) result = move_root(init);
        if (result >= 0) result = apus_result(fchdir(init->root));
        if (result >= 0) result = apus_result(chroot("."));
    }
    if (result >= 0) result = apus_result(chdir("/"));
    return apus_at(init, result, "/");
}

int apus_step_root_readonly(struct apus_init *init, const struct apus_command *command) {
    (void)command;
    if (apus_root(init) < 0) return init->root;
    struct apus_mount_attr readonly = {.set = APUS_ATTR_RDONLY};
    return apus_at(init, apus_mount_setattr(init->root, "", APUS_AT_EMPTY_PATH, &readonly), "/");
}

int apus_step_root_propagation(struct apus_init *init, const struct apus_command *command) {
    if (apus_root(init) < 0) return init->root;
    return apus_at(init, apus_propagate(init->root, "", APUS_AT_EMPTY_PATH,
                                        (uint64_t)command->a[0]), "/");
}

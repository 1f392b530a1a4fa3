// Masked and read-only paths. Nothing of the image is trusted to be the null device
// (CVE-2025-31133), and no path of the host appears in the container's mountinfo.
#include "internal.h"

/// A missing path needs no mask.
static int open_path(struct apus_init *init, const char *path) {
    int handle = apus_open_in_root(init, path, O_PATH, 0);
    return handle == -ENOTDIR ? -ENOENT : handle;
}

int apus_own_null(struct apus_init *init) {
    int device = apus_open_in_root(init, "/dev/null", O_PATH, APUS_NO_SYMLINKS);
    if (device < 0 || apus_is_device(device, 1, 3) > 0) return device;
    close(device);
    return -ENODEV;
}

/// The container's null device if it is one, else the runtime's, cloned before the pivot (pivot.c).
static int null_tree(struct apus_init *init) {
    int device = apus_own_null(init);
    if (device >= 0) {
        int tree = apus_open_tree(device, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH);
        close(device);
        if (tree >= 0) return tree;
    }
    if (init->null < 0) return -ENODEV;
    // The first use attaches the clone itself; only then can it be cloned (before Linux 6.15).
    int tree = apus_open_tree(init->null, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH);
    return tree == -EINVAL ? apus_result(fcntl(init->null, F_DUPFD_CLOEXEC, 0)) : tree;
}

/// One empty tmpfs serves every masked directory; as above, it is attached first and cloned then.
static int empty_tree(struct apus_init *init) {
    if (init->empty >= 0) {
        return apus_open_tree(init->empty, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH);
    }
    init->empty = apus_tmpfs("0755", APUS_ATTR_RDONLY | APUS_ATTR_NOSUID | APUS_ATTR_NODEV
                                         | APUS_ATTR_NOEXEC);
    return init->empty < 0 ? init->empty : apus_result(fcntl(init->empty, F_DUPFD_CLOEXEC, 0));
}

int apus_step_mask(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes;
    int target = open_path(init, path);
    if (target == -ENOENT) return 0;
    if (target < 0) return apus_at(init, target, path);
    struct stat status;
    int result = apus_result(fstat(target, &status));
    int tree = -1;
    if (result >= 0) result = tree = S_ISDIR(status.st_mode) ? empty_tree(init) : null_tree(init);
    if (result >= 0) result = apus_attach(init, tree, target);
    apus_close(&tree);
    close(target);
    return apus_at(init, result, path);
}

int apus_step_readonly(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes;
    int target = open_path(init, path);
    if (target == -ENOENT) return 0;
    if (target < 0) return apus_at(init, target, path);
    int tree = apus_open_tree(
        target, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH | APUS_AT_RECURSIVE);
    int result = tree;
    struct apus_mount_attr readonly = {.set = APUS_ATTR_RDONLY};
    if (result >= 0) result = apus_mount_setattr(tree, "", APUS_AT_EMPTY_PATH, &readonly);
    if (result >= 0) result = apus_attach(init, tree, target);
    apus_close(&tree);
    close(target);
    return apus_at(init, result, path);
}

// Device nodes and links of /dev, by the handle of their directory.
#include "internal.h"

#include <sys/sysmacros.h>

static bool is_node(const struct stat *status, mode_t mode, dev_t number) {
    if ((status->st_mode & S_IFMT) != (mode & S_IFMT)) return false;
    return S_ISFIFO(mode) || status->st_rdev == number;
}

/// Binds the host's node: where the container may not make its own.
static int bind_node(struct apus_init *init, const char *path, int parent, const char *name,
                     mode_t mode, dev_t number) {
    int tree = apus_open_tree(AT_FDCWD, path, APUS_OPEN_TREE_CLONE | APUS_AT_SYMLINK_NOFOLLOW);
    if (tree < 0) return tree;
    struct stat status;
    int result = apus_result(fstat(tree, &status));
    if (result >= 0 && !is_node(&status, mode, number)) result = -ENODEV;
    // A device is no program, whatever the host's file system allows.
    struct apus_mount_attr attributes = {.set = APUS_ATTR_NOSUID | APUS_ATTR_NOEXEC};
    if (result >= 0) result = apus_mount_setattr(tree, "", APUS_AT_EMPTY_PATH, &attributes);
    int target = -1;
    if (result >= 0) {
        result = target = apus_result(openat(
            parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, 0644));
    }
    if (result == -EEXIST) {
        result = target = apus_openat2(parent, name, O_PATH, APUS_BENEATH | APUS_NO_SYMLINKS);
    }
    if (result >= 0) result = apus_attach(init, tree, target);
    apus_close(&target);
    close(tree);
    return result;
}

/// A node that exists is kept when it is the right one, and an error otherwise (runtime-spec,
/// config-linux, Devices). It may be the host's, so nothing of it is changed.
static int check_node(int parent, const char *name, mode_t mode, dev_t number) {
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    return is_node(&status, mode, number) ? 0 : -EEXIST;
}

static int make_node(int parent, const char *name, const struct apus_command *command) {
    const int64_t *a = command->a;
    mode_t mode = (mode_t)a[0];
    dev_t number = makedev((unsigned)a[1], (unsigned)a[2]);
    if (mknodat(parent, name, mode, number) < 0) return -errno;
    struct stat status;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    if (!is_node(&status, mode, number)) return -ESTALE;
    bool owned = status.st_uid == (uid_t)a[3] && status.st_gid == (gid_t)a[4];
    // Our umask is 0, but the directory may have a default ACL.
    bool open = (status.st_mode & 07777) == (mode & 07777);
    if (owned && open) return 0;
    int node = apus_openat2(parent, name, O_PATH, APUS_BENEATH | APUS_NO_SYMLINKS);
    if (node < 0) return node;
    int result = apus_result(fstat(node, &status));
    if (result >= 0 && !is_node(&status, mode, number)) result = -ESTALE;
    if (result >= 0 && !owned) {
        result = apus_result(fchownat(node, "", (uid_t)a[3], (gid_t)a[4], APUS_AT_EMPTY_PATH));
    }
    if (result >= 0 && !open) {
        result = apus_result(
            syscall(APUS_SYS_FCHMODAT2, node, "", mode & 07777, APUS_AT_EMPTY_PATH));
    }
    close(node);
    return result;
}

int apus_step_device(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes, *name;
    mode_t mode = (mode_t)command->a[0];
    dev_t number = makedev((unsigned)command->a[1], (unsigned)command->a[2]);
    int parent = apus_at(init, apus_parent(init, path, &name), path);
    if (parent < 0) return parent;
    int result = -EEXIST;
    if (!command->a[5]) {
        result = make_node(parent, name, command);
    } else if (check_node(parent, name, mode, number) < 0) {
        result = bind_node(init, path, parent, name, mode, number);
    }
    // Also a racer's node is judged as one that was there.
    if (result == -EEXIST) result = check_node(parent, name, mode, number);
    return apus_at(init, result, path);
}

int apus_step_symlink(struct apus_init *init, const struct apus_command *command) {
    const char *contents = command->s[0].bytes, *path = command->s[1].bytes, *name;
    int parent = apus_at(init, apus_parent(init, path, &name), path);
    if (parent < 0) return parent;
    int result = apus_result(symlinkat(contents, parent, name));
    if (result == -EEXIST && command->a[0]) {
        char found[APUS_PATH_MAX];
        ssize_t size = readlinkat(parent, name, found, sizeof found);
        bool same = size == (ssize_t)command->s[0].size
            && memcmp(found, contents, (size_t)size) == 0;
        result = same ? 0 : apus_result(unlinkat(parent, name, 0));
        if (!same && result >= 0) result = apus_result(symlinkat(contents, parent, name));
    }
    // The image's own stands.
    if (result == -EEXIST && !command->a[0]) result = 0;
    return apus_at(init, result, path);
}

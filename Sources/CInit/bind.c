// Binds: a tree is cloned, dressed while nobody sees it, and attached; and the view of cgroup2.
#include "internal.h"

/// A copy of a tree of the root, whose ids the runtime maps where that was asked for.
static int clone_in_root(struct apus_init *init, const char *source, int64_t how, unsigned flags) {
    uint64_t nofollow = how & APUS_MOUNT_SOURCE_NOFOLLOW ? O_NOFOLLOW : 0;
    int place = apus_open_in_root(init, source, O_PATH | nofollow, 0);
    if (place < 0) return place;
    int tree = apus_open_tree(place, "", flags | APUS_AT_EMPTY_PATH);
    close(place);
    if (tree < 0 || !(how & APUS_MOUNT_IDMAP)) return tree;
    int result = apus_rendezvous(init, APUS_AT_MAP_TREE, tree);
    if (result < 0) close(tree);
    return result < 0 ? result : tree;
}

static int open_source(struct apus_init *init, const struct apus_command *command) {
    const char *source = command->s[0].bytes;
    int64_t how = command->a[0];
    if (command->a[6] >= 0) return apus_slot(init, command->a[6]);
    unsigned flags = APUS_OPEN_TREE_CLONE;
    if (how & APUS_MOUNT_RECURSIVE) flags |= APUS_AT_RECURSIVE;
    if (how & APUS_MOUNT_SOURCE_IN_ROOT) return clone_in_root(init, source, how, flags);
    if (how & APUS_MOUNT_SOURCE_NOFOLLOW) flags |= APUS_AT_SYMLINK_NOFOLLOW;
    return apus_open_tree(AT_FDCWD, source, flags);
}

int apus_step_bind(struct apus_init *init, const struct apus_command *command) {
    const char *source = command->s[0].bytes, *path = command->s[1].bytes;
    int64_t how = command->a[0];
    int tree = open_source(init, command);
    if (tree < 0) return apus_at(init, tree, source);
    struct stat status;
    if (fstat(tree, &status) < 0) return apus_at(init, -errno, source);
    bool directory = S_ISDIR(status.st_mode);
    uint64_t flags = how & APUS_MOUNT_DEST_NOFOLLOW ? O_NOFOLLOW : 0;
    struct stat covered = {0};
    int target = apus_target(
        init, path, directory ? S_IFDIR : S_IFREG, flags | (directory ? O_DIRECTORY : 0), 0, NULL);
    int result = target < 0 ? target : apus_check_place(target, path);
    if (result >= 0) result = apus_result(fstat(target, &covered));
    // The kernel would say EINVAL.
    if (result >= 0 && S_ISDIR(covered.st_mode) != directory) result = -ENOTDIR;
    if (result < 0) apus_at(init, result, path);
    // Only attributes that were asked for are touched: what a user namespace has locked stays.
    if (result >= 0) result = apus_at(init, apus_mount_attributes(tree, command->a + 1), path);
    if (result >= 0) result = apus_at(init, apus_attach(init, tree, target), path);
    apus_close(&target);
    close(tree);
    return result;
}

/// A fresh mount shows the cgroup namespace's root. Only there: mounted from the initial namespace
/// it would reset the host's options, and stall for an RCU grace period.
static int new_cgroup_mount(void) {
    int context = apus_fsopen("cgroup2");
    if (context < 0) return context;
    int result = apus_fsconfig(context, APUS_SET_STRING, "source", "cgroup");
    if (result >= 0) result = apus_fsconfig(context, APUS_CMD_CREATE, NULL, NULL);
    if (result >= 0) result = apus_fsmount(context, 0);
    close(context);
    return result;
}

/// The host's mount, cloned below the container's own cgroup.
static int cloned_cgroup_mount(const char *cgroup) {
    int host = apus_result(open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (host < 0) return host;
    while (*cgroup == '/') cgroup++;
    int own = apus_openat2(host, *cgroup ? cgroup : ".", O_PATH | O_DIRECTORY,
                           APUS_BENEATH | APUS_NO_SYMLINKS | APUS_NO_XDEV);
    close(host);
    if (own < 0) return own;
    int result = apus_has_magic(own, APUS_CGROUP2_MAGIC);
    if (result == 0) result = -ENODEV;
    if (result > 0) result = apus_open_tree(own, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH);
    close(own);
    return result;
}

int apus_step_cgroup_mount(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes, *cgroup = command->s[1].bytes;
    bool fresh = init->namespaces & APUS_CLONE_NEWCGROUP;
    int mount = fresh ? new_cgroup_mount() : -EPERM;
    // Without a name for the own cgroup a clone would show all of the host's.
    if ((mount == -EPERM || mount == -EBUSY) && *cgroup) mount = cloned_cgroup_mount(cgroup);
    if (mount < 0) return apus_at(init, mount, *cgroup ? cgroup : "cgroup2");
    int target = apus_target(init, path, S_IFDIR, O_DIRECTORY, 0, NULL);
    int result = apus_at(init, target, path);
    if (result >= 0) result = apus_at(init, apus_mount_attributes(mount, command->a + 1), path);
    if (result >= 0) result = apus_at(init, apus_attach(init, mount, target), path);
    apus_close(&target);
    close(mount);
    return result;
}

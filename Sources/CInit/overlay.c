// A layer in memory over the container's root: what changes is lost at the end.
#include "internal.h"

#include <sys/mount.h>

/// A new tmpfs of its usual size, for what changes.
static int make_layer(void) {
    int context = apus_fsopen("tmpfs");
    if (context < 0) return context;
    int result = apus_fsconfig(context, APUS_SET_STRING, "mode", "0700");
    if (result >= 0) result = apus_fsconfig(context, APUS_CMD_CREATE, NULL, NULL);
    if (result >= 0) result = apus_fsmount(context, 0);
    close(context);
    return result;
}

/// The overlay of the directories of the layer, which is the working directory. Their names are
/// relative, so that no path of the host appears in the container's mountinfo.
static int make_overlay(bool as_user) {
    int context = apus_fsopen("overlay");
    if (context < 0) return context;
    int result = apus_fsconfig(context, APUS_SET_STRING, "source", "overlay");
    if (result >= 0) result = apus_fsconfig(context, APUS_SET_STRING, "lowerdir", "lower");
    if (result >= 0) result = apus_fsconfig(context, APUS_SET_STRING, "upperdir", "upper");
    if (result >= 0) result = apus_fsconfig(context, APUS_SET_STRING, "workdir", "work");
    // Root of a user namespace may not set trusted.overlay.*
    if (result >= 0 && as_user) result = apus_fsconfig(context, APUS_SET_FLAG, "userxattr", NULL);
    if (result >= 0) result = apus_fsconfig(context, APUS_CMD_CREATE, NULL, NULL);
    if (result >= 0) result = apus_fsmount(context, 0);
    close(context);
    return result;
}

/// The directories of the layer; the root's own mode and owner are those of the upper one.
static int make_directories(int layer, int root) {
    struct stat status;
    int result = apus_result(fstat(root, &status));
    if (result >= 0) result = apus_result(mkdirat(layer, "lower", 0700));
    if (result >= 0) result = apus_result(mkdirat(layer, "work", 0700));
    if (result >= 0) result = apus_result(mkdirat(layer, "upper", 0700));
    // An owner that the user namespace does not know stays behind: the root belongs to its root then.
    if (result >= 0 && fchownat(layer, "upper", status.st_uid, status.st_gid, 0) < 0) {
        if (errno != EINVAL && errno != EPERM) result = -errno;
    }
    if (result >= 0) result = apus_result(fchmodat(layer, "upper", status.st_mode & 07777, 0));
    return result;
}

/// Puts the root below the layer, whose directories then make the overlay. The layer is attached
/// first: older kernels build an overlay only of mounts that are in the namespace.
static int cover(int root, int layer, bool as_user) {
    int lower = apus_open_tree(
        root, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH | APUS_AT_RECURSIVE);
    if (lower < 0) return lower;
    int result = make_directories(layer, root);
    if (result >= 0) result = apus_move_mount(layer, root);
    int place = result < 0 ? result
                           : apus_result(openat(layer, "lower", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (place >= 0) result = apus_move_mount(lower, place);
    if (place >= 0) close(place);
    else result = place;
    close(lower);
    if (result >= 0) result = apus_result(fchdir(layer));
    return result < 0 ? result : make_overlay(as_user);
}

int apus_step_root_overlay(struct apus_init *init, const struct apus_command *command) {
    int root = apus_root(init);
    if (root < 0) return root;
    int directory = apus_result(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    int layer = directory < 0 ? directory : make_layer();
    int overlay = layer < 0 ? layer : cover(root, layer, command->a[0] != 0);
    int result = overlay < 0 ? overlay : apus_move_mount(overlay, layer);
    if (result >= 0) result = apus_result(fchdir(directory));
    apus_close(&layer);
    apus_close(&directory);
    if (result < 0) {
        apus_close(&overlay);
        return apus_at(init, result, "/");
    }
    apus_close(&init->root);
    init->root = overlay;
    return 0;
}

// New file systems: configured and attached by handle. See fsopen(2), mount_setattr(2).
#include "internal.h"

#include <sys/mount.h>

int apus_propagate(int at, const char *path, unsigned flags, uint64_t propagation) {
    struct apus_mount_attr attributes = {.propagation = propagation & ~(uint64_t)APUS_MS_REC};
    if (attributes.propagation == 0) return 0;
    if (propagation & APUS_MS_REC) flags |= APUS_AT_RECURSIVE;
    return apus_mount_setattr(at, path, flags, &attributes);
}

static int set_attributes(int mount, unsigned flags, uint64_t set, uint64_t clear) {
    // The access time modes are one field: to set one means to clear the others (mount_setattr(2)).
    if ((set | clear) & APUS_ATTR_ATIME) clear |= APUS_ATTR_ATIME;
    clear &= ~(set & ~(uint64_t)APUS_ATTR_ATIME);
    struct apus_mount_attr attributes = {.set = set, .clear = clear};
    if ((attributes.set | attributes.clear) == 0) return 0;
    return apus_mount_setattr(mount, "", flags | APUS_AT_EMPTY_PATH, &attributes);
}

int apus_mount_attributes(int mount, const int64_t *a) {
    int result = set_attributes(mount, APUS_AT_RECURSIVE, (uint64_t)a[3], (uint64_t)a[4]);
    if (result >= 0) result = set_attributes(mount, 0, (uint64_t)a[0], (uint64_t)a[1]);
    if (result >= 0) result = apus_propagate(mount, "", APUS_AT_EMPTY_PATH, (uint64_t)a[2]);
    return result;
}

/// Refuses to cover the root itself: the container would start in the covered one.
int apus_attach(struct apus_init *init, int mount, int target) {
    int root = apus_root(init);
    if (root < 0) return root;
    struct apus_statx of_root, of_target;
    int result = apus_statx_handle(target, &of_target);
    if (result < 0) return result;
    // A place that is no mount's root is not the container's, either (told since Linux 5.8).
    const uint64_t told = of_target.attributes_mask & APUS_STATX_IS_MOUNT_ROOT;
    if (told && !(of_target.attributes & told)) return apus_move_mount(mount, target);
    result = apus_statx_handle(root, &of_root);
    if (result < 0) return result;
    if (of_root.mount == of_target.mount && of_root.inode == of_target.inode) return -EBUSY;
    return apus_move_mount(mount, target);
}

int apus_check_place(int target, const char *path) {
    int procfs = apus_has_magic(target, APUS_PROC_MAGIC);
    if (procfs <= 0 || strncmp(path, "/proc", 5) == 0) return procfs;
    struct apus_statx status;
    int result = apus_statx_handle(target, &status);
    if (result < 0) return result;
    return status.attributes & APUS_STATX_IS_MOUNT_ROOT ? 0 : -EPERM;
}

static const struct {
    uint64_t flag;
    const char *name;
} superblock_flags[] = {
    {APUS_MS_RDONLY, "ro"}, {APUS_MS_SYNCHRONOUS, "sync"}, {APUS_MS_DIRSYNC, "dirsync"},
    {APUS_MS_MANDLOCK, "mand"}, {APUS_MS_LAZYTIME, "lazytime"},
};

static int set_superblock_flags(int context, uint64_t flags) {
    flags &= ~(uint64_t)(APUS_MS_REMOUNT | APUS_MS_BIND | APUS_MS_REC | APUS_MS_SILENT);
    for (size_t index = 0; index < sizeof superblock_flags / sizeof *superblock_flags; index++) {
        if (!(flags & superblock_flags[index].flag)) continue;
        int result = apus_fsconfig(context, APUS_SET_FLAG, superblock_flags[index].name, NULL);
        if (result < 0) return result;
        flags &= ~superblock_flags[index].flag;
    }
    return flags == 0 ? 0 : -EINVAL;
}

/// The length of the first option: up to a comma that is neither escaped nor in quotes.
static size_t option_length(const char *text) {
    bool quoted = false;
    size_t length = 0;
    for (; text[length] && (quoted || text[length] != ','); length++) {
        if (text[length] == '"') quoted = !quoted;
        if (text[length] == '\\' && text[length + 1]) length++;
    }
    return length;
}

static int set_option(int context, char *option) {
    char *value = strchr(option, '=');
    if (!value) return apus_fsconfig(context, APUS_SET_FLAG, option, NULL);
    *value++ = 0;
    size_t size = strlen(value);
    if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
        value[size - 1] = 0;
        value++;
    }
    return apus_fsconfig(context, APUS_SET_STRING, option, value);
}

static int set_options(struct apus_init *init, int context, const char *text) {
    char option[1024];
    while (*text) {
        size_t length = option_length(text);
        if (length >= sizeof option) return apus_at(init, -ENAMETOOLONG, text);
        memcpy(option, text, length);
        option[length] = 0;
        int result = length ? set_option(context, option) : 0;
        if (result < 0) {
            init->concern = (struct apus_text){text, (uint32_t)length};
            return result;
        }
        text += length;
        if (*text) text++;
    }
    return 0;
}

enum { VALUE_MAX = 255 };  // bytes that fsconfig(2) takes; the layers of an overlay can be longer

static bool has_long_value(const struct apus_command *command) {
    if (command->s[1].size > VALUE_MAX) return true;
    const char *text = command->s[3].bytes;
    while (*text) {
        size_t length = option_length(text);
        const char *value = memchr(text, '=', length);
        if (value && length - (size_t)(value + 1 - text) > VALUE_MAX) return true;
        text += length;
        if (*text) text++;
    }
    return false;
}

static const struct {
    uint64_t attribute, flag;
} classic_flags[] = {
    {APUS_ATTR_RDONLY, APUS_MS_RDONLY}, {APUS_ATTR_NOSUID, APUS_MS_NOSUID},
    {APUS_ATTR_NODEV, APUS_MS_NODEV}, {APUS_ATTR_NOEXEC, APUS_MS_NOEXEC},
    {APUS_ATTR_NOATIME, APUS_MS_NOATIME}, {APUS_ATTR_STRICTATIME, APUS_MS_STRICTATIME},
    {APUS_ATTR_NODIRATIME, APUS_MS_NODIRATIME}, {APUS_ATTR_NOSYMFOLLOW, APUS_MS_NOSYMFOLLOW},
};

/// mount(2) onto the directory that is a handle: "." after fchdir.
static int mount_classic(struct apus_init *init, const struct apus_command *command, int target) {
    const struct apus_text *s = command->s;
    if (s[4].size) return -EINVAL;
    uint64_t flags = (uint64_t)command->a[6];
    for (size_t index = 0; index < sizeof classic_flags / sizeof *classic_flags; index++) {
        if ((uint64_t)command->a[1] & classic_flags[index].attribute) {
            flags |= classic_flags[index].flag;
        }
    }
    if (fchdir(target) < 0) return -errno;
    int result = apus_result(mount(s[1].bytes, ".", s[0].bytes, flags, s[3].bytes));
    if (chdir("/") < 0) return -errno;
    if (result < 0) return result;
    int mounted = apus_open_in_root(init, s[2].bytes, O_PATH, 0);
    if (mounted < 0) return mounted;
    result = apus_mount_attributes(mounted, command->a + 1);
    close(mounted);
    return result;
}

static int set_mode(int context, mode_t mode) {
    char digits[5] = {0};
    for (int index = 3; index >= 0; index--, mode >>= 3) digits[index] = (char)('0' + (mode & 7));
    return apus_fsconfig(context, APUS_SET_STRING, "mode", digits);
}

/// A detached mount of the file system that the step describes; a tmpfs looks like the directory
/// that it covers, unless `covered` is NULL.
static int new_mount(struct apus_init *init, const struct apus_command *command,
                     const struct stat *covered) {
    const struct apus_text *s = command->s;
    int context = apus_at(init, apus_fsopen(s[0].bytes), s[0].bytes);
    if (context < 0) return context;
    int result = 0;
    if (s[1].size) {
        result = apus_at(init, apus_fsconfig(context, APUS_SET_STRING, "source", s[1].bytes),
                         s[1].bytes);
    }
    if (result >= 0) {
        result = apus_at(init, set_superblock_flags(context, (uint64_t)command->a[6]), s[0].bytes);
    }
    if (result >= 0) result = set_options(init, context, s[3].bytes);
    if (result >= 0 && covered) result = apus_at(init, set_mode(context, covered->st_mode), s[0].bytes);
    if (result >= 0 && s[4].size) {
        result = apus_at(init, apus_fsconfig(context, APUS_SET_STRING, "context", s[4].bytes),
                         s[4].bytes);
    }
    if (result >= 0) {
        result = apus_at(init, apus_fsconfig(context, APUS_CMD_CREATE, NULL, NULL), s[1].bytes);
    }
    if (result >= 0) result = apus_at(init, apus_fsmount(context, 0), s[1].bytes);
    close(context);
    return result;
}

static bool has_option(const char *text, const char *key) {
    size_t size = strlen(key);
    while (*text) {
        size_t length = option_length(text);
        if (length > size && memcmp(text, key, size) == 0 && text[size] == '=') return true;
        text += length;
        if (*text) text++;
    }
    return false;
}

/// Fills a new tmpfs with what the directory that it covers holds, and keeps its own mode.
static int copy_covered(int mount, int target) {
    // Handles of mounts are O_PATH: what is to be changed must be opened.
    int root = apus_result(openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root < 0) return root;
    struct stat status;
    int result = apus_result(fstat(root, &status));
    int source = -1;
    if (result >= 0) {
        result = source = apus_result(openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    if (result >= 0) result = apus_copy_up(source, root);
    if (result >= 0) result = apus_result(fchmod(root, status.st_mode & 07777));
    apus_close(&source);
    close(root);
    return result;
}

/// A new tmpfs, dressed as the directory that it covers unless the options say otherwise.
static int new_tmpfs(struct apus_init *init, const struct apus_command *command, int target,
                     bool made) {
    struct stat covered;
    if (fstat(target, &covered) < 0) return -errno;
    bool inherits = !made && !has_option(command->s[3].bytes, "mode");
    int mount = new_mount(init, command, inherits ? &covered : NULL);
    if (mount < 0 || made || !(command->a[0] & APUS_MOUNT_COPY_UP)) return mount;
    int result = apus_at(init, copy_covered(mount, target), command->s[2].bytes);
    if (result < 0) apus_close(&mount);
    return result < 0 ? result : mount;
}

int apus_step_mount(struct apus_init *init, const struct apus_command *command) {
    const struct apus_text *s = command->s;
    const char *type = s[0].bytes;
    // A link in the image would have them mounted elsewhere, or over real ones (CVE-2019-19921).
    bool strict = strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
    uint64_t flags = O_DIRECTORY;
    if (command->a[0] & APUS_MOUNT_DEST_NOFOLLOW) flags |= O_NOFOLLOW;
    bool made;
    int target = apus_at(init, apus_target(init, s[2].bytes, S_IFDIR, flags,
                                           strict ? APUS_NO_SYMLINKS : 0, &made), s[2].bytes);
    if (target < 0) return target;
    int result = apus_at(init, apus_check_place(target, s[2].bytes), s[2].bytes);
    if (result < 0) {
        close(target);
        return result;
    }
    if (has_long_value(command)) {
        result = apus_at(init, mount_classic(init, command, target), s[2].bytes);
        close(target);
        return result;
    }
    int mount = result = strcmp(type, "tmpfs") == 0 ? new_tmpfs(init, command, target, made)
                                                    : new_mount(init, command, NULL);
    if (result >= 0) {
        result = apus_at(init, apus_mount_attributes(mount, command->a + 1), s[2].bytes);
    }
    if (result >= 0) result = apus_at(init, apus_attach(init, mount, target), s[2].bytes);
    apus_close(&mount);
    close(target);
    return result;
}

static int reconfigure(struct apus_init *init, const struct apus_command *command, int target) {
    int context = apus_result(
        syscall(APUS_SYS_FSPICK, target, "", APUS_FSPICK_CLOEXEC | APUS_FSPICK_EMPTY_PATH));
    if (context < 0) return apus_at(init, context, command->s[0].bytes);
    int result = apus_at(
        init, set_superblock_flags(context, (uint64_t)command->a[6]), command->s[0].bytes);
    if (result >= 0) result = set_options(init, context, command->s[1].bytes);
    if (result >= 0) {
        result = apus_at(init, apus_fsconfig(context, APUS_CMD_RECONFIGURE, NULL, NULL),
                         command->s[0].bytes);
    }
    close(context);
    return result;
}

int apus_step_remount(struct apus_init *init, const struct apus_command *command) {
    uint64_t flags = command->a[0] & APUS_MOUNT_DEST_NOFOLLOW ? O_NOFOLLOW : 0;
    const char *path = command->s[0].bytes;
    int target = apus_at(init, apus_open_in_root(init, path, O_PATH | flags, 0), path);
    if (target < 0) return target;
    int result = 0;
    if (command->a[6] || command->s[1].size) result = reconfigure(init, command, target);
    if (result >= 0) result = apus_at(init, apus_mount_attributes(target, command->a + 1), path);
    close(target);
    return result;
}

int apus_tmpfs(const char *mode, unsigned attributes) {
    int context = apus_fsopen("tmpfs");
    if (context < 0) return context;
    int result = apus_fsconfig(context, APUS_SET_STRING, "source", "tmpfs");
    if (result >= 0) result = apus_fsconfig(context, APUS_SET_STRING, "mode", mode);
    if (result >= 0) result = apus_fsconfig(context, APUS_SET_STRING, "size", "4096");
    if (result >= 0) result = apus_fsconfig(context, APUS_SET_STRING, "nr_inodes", "1");
    if (result >= 0) result = apus_fsconfig(context, APUS_CMD_CREATE, NULL, NULL);
    if (result >= 0) result = apus_fsmount(context, attributes);
    close(context);
    return result;
}

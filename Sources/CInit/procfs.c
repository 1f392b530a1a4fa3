// Writes to procfs, through a private instance that the container cannot mount over
// (CVE-2019-16884, CVE-2025-52881).
#include "internal.h"

#include <sys/prctl.h>

enum { ATTRIBUTES = APUS_ATTR_NOSUID | APUS_ATTR_NODEV | APUS_ATTR_NOEXEC };

static int new_procfs(bool processes_only) {
    int context = apus_fsopen("proc");
    if (context < 0) return context;
    int result = 0;
    if (processes_only) result = apus_fsconfig(context, APUS_SET_STRING, "subset", "pid");
    if (result >= 0) result = apus_fsconfig(context, APUS_CMD_CREATE, NULL, NULL);
    if (result >= 0) result = apus_fsmount(context, ATTRIBUTES);
    close(context);
    return result;
}

/// The mounted procfs without what was mounted over it, where a user namespace may not mount one.
static int cloned_procfs(void) {
    int tree = apus_open_tree(AT_FDCWD, "/proc", APUS_OPEN_TREE_CLONE);
    if (tree == -EINVAL) {  // mounts over it are locked to it: apus_proc_open refuses to cross them
        tree = apus_open_tree(AT_FDCWD, "/proc", APUS_OPEN_TREE_CLONE | APUS_AT_RECURSIVE);
    }
    if (tree < 0) return tree;
    int right = apus_has_magic(tree, APUS_PROC_MAGIC);
    if (right > 0) return tree;
    close(tree);
    return right < 0 ? right : -EXDEV;
}

static int open_procfs(bool processes_only) {
    int mount = new_procfs(processes_only);
    return mount == -EPERM ? cloned_procfs() : mount;
}

int apus_proc(struct apus_init *init) {
    if (init->proc < 0) init->proc = open_procfs(true);
    return init->proc;
}

/// Opens a file below the instance, crossing no mount; the answer is surely a file of procfs.
static int open_file(int proc, const char *path, uint64_t flags) {
    int file = apus_openat2(
        proc, path, flags | O_NOFOLLOW, APUS_BENEATH | APUS_NO_MAGICLINKS | APUS_NO_XDEV);
    if (file < 0) return file;
    int right = apus_has_magic(file, APUS_PROC_MAGIC);
    if (right > 0) return file;
    close(file);
    return right < 0 ? right : -EXDEV;
}

static int write_file(int proc, const char *path, struct apus_text text) {
    int file = open_file(proc, path, O_WRONLY);
    if (file < 0) return file;
    ssize_t size = write(file, text.bytes, text.size);
    int result = size < 0 ? -errno : size != (ssize_t)text.size ? -EIO : 0;
    close(file);
    return result;
}

int apus_proc_write(struct apus_init *init, const char *path, struct apus_text text) {
    int proc = apus_proc(init);
    if (proc < 0) return proc;
    int result = write_file(proc, path, text);
    if (result != -EACCES) return result;
    // As long as we are not dumpable, our files belong to root of the user namespace that we were
    // executed in (proc(5)): who joined another is a stranger to his own. There is little to see.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return -errno;
    result = write_file(proc, path, text);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return -errno;
    return result;
}

/// A full instance is needed for /proc/sys; it is closed at once. The path stays below that.
int apus_step_sysctl(struct apus_init *init, const struct apus_command *command) {
    const char *path = command->s[0].bytes;
    // "net/../kernel" is a setting of the host that pretends to be one of a namespace.
    if (strstr(path, "../")) return apus_at(init, -EINVAL, path);
    int proc = open_procfs(false);
    if (proc < 0) return apus_at(init, proc, "/proc");
    int settings = open_file(proc, "sys", O_PATH | O_DIRECTORY);
    int result = settings < 0 ? settings : write_file(settings, path, command->s[1]);
    apus_close(&settings);
    close(proc);
    return apus_at(init, result, path);
}

int apus_step_oom_score(struct apus_init *init, const struct apus_command *command) {
    char digits[24], *digit = digits + sizeof digits;
    int64_t value = command->a[0];
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do *--digit = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0) *--digit = '-';
    struct apus_text text = {digit, (uint32_t)(digits + sizeof digits - digit)};
    return apus_at(init, apus_proc_write(init, "self/oom_score_adj", text),
                   "/proc/self/oom_score_adj");
}

/// What a module says of itself: "NAME (mode)" for AppArmor, the label and a NUL for SELinux.
static bool is_label(const char *found, size_t size, struct apus_text label) {
    if (size < label.size || memcmp(found, label.bytes, label.size) != 0) return false;
    if (size == label.size) return true;
    char next = found[label.size];
    return next == 0 || next == '\n' || (next == ' ' && found[label.size + 1] == '(');
}

static int read_label(int proc, const char *path, struct apus_text label) {
    int file = open_file(proc, path, O_RDONLY);
    if (file < 0) return file;
    char found[APUS_PATH_MAX];
    ssize_t size = read(file, found, sizeof found - 1);
    int error = errno;
    close(file);
    if (size < 0) return -error;
    found[size] = 0;
    return is_label(found, (size_t)size, label) ? 0 : -EPERM;
}

int apus_step_label(struct apus_init *init, const struct apus_command *command) {
    bool apparmor = command->a[0] == 1;
    struct apus_text label = command->s[0], text = label;
    const char *path = apparmor ? "self/attr/apparmor/exec" : "self/attr/exec";
    int proc = apus_proc(init);
    if (proc < 0) return apus_at(init, proc, "/proc");
    int file = open_file(proc, path, O_RDONLY);
    if (file == -ENOENT) path = "self/attr/exec";  // before 5.8 AppArmor had no directory
    apus_close(&file);
    char buffer[APUS_PATH_MAX] = "exec ";
    if (apparmor) {
        if (label.size + 6 > sizeof buffer) return apus_at(init, -ENAMETOOLONG, label.bytes);
        memcpy(buffer + 5, label.bytes, label.size + 1);
        text = (struct apus_text){buffer, label.size + 5};
    }
    int result = write_file(proc, path, text);
    if (result >= 0) result = read_label(proc, path, label);
    return apus_at(init, result, apparmor && path[10] == 'a' ? "/proc/self/attr/apparmor/exec"
                                                             : "/proc/self/attr/exec");
}

// The console: a pty of the container's own devpts, opened without following what an image may have
// planted (CVE-2025-52565, CVE-2026-88264).
#include "internal.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>

enum { UNLOCK = 0x40045431, GET_PEER = 0x5441, PTMX_INODE = 2 };  // TIOCSPTLCK, TIOCGPTPEER

static int check_master(int handle) {
    struct stat status;
    int result = apus_has_magic(handle, APUS_DEVPTS_MAGIC);
    if (result < 0) return result;
    if (result == 0) return -EXDEV;
    if (fstat(handle, &status) < 0) return -errno;
    bool right = S_ISCHR(status.st_mode) && status.st_rdev == makedev(5, 2);
    return right && status.st_ino == PTMX_INODE ? 0 : -ENODEV;
}

/// Looked at before it is opened: to open some device can have effects.
static int open_master(struct apus_init *init) {
    const char *path = "/dev/pts/ptmx";
    int master = -1, result = 0;
    for (int pass = 0; pass < 2 && result >= 0; pass++) {
        apus_close(&master);
        uint64_t flags = pass == 0 ? O_PATH : O_RDWR | O_NOCTTY;
        result = master = apus_open_in_root(init, path, flags, APUS_NO_SYMLINKS);
        if (result >= 0) result = check_master(master);
    }
    int locked = 0;
    if (result >= 0) result = apus_result(ioctl(master, UNLOCK, &locked));
    if (result >= 0) return master;
    apus_close(&master);
    return result;
}

static int bind_console(struct apus_init *init, int slave) {
    const char *name;
    int parent = apus_parent(init, "/dev/console", &name);
    if (parent < 0) return parent;
    // Without O_NOFOLLOW: with it, the kernel would hand out the link itself (openat2(2)).
    int target = apus_openat2(parent, name, O_PATH, APUS_BENEATH | APUS_NO_SYMLINKS);
    if (target == -ENOENT) {
        target = apus_result(openat(
            parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, 0666));
    }
    if (target < 0) return target;
    int tree = apus_open_tree(slave, "", APUS_OPEN_TREE_CLONE | APUS_AT_EMPTY_PATH);
    int result = tree < 0 ? tree : apus_attach(init, tree, target);
    apus_close(&tree);
    close(target);
    return result;
}

/// Size, owner and place of the slave; it becomes the controlling terminal and stdio.
static int take_terminal(struct apus_init *init, const struct apus_command *command, int slave) {
    struct winsize size = {
        .ws_col = (unsigned short)command->a[0], .ws_row = (unsigned short)command->a[1],
    };
    if ((size.ws_col || size.ws_row) && ioctl(slave, TIOCSWINSZ, &size) < 0) return -errno;
    // The group stays: devpts gave the one of its gid option.
    if (fchown(slave, (uid_t)command->a[2], (gid_t)-1) < 0) return -errno;
    if (command->a[3]) {
        int result = apus_at(init, bind_console(init, slave), "/dev/console");
        if (result < 0) return result;
    }
    if (getsid(0) != getpid() && setsid() < 0) return -errno;
    if (ioctl(slave, TIOCSCTTY, 0) < 0) return -errno;
    for (int handle = 0; handle < 3; handle++) {
        if (dup2(slave, handle) < 0) return -errno;
    }
    return 0;
}

int apus_step_console(struct apus_init *init, const struct apus_command *command) {
    int master = apus_at(init, open_master(init), "/dev/pts/ptmx");
    if (master < 0) return master;
    int slave = apus_result(ioctl(master, GET_PEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    int result = apus_at(init, slave, "/dev/pts/ptmx");
    init->concern = (struct apus_text){"/dev/pts", 8};
    if (result >= 0) result = take_terminal(init, command, slave);
    apus_close(&slave);
    if (result >= 0) result = apus_rendezvous(init, APUS_AT_CONSOLE, master);
    close(master);
    return result;
}

/// Pipes, sockets, files and terminals become the user's, so that /dev/stdout can be opened anew.
/// Other devices are not ours to give away: above all the null device.
int apus_step_pass_stdio(struct apus_init *init, const struct apus_command *command) {
    (void)init;
    for (int handle = 0; handle < 3; handle++) {
        struct stat status;
        if (fstat(handle, &status) < 0) return -errno;
        bool terminal = isatty(handle);
        if (S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode)) continue;
        if (S_ISCHR(status.st_mode) && !terminal) continue;
        gid_t group = terminal ? (gid_t)-1 : (gid_t)command->a[1];
        if (fchown(handle, (uid_t)command->a[0], group) == 0) continue;
        if (errno != EPERM && errno != EROFS && errno != EINVAL) return -errno;
    }
    return 0;
}

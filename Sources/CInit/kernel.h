// What the C libraries' headers lack or differ in: numbers, structures and calls of the kernel.
// Every call returns >= 0 or -errno, so that errno is read in one place.
#ifndef APUS_KERNEL_H
#define APUS_KERNEL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// Calls since Linux 5.0 have one number on every architecture.
enum {
    APUS_SYS_OPEN_TREE = 428,
    APUS_SYS_MOVE_MOUNT = 429,
    APUS_SYS_FSOPEN = 430,
    APUS_SYS_FSCONFIG = 431,
    APUS_SYS_FSMOUNT = 432,
    APUS_SYS_FSPICK = 433,
    APUS_SYS_CLOSE_RANGE = 436,
    APUS_SYS_OPENAT2 = 437,
    APUS_SYS_FACCESSAT2 = 439,
    APUS_SYS_MOUNT_SETATTR = 442,
    APUS_SYS_FCHMODAT2 = 452,
};

// linux/mount.h
enum {
    APUS_OPEN_TREE_CLONE = 1,
    APUS_OPEN_TREE_CLOEXEC = O_CLOEXEC,
    APUS_AT_RECURSIVE = 0x8000,
    APUS_MOVE_FROM_EMPTY = 0x04,
    APUS_MOVE_TO_EMPTY = 0x40,
    APUS_FSOPEN_CLOEXEC = 1,
    APUS_FSMOUNT_CLOEXEC = 1,
    APUS_FSPICK_CLOEXEC = 1,
    APUS_FSPICK_EMPTY_PATH = 8,
    APUS_SET_FLAG = 0,
    APUS_SET_STRING = 1,
    APUS_CMD_CREATE = 6,
    APUS_CMD_RECONFIGURE = 7,
    APUS_ATTR_RDONLY = 0x01,
    APUS_ATTR_NOSUID = 0x02,
    APUS_ATTR_NODEV = 0x04,
    APUS_ATTR_NOEXEC = 0x08,
    APUS_ATTR_NOATIME = 0x10,
    APUS_ATTR_STRICTATIME = 0x20,
    APUS_ATTR_ATIME = 0x70,
    APUS_ATTR_NODIRATIME = 0x80,
    APUS_ATTR_NOSYMFOLLOW = 0x200000,
};

// MS_* of linux/fs.h
enum {
    APUS_MS_RDONLY = 1,
    APUS_MS_NOSUID = 2,
    APUS_MS_NODEV = 4,
    APUS_MS_NOEXEC = 8,
    APUS_MS_SYNCHRONOUS = 16,
    APUS_MS_REMOUNT = 32,
    APUS_MS_MANDLOCK = 64,
    APUS_MS_DIRSYNC = 128,
    APUS_MS_NOSYMFOLLOW = 256,
    APUS_MS_NOATIME = 1024,
    APUS_MS_NODIRATIME = 2048,
    APUS_MS_BIND = 4096,
    APUS_MS_REC = 16384,
    APUS_MS_SILENT = 32768,
    APUS_MS_UNBINDABLE = 1 << 17,
    APUS_MS_PRIVATE = 1 << 18,
    APUS_MS_SLAVE = 1 << 19,
    APUS_MS_SHARED = 1 << 20,
    APUS_MS_STRICTATIME = 1 << 24,
    APUS_MS_LAZYTIME = 1 << 25,
};

// linux/openat2.h
enum {
    APUS_NO_XDEV = 0x01,
    APUS_NO_MAGICLINKS = 0x02,
    APUS_NO_SYMLINKS = 0x04,
    APUS_BENEATH = 0x08,
    APUS_IN_ROOT = 0x10,
};

// linux/sched.h
enum {
    APUS_CLONE_NEWTIME = 0x80,
    APUS_CLONE_PIDFD = 0x1000,
    APUS_CLONE_PARENT = 0x8000,
    APUS_CLONE_NEWNS = 0x20000,
    APUS_CLONE_NEWCGROUP = 0x02000000,
    APUS_CLONE_NEWUSER = 0x10000000,
};

enum {
    APUS_AT_EMPTY_PATH = 0x1000,
    APUS_AT_SYMLINK_NOFOLLOW = 0x100,
    APUS_AT_EACCESS = 0x200,
    APUS_CLOSE_RANGE_CLOEXEC = 4,
};

// f_type of statfs(2), linux/magic.h
enum {
    APUS_PROC_MAGIC = 0x9fa0,
    APUS_DEVPTS_MAGIC = 0x1cd1,
    APUS_CGROUP2_MAGIC = 0x63677270,
};

struct apus_mount_attr {
    uint64_t set, clear, propagation, userns;
};

struct apus_open_how {
    uint64_t flags, mode, resolve;
};

struct apus_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, padding;
    uint64_t inode, size, blocks, attributes_mask;
    struct {
        int64_t seconds;
        uint32_t nanoseconds, padding;
    } times[4];
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t mount;
    uint64_t spare[13];
};
enum { APUS_STATX_BASIC = 0x7ff, APUS_STATX_MOUNT = 0x1000, APUS_STATX_IS_MOUNT_ROOT = 0x2000 };

static inline int apus_result(long result) {
    return result == -1 ? -errno : (int)result;
}

static inline int apus_open_tree(int at, const char *path, unsigned flags) {
    return apus_result(syscall(APUS_SYS_OPEN_TREE, at, path, flags | APUS_OPEN_TREE_CLOEXEC));
}

static inline int apus_move_mount(int mount, int target) {
    return apus_result(syscall(
        APUS_SYS_MOVE_MOUNT, mount, "", target, "", APUS_MOVE_FROM_EMPTY | APUS_MOVE_TO_EMPTY));
}

static inline int apus_fsopen(const char *type) {
    return apus_result(syscall(APUS_SYS_FSOPEN, type, APUS_FSOPEN_CLOEXEC));
}

static inline int apus_fsconfig(int context, unsigned command, const char *key, const char *value) {
    return apus_result(syscall(APUS_SYS_FSCONFIG, context, command, key, value, 0));
}

static inline int apus_fsmount(int context, unsigned attributes) {
    return apus_result(syscall(APUS_SYS_FSMOUNT, context, APUS_FSMOUNT_CLOEXEC, attributes));
}

static inline int apus_mount_setattr(int at, const char *path, unsigned flags,
                                     const struct apus_mount_attr *attributes) {
    return apus_result(syscall(
        APUS_SYS_MOUNT_SETATTR, at, path, flags, attributes, sizeof *attributes));
}

static inline int apus_close_range(unsigned first, unsigned last, unsigned flags) {
    if (first > last) return 0;
    return apus_result(syscall(APUS_SYS_CLOSE_RANGE, first, last, flags));
}

static inline int apus_statx_handle(int handle, struct apus_statx *status) {
    return apus_result(syscall(SYS_statx, handle, "", APUS_AT_EMPTY_PATH,
                               APUS_STATX_BASIC | APUS_STATX_MOUNT, status));
}

#endif

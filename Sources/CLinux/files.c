// Files, directories and locks.
#include "shim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

int apus_open(int directory, const char *path, uint64_t flags, uint32_t mode) {
    APUS_RESULT(openat(directory, path, (int)flags, (mode_t)mode));
}

int apus_open_resolved(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    uint64_t how[3] = {flags, mode, resolve};  // struct open_how
    APUS_RESULT(syscall(SYS_openat2, directory, path, how, sizeof how));
}

int apus_close_handle(int fd) { APUS_RESULT(close(fd)); }

int apus_duplicate(int fd, int minimum, int close_on_exec) {
    APUS_RESULT(fcntl(fd, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, minimum));
}

int apus_duplicate_to(int fd, int number, int close_on_exec) {
    APUS_RESULT(dup3(fd, number, close_on_exec ? O_CLOEXEC : 0));
}

int apus_get_descriptor_flags(int fd) { APUS_RESULT(fcntl(fd, F_GETFD)); }

int apus_set_descriptor_flags(int fd, int flags) { APUS_RESULT(fcntl(fd, F_SETFD, flags)); }

int apus_get_status_flags(int fd) { APUS_RESULT(fcntl(fd, F_GETFL)); }

int apus_set_status_flags(int fd, int flags) { APUS_RESULT(fcntl(fd, F_SETFL, flags)); }

long apus_read(int fd, void *bytes, size_t size) { APUS_RESULT(read(fd, bytes, size)); }

long apus_write(int fd, const void *bytes, size_t size) { APUS_RESULT(write(fd, bytes, size)); }

long apus_pread(int fd, void *bytes, size_t size, int64_t offset) {
    APUS_RESULT(pread(fd, bytes, size, offset));
}

long apus_seek(int fd, int64_t offset, int whence) { APUS_RESULT(lseek(fd, offset, whence)); }

long apus_sendfile(int to, int from, size_t size) { APUS_RESULT(sendfile(to, from, NULL, size)); }

int apus_fsync(int fd) { APUS_RESULT(fsync(fd)); }

int apus_truncate(int fd, int64_t size) { APUS_RESULT(ftruncate(fd, size)); }

int apus_mkdir(int directory, const char *path, uint32_t mode) {
    APUS_RESULT(mkdirat(directory, path, (mode_t)mode));
}

int apus_unlink(int directory, const char *path, int flags) {
    APUS_RESULT(unlinkat(directory, path, flags));
}

int apus_rename(int from, const char *source, int to, const char *target, uint32_t flags) {
    APUS_RESULT(syscall(SYS_renameat2, from, source, to, target, flags));
}

int apus_link(int from, const char *source, int to, const char *target, int flags) {
    APUS_RESULT(linkat(from, source, to, target, flags));
}

int apus_symlink(const char *contents, int directory, const char *path) {
    APUS_RESULT(symlinkat(contents, directory, path));
}

int apus_mknod(int directory, const char *path, uint32_t mode, uint64_t device) {
    APUS_RESULT(mknodat(directory, path, (mode_t)mode, (dev_t)device));
}

long apus_readlink(int directory, const char *path, void *bytes, size_t size) {
    APUS_RESULT(readlinkat(directory, path, bytes, size));
}

long apus_getdents(int fd, void *bytes, size_t size) {
    APUS_RESULT(syscall(SYS_getdents64, fd, bytes, size));
}

/// struct statx: musl has none of its own before 1.2.4.
struct kernel_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t unused;
};
struct kernel_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, unused;
    uint64_t inode, size, blocks, attributes_mask;
    struct kernel_time accessed, born, changed, modified;
    uint32_t special_major, special_minor, major, minor;
    uint64_t mount, direct_alignment, spare[12];
};
_Static_assert(sizeof(struct kernel_statx) == 256, "struct statx");

int apus_status(int directory, const char *path, int flags, struct apus_status *status) {
    enum { BASIC = 0x7ff, MOUNT = 0x1000, UNIQUE_MOUNT = 0x4000, IS_MOUNT_ROOT = 0x2000 };
    struct kernel_statx x = {0};
    if (syscall(SYS_statx, directory, path, flags, BASIC | MOUNT | UNIQUE_MOUNT, &x) < 0)
        return -errno;
    *status = (struct apus_status){
        .inode = x.inode,
        .size = x.size,
        .device = makedev(x.major, x.minor),
        .special_device = makedev(x.special_major, x.special_minor),
        .mount = x.mask & (MOUNT | UNIQUE_MOUNT) ? x.mount : 0,
        .mode = x.mode,
        .links = x.links,
        .uid = x.uid,
        .gid = x.gid,
        .modified_seconds = x.modified.seconds,
        .modified_nanoseconds = x.modified.nanoseconds,
        .is_mount_root = (x.attributes & IS_MOUNT_ROOT) != 0,
    };
    return 0;
}

int apus_file_system(int fd, uint64_t *magic, uint64_t *flags) {
    struct statfs s;
    if (fstatfs(fd, &s) < 0)
        return -errno;
    *magic = (uint64_t)s.f_type & 0xffffffff;
    *flags = (uint64_t)s.f_flags;
    return 0;
}

int apus_chown(int directory, const char *path, uint32_t uid, uint32_t gid, int flags) {
    APUS_RESULT(fchownat(directory, path, uid, gid, flags));
}

int apus_chmod(int fd, uint32_t mode) { APUS_RESULT(fchmod(fd, (mode_t)mode)); }

int apus_access(int directory, const char *path, int mode, int flags) {
    long result = syscall(SYS_faccessat2, directory, path, mode, flags);
    // Older than the call (Linux 5.8), or a filter is: that of the real ids, which are no others here.
    if (result < 0 && (errno == ENOSYS || errno == EPERM))
        result = syscall(SYS_faccessat, directory, path, mode);
    APUS_RESULT(result);
}

int apus_lock(int fd, int type, int wait) {
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
#ifdef F_OFD_SETLKW
    APUS_RESULT(fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock));
#else
    APUS_RESULT(fcntl(fd, wait ? 38 : 37, &lock));
#endif
}

int apus_memfd(const char *name, uint32_t flags) { APUS_RESULT(syscall(SYS_memfd_create, name, flags)); }

int apus_add_seals(int fd, int seals) { APUS_RESULT(fcntl(fd, F_ADD_SEALS, seals)); }

int apus_get_seals(int fd) { APUS_RESULT(fcntl(fd, F_GET_SEALS)); }

uint32_t apus_device_major(uint64_t device) { return major(device); }

uint32_t apus_device_minor(uint64_t device) { return minor(device); }

uint64_t apus_device(uint32_t major, uint32_t minor) { return makedev(major, minor); }

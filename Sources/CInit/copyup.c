// tmpcopyup: a tmpfs begins with what its target held. By handle, links never followed.
#include "internal.h"

#include <sys/sendfile.h>
#include <sys/xattr.h>

enum { DEPTH_MAX = 64, NAMES_MAX = 1024, VALUE_MAX = 1024, ENTRIES_MAX = 2048 };

struct entry {  // linux_dirent64
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static int copy_attributes(int from, int to) {
    char names[NAMES_MAX], value[VALUE_MAX];
    ssize_t size = flistxattr(from, names, sizeof names);
    if (size < 0) return errno == ENOTSUP ? 0 : -errno;
    for (char *name = names; name < names + size; name += strlen(name) + 1) {
        ssize_t length = fgetxattr(from, name, value, sizeof value);
        if (length < 0) return -errno;
        // A tmpfs may lack a namespace of attributes ("user." before 6.6).
        if (fsetxattr(to, name, value, (size_t)length, 0) < 0 && errno != ENOTSUP) return -errno;
    }
    return 0;
}

/// Owner, attributes, mode and times, in the order in which one does not undo another.
static int copy_metadata(int from, int to) {
    struct stat status;
    if (fstat(from, &status) < 0 || fchown(to, status.st_uid, status.st_gid) < 0) return -errno;
    int result = copy_attributes(from, to);
    if (result < 0) return result;
    if (fchmod(to, status.st_mode & 07777) < 0) return -errno;
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    return apus_result(futimens(to, times));
}

static int copy_file(int source, int target, const char *name) {
    int from = apus_result(openat(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (from < 0) return from;
    int to = apus_result(openat(target, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    ssize_t size = 1;
    while (to >= 0 && size > 0) size = sendfile(to, from, NULL, 1 << 20);
    int result = to < 0 ? to : size < 0 ? -errno : copy_metadata(from, to);
    apus_close(&to);
    close(from);
    return result;
}

static int copy_link(int source, int target, const char *name) {
    char contents[APUS_PATH_MAX];
    ssize_t size = readlinkat(source, name, contents, sizeof contents - 1);
    if (size < 0) return -errno;
    contents[size] = 0;
    return apus_result(symlinkat(contents, target, name));
}

static int copy_directory(int from, int to, int depth);

static int copy_subdirectory(int source, int target, const char *name, int depth) {
    if (mkdirat(target, name, 0700) < 0) return -errno;
    int from = apus_result(openat(source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    int to = from;
    if (from >= 0) to = apus_result(openat(target, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int result = to < 0 ? to : copy_directory(from, to, depth + 1);
    apus_close(&from);
    apus_close(&to);
    return result;
}

static int copy_entry(int source, int target, const char *name, int depth) {
    struct stat status;
    if (fstatat(source, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    int result;
    switch (status.st_mode & S_IFMT) {
    case S_IFDIR: return copy_subdirectory(source, target, name, depth);
    case S_IFREG: return copy_file(source, target, name);
    case S_IFLNK: result = copy_link(source, target, name); break;
    default: result = apus_result(mknodat(target, name, status.st_mode, status.st_rdev));
    }
    if (result < 0) return result;
    return apus_result(
        fchownat(target, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW));
}

static int copy_directory(int from, int to, int depth) {
    if (depth > DEPTH_MAX) return -ELOOP;
    _Alignas(8) char entries[ENTRIES_MAX];
    long size;
    while ((size = syscall(SYS_getdents64, from, entries, sizeof entries)) > 0) {
        for (long offset = 0; offset < size;) {
            struct entry *entry = (struct entry *)(void *)(entries + offset);
            offset += entry->size;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
            int result = copy_entry(from, to, entry->name, depth);
            if (result < 0) return result;
        }
    }
    return size < 0 ? -errno : copy_metadata(from, to);
}

int apus_copy_up(int from, int to) {
    return copy_directory(from, to, 0);
}

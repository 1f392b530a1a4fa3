// Paths inside the container's root: resolved by the kernel from the root's handle, made component
// by component from handles. No path of the container is ever joined to one of the host.
#include "internal.h"

#include <sys/sysmacros.h>
#include <sys/vfs.h>

enum { RETRIES = 128, LINKS_MAX = 40 };

int apus_openat2(int at, const char *path, uint64_t flags, uint64_t resolve) {
    struct apus_open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
    int result = -EAGAIN;
    // EAGAIN: a rename or mount raced with ".." (openat2(2)); an attacker can do it for ever.
    for (int attempt = 0; attempt < RETRIES && (result == -EAGAIN || result == -EINTR); attempt++) {
        result = apus_result(syscall(APUS_SYS_OPENAT2, at, path, &how, sizeof how));
    }
    return result;
}

int apus_root(struct apus_init *init) {
    if (init->root < 0) {
        init->root = apus_result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    return init->root;
}

int apus_open_in_root(struct apus_init *init, const char *path, uint64_t flags, uint64_t resolve) {
    int root = apus_root(init);
    if (root < 0) return root;
    return apus_openat2(root, path, flags, APUS_IN_ROOT | APUS_NO_MAGICLINKS | resolve);
}

int apus_is_device(int handle, unsigned major, unsigned minor) {
    struct stat status;
    if (fstat(handle, &status) < 0) return -errno;
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(major, minor);
}

int apus_has_magic(int handle, long magic) {
    struct statfs status;
    if (fstatfs(handle, &status) < 0) return -errno;
    return (long)status.f_type == magic;
}

/// Makes `name` in the directory; -EEXIST when something (a dangling link, a racer's) is there.
static int make(int parent, const char *name, mode_t type) {
    if (type == S_IFREG) {
        return apus_result(openat(
            parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY | O_CLOEXEC, 0644));
    }
    if (mkdirat(parent, name, 0755) < 0) return -errno;
    return apus_openat2(
        parent, name, O_PATH | O_DIRECTORY, APUS_BENEATH | APUS_NO_SYMLINKS | APUS_NO_XDEV);
}

/// Replaces the link `path[start..end)`, which points to nothing yet, by what it contains.
static int splice_link(int parent, char *path, size_t start, size_t end) {
    char contents[APUS_PATH_MAX];
    char *name = path + start;
    char saved = path[end];
    path[end] = 0;
    ssize_t size = readlinkat(parent, name, contents, sizeof contents);
    path[end] = saved;
    if (size < 0) return errno == EINVAL ? -EEXIST : -errno;
    size_t before = contents[0] == '/' ? 0 : start, rest = strlen(path + end);
    if (before + (size_t)size + rest >= APUS_PATH_MAX) return -ENAMETOOLONG;
    memmove(path + before + size, path + end, rest + 1);
    memcpy(path + before, contents, (size_t)size);
    return 0;
}

struct walk {
    mode_t type;
    uint64_t flags, resolve;
    bool *made;
};

/// Opens the path prefix by prefix, making what is missing. -ELOOP after a link was spliced in.
static int walk_once(struct apus_init *init, char *path, const struct walk *walk) {
    int handle = apus_open_in_root(init, "/", O_PATH | O_DIRECTORY, walk->resolve);
    size_t start = 0;
    while (handle >= 0) {
        while (path[start] == '/') start++;
        if (!path[start]) return handle;
        size_t end = start + strcspn(path + start, "/");
        bool last = path[end + strspn(path + end, "/")] == 0;
        char saved = path[end];
        path[end] = 0;
        int parent = handle;
        handle = apus_open_in_root(
            init, path, O_PATH | (last ? walk->flags : O_DIRECTORY), walk->resolve);
        if (handle == -ENOENT) {
            handle = make(parent, path + start, last ? walk->type : S_IFDIR);
            if (last && handle >= 0 && walk->made) *walk->made = true;
        }
        path[end] = saved;
        if (handle == -EEXIST) {
            handle = splice_link(parent, path, start, end);
            if (handle == 0) handle = -ELOOP;
        }
        close(parent);
        start = end;
    }
    return handle;
}

/// Makes the last component where that alone is missing, as it mostly is.
static int make_last(struct apus_init *init, char *path, const struct walk *walk) {
    char *slash = strrchr(path, '/');
    if (!slash || slash == path || !slash[1]) return -ENOENT;
    *slash = 0;
    int parent = apus_open_in_root(init, path, O_PATH | O_DIRECTORY, walk->resolve);
    *slash = '/';
    if (parent < 0) return parent;
    int handle = make(parent, slash + 1, walk->type);
    if (handle >= 0 && walk->made) *walk->made = true;
    close(parent);
    return handle;
}

int apus_target(struct apus_init *init, const char *path, mode_t type, uint64_t flags,
                uint64_t resolve, bool *made) {
    if (made) *made = false;
    int handle = apus_open_in_root(init, path, O_PATH | flags, resolve);
    if (handle != -ENOENT) return handle;
    char copy[APUS_PATH_MAX];
    size_t size = strlen(path);
    if (size >= sizeof copy) return -ENAMETOOLONG;
    memcpy(copy, path, size + 1);
    struct walk walk = {type, flags, resolve, made};
    handle = make_last(init, copy, &walk);
    // Any failure may have been a link's, which the walk knows how to follow.
    if (handle < 0) handle = -ELOOP;
    for (int links = 0; links < LINKS_MAX && (handle == -ELOOP || handle == -EEXIST); links++) {
        handle = walk_once(init, copy, &walk);
        if (handle == -ELOOP && resolve & APUS_NO_SYMLINKS) break;
    }
    return handle;
}

int apus_parent(struct apus_init *init, const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!**name || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) return -EINVAL;
    size_t size = (size_t)(*name - path);
    // The steps of /dev come one after the other: nothing was mounted since the last one.
    struct apus_text known = init->directory_path;
    bool same = init->directory >= 0 && init->step == init->directory_step + 1
        && known.size == size && memcmp(known.bytes, path, size) == 0;
    init->directory_step = init->step;
    if (same) return init->directory;
    apus_close(&init->directory);
    char directory[APUS_PATH_MAX] = "/";
    if (size >= sizeof directory) return -ENAMETOOLONG;
    if (size > 0) {
        memcpy(directory, path, size);
        directory[size] = 0;
    }
    // An image whose /dev is a link would have its devices made elsewhere (CVE-2026-47766).
    bool devices = strncmp(path, "/dev/", 5) == 0;
    int handle = apus_target(
        init, directory, S_IFDIR, O_DIRECTORY, devices ? APUS_NO_SYMLINKS : 0, NULL);
    if (handle >= 0) init->directory = handle;
    init->directory_path = (struct apus_text){path, (uint32_t)size};
    return handle;
}

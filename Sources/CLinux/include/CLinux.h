/// The C shim below module Linux: one function a system call, and nothing else.
///
/// Every function returns a value >= 0, or -errno. There is no state, and no header of the kernel is
/// included here: several define structs that libc defines too, and Swift imports both.
#ifndef APUS_CLINUX_H
#define APUS_CLINUX_H

#include <stddef.h>
#include <stdint.h>

// MARK: - Files (files.c)

/// What statx says, in types of one width.
struct apus_status {
    uint64_t inode;
    uint64_t size;
    uint64_t device;          // as st_dev: see apus_device_major
    uint64_t special_device;  // st_rdev
    uint64_t mount;           // unique id where the kernel knows it (6.8), otherwise the reusable one; 0: unknown
    uint32_t mode;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
    int64_t modified_seconds;
    uint32_t modified_nanoseconds;
    uint32_t is_mount_root;
};

int apus_open(int directory, const char *path, uint64_t flags, uint32_t mode);
int apus_open_resolved(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int apus_close_handle(int fd);
int apus_duplicate(int fd, int minimum, int close_on_exec);
int apus_duplicate_to(int fd, int number, int close_on_exec);
int apus_get_descriptor_flags(int fd);
int apus_set_descriptor_flags(int fd, int flags);
int apus_get_status_flags(int fd);
int apus_set_status_flags(int fd, int flags);
long apus_read(int fd, void *bytes, size_t size);
long apus_write(int fd, const void *bytes, size_t size);
long apus_pread(int fd, void *bytes, size_t size, int64_t offset);
long apus_seek(int fd, int64_t offset, int whence);
long apus_sendfile(int to, int from, size_t size);
int apus_fsync(int fd);
int apus_truncate(int fd, int64_t size);
int apus_mkdir(int directory, const char *path, uint32_t mode);
int apus_unlink(int directory, const char *path, int flags);
int apus_rename(int from, const char *source, int to, const char *target, uint32_t flags);
int apus_link(int from, const char *source, int to, const char *target, int flags);
int apus_symlink(const char *contents, int directory, const char *path);
int apus_mknod(int directory, const char *path, uint32_t mode, uint64_t device);
long apus_readlink(int directory, const char *path, void *bytes, size_t size);
long apus_getdents(int fd, void *bytes, size_t size);
int apus_status(int directory, const char *path, int flags, struct apus_status *status);
int apus_file_system(int fd, uint64_t *magic, uint64_t *flags);
int apus_chown(int directory, const char *path, uint32_t uid, uint32_t gid, int flags);
int apus_chmod(int fd, uint32_t mode);
int apus_access(int directory, const char *path, int mode, int flags);
int apus_lock(int fd, int type, int wait);
int apus_memfd(const char *name, uint32_t flags);
int apus_add_seals(int fd, int seals);
int apus_get_seals(int fd);
uint32_t apus_device_major(uint64_t device);
uint32_t apus_device_minor(uint64_t device);
uint64_t apus_device(uint32_t major, uint32_t minor);

// MARK: - Waiting and talking (events.c)

/// The same layout as struct pollfd.
struct apus_poll {
    int32_t fd;
    int16_t events;
    int16_t revents;
};

int apus_pipe(int ends[2], int flags);
int apus_poll(struct apus_poll *entries, size_t count, int64_t nanoseconds);
int apus_socketpair(int type, int ends[2]);
/// `path` is an address of `size` bytes; a first byte of NUL means the abstract name space.
int apus_unix_connect(const char *path, size_t size, int type);
/// A datagram socket is bound only.
int apus_unix_listen(const char *path, size_t size, int type, int backlog);
int apus_accept(int fd);
int apus_shutdown(int fd, int how);
/// One message with up to APUS_HANDLES_MAX handles (SCM_RIGHTS).
long apus_send_message(int fd, const void *bytes, size_t size, const int *handles, size_t count, int flags);
/// `count` comes in as the room in `handles` and goes out as the number received. Handles are
/// close-on-exec; those there was no room for are closed. `truncated`: the packet was longer than `size`.
long apus_receive_message(int fd, void *bytes, size_t size, int *handles, size_t *count, int *truncated, int flags);
/// SO_PEERCRED: the process at the other end of a connected Unix socket.
int apus_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);
int apus_inotify(int flags);
int apus_inotify_watch(int fd, const char *path, uint32_t mask);
int apus_clock(int clock, int64_t *seconds, int64_t *nanoseconds);
int apus_sleep(int64_t nanoseconds);
long apus_random(void *bytes, size_t size);

#define APUS_HANDLES_MAX 16

/// A socket to the network stack, rtnetlink.
int apus_netlink(void);

// MARK: - Processes (process.c)

/// What waitid says of a child.
struct apus_exit {
    int32_t pid;     // 0: nothing to report yet
    int32_t code;    // CLD_EXITED 1, CLD_KILLED 2, CLD_DUMPED 3, CLD_STOPPED 5
    int32_t status;  // exit code or signal
};

/// The text fields of struct utsname.
struct apus_names {
    char system[65];
    char node[65];
    char release[65];
    char version[65];
    char machine[65];
};

int apus_pidfd_open(int pid, uint32_t flags);
int apus_pidfd_signal(int pidfd, int signal);
int apus_pidfd_getfd(int pidfd, int number);
int apus_waitid(int id_type, int id, int options, struct apus_exit *exit);
int apus_prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int apus_setns(int fd, uint64_t types);
int apus_unshare(uint64_t flags);
int apus_kill(int pid, int signal);
int apus_getpid(void);
long apus_working_directory(void *bytes, size_t size);
int apus_getppid(void);
int apus_setsid(void);
int apus_getpgid(int pid);
uint32_t apus_getuid(void);
uint32_t apus_geteuid(void);
uint32_t apus_getgid(void);
uint32_t apus_getegid(void);
uint32_t apus_umask(uint32_t mask);
int apus_capabilities(int pid, uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int apus_get_limit(int pid, int resource, uint64_t *soft, uint64_t *hard);
int apus_set_limit(int pid, int resource, uint64_t soft, uint64_t hard);
/// CPU masks of whole words, of this thread.
int apus_get_affinity(void *mask, size_t size);
int apus_set_affinity(const void *mask, size_t size);
int apus_names(struct apus_names *names);
_Noreturn void apus_exit(int code);
/// Bit n-1 of a mask stands for signal n. `how`: 0 block, 1 unblock, 2 set.
int apus_signal_mask(int how, uint64_t mask, uint64_t *old);
/// A handle from which apus_read_signal reads pending signals of `mask`; they must be blocked.
int apus_signalfd(uint64_t mask, int flags);
int apus_read_signal(int fd, int32_t *pid);
int apus_ignore_signal(int signal);

// MARK: - Starting a program (launch.c)

/// How a process is started: by `apus_launch`, in one clone3.
struct apus_launch {
    uint64_t namespaces;   // CLONE_NEW*
    int32_t cgroup;        // a cgroup2 directory to start in (CLONE_INTO_CGROUP, 5.7), or -1
    int32_t image;         // an executable by handle, or -1
    const char *path;      // an executable by path, where image is -1
    char *const *arguments;
    char *const *environment;
    const int32_t *handles;  // handle i is passed as number base + i
    uint32_t count;
    uint32_t base;         // numbers below are passed as they are, all others are closed
    uint32_t new_group;    // 1: leads a process group of its own
    uint32_t death_signal; // PR_SET_PDEATHSIG, 0: none
    uint64_t blocked;      // the signal mask it starts with
    const char *directory; // to start in, where it is there yet; "": the caller's
    char *const *binds;    // source, target, ..., NULL: trees bound in its new mount namespace
    int32_t pid;           // out
    int32_t pidfd;         // out, close-on-exec
};

/// Starts a program, and returns 0 once it has been executed, or -errno of the step that failed.
int apus_launch(struct apus_launch *launch);

// MARK: - Mounts and BPF (kernel.c)

int apus_open_tree(int directory, const char *path, uint32_t flags);
int apus_move_mount(int from, const char *source, int to, const char *target, uint32_t flags);
int apus_unmount(const char *path, int flags);
int apus_mount_setattr(int directory, const char *path, uint32_t flags, uint64_t set, uint64_t clear,
                       uint64_t propagation, int user_namespace);
int apus_fsopen(const char *type, uint32_t flags);
int apus_fsconfig(int fd, uint32_t command, const char *key, const char *value, int number);
int apus_fsmount(int fd, uint32_t flags, uint32_t attributes);
/// Which call the kernel lacks, or a filter forbids, of those without which nothing could be removed, and
/// of the youngest: an index into openat2, pidfd_open, pidfd_send_signal, mount_setattr; -1: none.
int apus_missing_call(void);
int apus_seccomp(uint32_t operation, uint32_t flags, void *argument);
int apus_bpf_load(uint32_t type, const void *instructions, uint32_t count, const char *name);
int apus_bpf_attach(int target, int program, uint32_t type, uint32_t flags, int replaced);
int apus_bpf_detach(int target, int program, uint32_t type);
int apus_bpf_link(int target, int program, uint32_t type);
int apus_bpf_query(int target, uint32_t type, uint32_t *ids, uint32_t *count, uint32_t *flags);
int apus_bpf_program(uint32_t id);

int apus_bpf_name(int program, char name[16]);

// MARK: - Cgroups (cgroup.c)

int apus_set_attribute(int fd, const char *name, const void *value, size_t size);
long apus_get_attribute(int fd, const char *name, void *value, size_t size);
/// Starts a child that does nothing, holds no file and ends with its parent; its pid.
int apus_placeholder(int *pidfd);

// MARK: - Terminals (terminal.c)

/// Room for a saved struct termios of either libc.
struct apus_terminal {
    uint64_t words[12];
};

int apus_is_terminal(int fd);
int apus_terminal_get(int fd, struct apus_terminal *saved);
int apus_terminal_set(int fd, const struct apus_terminal *saved);
/// cfmakeraw of what was saved.
int apus_terminal_raw(int fd, const struct apus_terminal *saved);
/// Newlines are written as they are, not as CR and NL: no ONLCR.
int apus_terminal_plain_newlines(int fd);
int apus_window_get(int fd, uint16_t *rows, uint16_t *columns, uint16_t *width, uint16_t *height);
int apus_window_set(int fd, uint16_t rows, uint16_t columns, uint16_t width, uint16_t height);

#endif

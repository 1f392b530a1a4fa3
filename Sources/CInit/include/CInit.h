/// The init stage: the small C program that runs inside the new namespaces. It gets a flat plan,
/// performs its steps in order and becomes the container's process. See Sources/CInit/init.c.
#ifndef APUS_CINIT_H
#define APUS_CINIT_H

#include <stddef.h>
#include <stdint.h>

/// The name (argv[0]) under which the runtime's own executable acts as the init stage.
#define APUS_INIT_NAME "apus-init"

/// argv of the init stage: APUS_INIT_NAME, then BASE in decimal: the number of the first handle of
/// the table below. Handles 0 to BASE-1 are the container's own (stdio, LISTEN_FDS, --preserve-fds).
int apus_init_main(int argc, char **argv);

/// The flat image of the init stage that a release carries; size 0 where the runtime's own
/// executable is the image (a development build).
extern const unsigned char apus_init_image[];
extern const size_t apus_init_image_size;

/// The same address, for Swift: it imports no array of unknown size.
static inline const void *apus_init_image_start(void) { return apus_init_image; }

/// Handles given to the init stage, counted from BASE. Handles named by steps ("slot") count on
/// from APUS_HANDLE_FIRST_SLOT.
enum {
    APUS_HANDLE_SYNC = 0,        // SOCK_SEQPACKET to the runtime, see apus_message
    APUS_HANDLE_PLAN = 1,        // the plan, a sealed memfd
    APUS_HANDLE_GATE = 2,        // FIFO of the state directory, read end; /dev/null when there is none
    APUS_HANDLE_REPORT = 3,      // FIFO of the state directory, write end; /dev/null when there is none
    APUS_HANDLE_FIRST_SLOT = 4,
};

#define APUS_PLAN_MAGIC 0x73757061u  // "apus"

/// The head of a plan. Steps follow, each a struct apus_step aligned to 8 bytes.
struct apus_plan {
    uint32_t magic;
    uint32_t size;       // of the whole plan, bytes
    uint32_t steps;      // how many
    uint32_t slots;      // how many handles follow APUS_HANDLE_REPORT
};

/// A step: this head, then `arguments` int64_t, then `strings` strings, each a uint32_t length (without
/// the NUL), its bytes, a NUL, and padding to 4 bytes; the whole step is padded to 8 bytes.
struct apus_step {
    uint32_t operation;  // enum apus_operation
    uint32_t size;       // of the whole step, bytes
    uint32_t arguments;
    uint32_t strings;
};

/// What both sides say on APUS_HANDLE_SYNC, one packet each.
enum apus_kind {
    APUS_REQUEST = 1,    // init -> runtime: at checkpoint `value`; waits for APUS_PROCEED. May carry a handle.
    APUS_PROCEED = 2,    // runtime -> init: go on from checkpoint `value`
    APUS_FAILURE = 3,    // init -> runtime: `step` failed with errno `value`; text = the path or program concerned
    APUS_WARNING = 4,    // init -> runtime: as APUS_FAILURE, but the step goes on
    APUS_PROCESS = 5,    // intermediate -> runtime: the init stage goes on as process `value` (host pid)
    APUS_HOOK = 6,       // init -> runtime: the hook of `step` failed; value = wait status, or -errno; text = its output
};

/// A message: this head and `size` bytes of text, at most APUS_TEXT_MAX.
struct apus_message {
    uint32_t kind;
    int32_t step;        // index in the plan, from 0
    int32_t value;
    uint32_t size;
};
#define APUS_TEXT_MAX 4096

/// Named rendezvous points: the init stage requests, the runtime answers. In order:
///
///     init                                   runtime
///     clone3 ---------------------------------> (cgroup, limits are there already)
///     cgroup        --> (systemd of a user) has the process moved into its scope, where clone3 could not
///     mapIDs        --> uid_map, gid_map, timens_offsets
///     mapTree       --> (carries a bind's tree from inside the root) map its ids
///     createRuntime --> hooks prestart and createRuntime, network devices, idmapped mounts
///     console       --> (carries the pty's master) send it to the console socket or keep it
///     listener      --> (carries the seccomp notify handle) send it to the listener socket
///     ready         --> commit the state, write the pid file
///     then the gate: a byte in APUS_HANDLE_GATE opens it (`start`), failures go to APUS_HANDLE_REPORT
enum apus_checkpoint {
    APUS_AT_CGROUP = 0,
    APUS_AT_MAP_IDS = 1,
    APUS_AT_CREATE_RUNTIME = 2,
    APUS_AT_CONSOLE = 3,
    APUS_AT_LISTENER = 4,
    APUS_AT_READY = 5,
    APUS_AT_MAP_TREE = 6,
};

/// Mount flags of the steps below, a word of our own in argument "how".
enum apus_mount_how {
    APUS_MOUNT_RECURSIVE = 1,       // of a bind: the whole tree (rbind)
    APUS_MOUNT_COPY_UP = 2,         // tmpfs: filled with what the target held (tmpcopyup)
    APUS_MOUNT_SOURCE_NOFOLLOW = 4, // of a bind: the source's last component is not followed
    APUS_MOUNT_DEST_NOFOLLOW = 8,
    APUS_MOUNT_IDMAP = 16,          // the runtime maps the ids: of the tree in the slot it has, of one from the root it will at APUS_AT_MAP_TREE
    APUS_MOUNT_SOURCE_IN_ROOT = 32, // of a bind: the source is a path inside the root
};

/// The operations. "aN" are arguments, "sN" strings, in this order. -1 as slot means none.
enum apus_operation {
    // Rendezvous and processes
    APUS_OP_AWAIT = 1,        // a0 checkpoint
    APUS_OP_GATE,             // wait for `start`; ends the process when the FIFO is unlinked or the state is gone
    APUS_OP_FORK,             // a0 CLONE_NEW* flags: the steps that follow are done by a child cloned with CLONE_PARENT; this process tells its pid (APUS_PROCESS) and ends
    APUS_OP_JOIN,             // a0 slot, a1 CLONE_NEW* type or types (of a pidfd): setns. A user namespace that is the process's own already is no error
    APUS_OP_UNSHARE,          // a0 CLONE_NEW* flags
    APUS_OP_TIME_OFFSETS,     // s0 lines for /proc/self/timens_offsets (after UNSHARE of the time namespace, before any fork)
    APUS_OP_BECOME_ROOT,      // a0 1: keep the groups. uid and gid 0 of the user namespace
    APUS_OP_SESSION,          // setsid
    APUS_OP_KEYRING,          // s0 name of a new session keyring, s1 SELinux label or ""
    APUS_OP_LOOPBACK,         // brings lo up
    // Mounts. "target" is a path inside the root, resolved there; missing targets are made.
    APUS_OP_PROPAGATION,      // a0 MS_* flags for "/" of the new mount namespace
    APUS_OP_ROOT,             // a0 slot of a detached tree or -1, a1 1: keep submounts shared (rootfsPropagation shared); a2 1: only opened, 0: bound onto itself, 2: so, in the mount namespace of the host; s0 path
    APUS_OP_MOUNT,            // a new file system. a0 how, a1 attributes to set (MOUNT_ATTR_*), a2 to clear, a3 propagation MS_* or 0, a4 attributes to set recursively, a5 to clear recursively, a6 superblock MS_* flags; s0 type, s1 source, s2 target, s3 data options joined with ',', s4 SELinux context or ""
    APUS_OP_BIND,             // a0 how, a1..a5 as MOUNT, a6 slot of a detached tree or -1; s0 source (host path, or see how), s1 target
    APUS_OP_REMOUNT,          // a0 how, a1..a5, a6 superblock flags; s0 target, s1 data ("remount" in the options)
    APUS_OP_CGROUP_MOUNT,     // cgroup2, the container's view: a0..a5 as MOUNT; s0 target. After UNSHARE or JOIN of a cgroup namespace a fresh mount, otherwise the host's /sys/fs/cgroup cloned below the container's own cgroup s1 ("/a/b"; "": no such fallback)
    APUS_OP_DEVICE,           // a0 mode with S_IFMT, a1 major, a2 minor, a3 uid, a4 gid, a5 1: bind the host's node instead of mknod, a6 1: a default device, an existing right node is kept; s0 path
    APUS_OP_SYMLINK,          // a0 1: replace an existing file; s0 contents, s1 path
    APUS_OP_CONSOLE,          // pty from the container's devpts; a0 width, a1 height (0: none), a2 uid, a3 1: bind /dev/console; awaits APUS_AT_CONSOLE with the master; stdio becomes the slave, controlling terminal
    APUS_OP_MASK,             // s0 path
    APUS_OP_READONLY,         // s0 path
    APUS_OP_PIVOT,            // a0 0: pivot_root, 1: MS_MOVE and chroot (--no-pivot), 2: chroot only (no mount namespace)
    APUS_OP_ROOT_READONLY,    // the root mount read-only
    APUS_OP_ROOT_PROPAGATION, // a0 MS_* flags for the container's "/"
    // Kernel settings of the namespaces
    APUS_OP_HOSTNAME,         // s0
    APUS_OP_DOMAINNAME,       // s0
    APUS_OP_SYSCTL,           // s0 path below /proc/sys ("net/ipv4/ip_forward"), s1 value
    // The process
    APUS_OP_RLIMIT,           // a0 RLIMIT_*, a1 soft, a2 hard (bit patterns of unsigned 64)
    APUS_OP_OOM_SCORE,        // a0 value for /proc/self/oom_score_adj
    APUS_OP_SCHEDULER,        // a0 policy, a1 nice, a2 priority, a3 flags, a4 runtime, a5 deadline, a6 period (ns)
    APUS_OP_IO_PRIORITY,      // a0 class, a1 priority
    APUS_OP_AFFINITY,         // s0 CPU list ("0-3,5"); "" = every CPU; errors only warn where the list is ""
    APUS_OP_PERSONALITY,      // a0 persona
    APUS_OP_MEMORY_POLICY,    // a0 mode with flags; s0 node list
    APUS_OP_PASS_STDIO,       // a0 uid, a1 gid or -1: chown handles 0-2 to the user (EPERM, EROFS are ignored)
    APUS_OP_WORKDIR,          // s0 path; a0 1: made when missing; a1 1: a first try, as root: EACCES and EPERM leave it to the WORKDIR after USER, which does nothing when this one did it
    APUS_OP_LABEL,            // a0 0: SELinux, 1: AppArmor; s0: written for the next exec through the private procfs, read back
    APUS_OP_HOOK,             // a0 timeout in seconds or -1; a1 namespace kind of the path (0: the runtime's root, kept open; 1: the container's), a2 1: the environment is that of EXEC, s3 is empty; s0 path, s1 state JSON (a `"pid":0` in it becomes the hook's parent as seen from its pid namespace), s2 arguments joined with NUL, s3 environment joined with NUL
    APUS_OP_BOUNDING,         // a0 mask of capabilities to keep
    APUS_OP_GROUPS,           // a0 1: keep them; a1.. the supplementary groups
    APUS_OP_USER,             // a0 uid, a1 gid, a2 umask or -1 (022); keeps the capabilities
    APUS_OP_CAPABILITIES,     // a0 effective, a1 permitted, a2 inheritable, a3 ambient (masks)
    APUS_OP_NO_NEW_PRIVILEGES,
    APUS_OP_SECCOMP,          // a0 SECCOMP_FILTER_FLAG_*, s0 the program (struct sock_filter[]); with NEW_LISTENER awaits APUS_AT_LISTENER
    APUS_OP_EXECUTABLE,       // s0 args[0], s1 PATH: finds the program now, as the user; errno ENOENT, EACCES, EISDIR; fails with its text
    APUS_OP_VERIFY,           // reads back: a0 uid, a1 gid, a2..a5 effective, permitted, inheritable, bounding, a6 no_new_privs (0, 1, -1 any), a7 ambient
    APUS_OP_EXEC,             // a0 LISTEN_FDS count to pass, a1 1: LISTEN_PID in the environment becomes our process number, a2 1: HOME, where the environment has none, from the image's /etc/passwd; s0 args joined with NUL, s1 environment joined with NUL. Closes every handle from BASE
    APUS_OP_ROOT_OVERLAY,     // after ROOT: a layer in memory over the root, what changes is lost at the end; mounts below the root are not seen. a0 1: in a user namespace (overlayfs uses attributes user.overlay.*)
};

#endif

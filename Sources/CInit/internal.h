// What the files of the init stage share. Functions return >= 0 or -errno; a step that fails says
// with apus_at() which path or program is concerned.
#ifndef APUS_INTERNAL_H
#define APUS_INTERNAL_H

#include "kernel.h"

#include "CInit.h"

#include <string.h>
#include <sys/stat.h>

enum { APUS_PATH_MAX = 4096, APUS_STRINGS_MAX = 5 };

/// Returned by a step that has told the runtime itself why it failed.
enum { APUS_REPORTED = -4096 };

/// A string of the plan: in place, NUL-terminated, `size` without the NUL.
struct apus_text {
    const char *bytes;
    uint32_t size;
};

/// A step of the plan, decoded.
struct apus_command {
    uint32_t operation;
    uint32_t count;
    const int64_t *a;
    struct apus_text s[APUS_STRINGS_MAX];
};

/// The state of the init stage. Handles are -1 while closed.
struct apus_init {
    int base;             // the number of the first handle given by the runtime
    int sync, gate, report;
    uint32_t slots;
    bool committed;       // the runtime has committed the container: its death no longer ends us
    uint64_t namespaces;  // CLONE_NEW* flags entered by JOIN, UNSHARE and FORK
    int root;             // the container's root, O_PATH
    int proc;             // a private procfs, see procfs.c
    int empty;            // an empty read-only tmpfs, attached once a directory is masked
    int null;             // a tree of the host's null device, where the container has none
    int directory;        // where the last node or link was made, see apus_parent
    int32_t directory_step;
    struct apus_text directory_path;
    const uint8_t *plan;
    uint32_t size;        // of the plan
    uint32_t offset;      // of the step after the one that runs
    int32_t step;         // the index of the one that runs
    struct apus_text concern;  // of a failure: the path or program
    bool directed;        // a WORKDIR has entered the working directory
    uint64_t ungrantable; // capabilities asked for that this process cannot give
    const char *program;  // found by EXECUTABLE
    char **arguments;     // of the program, made by apus_prepare_exec
    char **environment;
};

typedef int apus_step_function(struct apus_init *, const struct apus_command *);

/// What a step must carry, and who does it.
struct apus_signature {
    apus_step_function *run;
    uint8_t arguments;  // at least
    uint8_t strings;    // exactly
    uint8_t binary;     // bit N: string N may contain NUL
};
extern const struct apus_signature apus_signatures[];
extern const uint32_t apus_signature_count;

/// Notes what a failure concerns, and passes the result on.
static inline int apus_at(struct apus_init *init, int result, const char *text) {
    if (result < 0 && result != APUS_REPORTED) {
        init->concern = (struct apus_text){text, (uint32_t)strlen(text)};
    }
    return result;
}

/// Ends the process, whatever a filter says.
_Noreturn void apus_end(int code);

/// Closes `*handle` unless it is closed already.
void apus_close(int *handle);
/// Zeroed memory that lives until exec; NULL when there is none.
void *apus_allocate(size_t size);
/// The arguments of a missing number are 0.
static inline int64_t apus_argument(const struct apus_command *command, uint32_t index) {
    return index < command->count ? command->a[index] : 0;
}

// plan.c
int apus_plan_open(struct apus_init *init);
/// Decodes the step at `offset` and returns the offset of the next; 0 at the end.
uint32_t apus_plan_step(const struct apus_init *init, uint32_t offset,
                        struct apus_command *command);
/// Finds the next step of the kind that is still to be done.
bool apus_plan_ahead(const struct apus_init *init, uint32_t operation,
                     struct apus_command *command);
/// The handle of a slot, or -EBADF.
int apus_slot(const struct apus_init *init, int64_t slot);
/// A NULL-terminated array of the strings of a list joined with NUL, with room for `extra` more.
char **apus_plan_list(struct apus_text joined, size_t extra);

// message.c
int apus_send(struct apus_init *init, uint32_t kind, int32_t value, struct apus_text text,
              int handle);
void apus_warn(struct apus_init *init, int result, const char *text);
int apus_rendezvous(struct apus_init *init, int32_t checkpoint, int handle);
/// Ends the process when the runtime has died before it committed the container.
void apus_check_runtime(struct apus_init *init);
/// Dies with the runtime, until the container is committed. To be renewed after credentials change.
int apus_follow_runtime(struct apus_init *init);

// path.c
int apus_openat2(int at, const char *path, uint64_t flags, uint64_t resolve);
int apus_root(struct apus_init *init);
int apus_open_in_root(struct apus_init *init, const char *path, uint64_t flags, uint64_t resolve);
/// O_PATH handle of a path in the root; what is missing is made: directories, and a last component
/// of `type` (S_IFDIR or S_IFREG). `made`, unless NULL, tells whether the last one was.
int apus_target(struct apus_init *init, const char *path, mode_t type, uint64_t flags,
                uint64_t resolve, bool *made);
/// O_PATH handle of the directory of a path of the plan in the root, made if missing; `*name` is the
/// path's last component. The handle stays open, for the next step and not for the caller to close.
int apus_parent(struct apus_init *init, const char *path, const char **name);
/// 1 if the handle is character device major:minor.
int apus_is_device(int handle, unsigned major, unsigned minor);
int apus_has_magic(int handle, long magic);

// procfs.c
int apus_proc(struct apus_init *init);
int apus_proc_write(struct apus_init *init, const char *path, struct apus_text text);

// mount.c
/// Applies five arguments: set, clear, propagation, set recursively, clear recursively.
int apus_mount_attributes(int mount, const int64_t *a);
int apus_propagate(int at, const char *path, unsigned flags, uint64_t propagation);
int apus_attach(struct apus_init *init, int mount, int target);
/// Refuses a target that links of the image have led into procfs.
int apus_check_place(int target, const char *path);
/// A new detached tmpfs.
int apus_tmpfs(const char *mode, unsigned attributes);
// mask.c
/// O_PATH handle of the container's null device; -errno where it has none that is one.
int apus_own_null(struct apus_init *init);
// copyup.c
int apus_copy_up(int from, int to);

// process.c
/// Parses "0-3,5" to a bit mask of `size` bytes; the highest number + 1, or -EINVAL.
int apus_parse_list(const char *text, unsigned long *mask, size_t size);

// credential.c
/// Empties the inheritable set, and with it the ambient one.
int apus_drop_inheritable(void);

// exec.c
void apus_write_decimal(uint32_t number, char digits[12]);
/// Really closes every handle that the steps still to come do not need.
int apus_close_others(struct apus_init *init);
/// Makes ready what EXEC needs while every call is still allowed: before a filter is loaded.
int apus_prepare_exec(struct apus_init *init);
int apus_reset_signals(void);

// The steps, by file.
apus_step_function apus_step_await, apus_step_gate;                                // message.c
apus_step_function apus_step_fork, apus_step_join, apus_step_unshare, apus_step_time_offsets,
    apus_step_become_root, apus_step_session, apus_step_keyring, apus_step_loopback,
    apus_step_hostname, apus_step_domainname;                                      // namespace.c
apus_step_function apus_step_propagation, apus_step_root, apus_step_pivot, apus_step_root_readonly,
    apus_step_root_propagation;                                                    // pivot.c
apus_step_function apus_step_root_overlay;                                         // overlay.c
apus_step_function apus_step_mount, apus_step_remount;                             // mount.c
apus_step_function apus_step_bind, apus_step_cgroup_mount;                         // bind.c
apus_step_function apus_step_device, apus_step_symlink;                            // device.c
apus_step_function apus_step_console, apus_step_pass_stdio;                        // console.c
apus_step_function apus_step_mask, apus_step_readonly;                             // mask.c
apus_step_function apus_step_sysctl, apus_step_oom_score, apus_step_label;         // procfs.c
apus_step_function apus_step_rlimit, apus_step_scheduler, apus_step_io_priority,
    apus_step_affinity, apus_step_personality, apus_step_memory_policy,
    apus_step_workdir;                                                             // process.c
apus_step_function apus_step_hook;                                                 // hook.c
apus_step_function apus_step_bounding, apus_step_groups, apus_step_user,
    apus_step_capabilities, apus_step_no_new_privileges, apus_step_seccomp,
    apus_step_verify;                                                              // credential.c
apus_step_function apus_step_executable, apus_step_exec;                           // exec.c
void apus_write_decimal(uint32_t number, char digits[12]);

#endif

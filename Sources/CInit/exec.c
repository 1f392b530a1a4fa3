// The program: found as the user, everything of the runtime closed, and executed.
#include "internal.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

/// The errno that execve(2) would give for the file, as the user.
static int check_program(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    if (S_ISDIR(status.st_mode)) return -EISDIR;
    if (!S_ISREG(status.st_mode)) return -EACCES;
    int result = apus_result(
        syscall(APUS_SYS_FACCESSAT2, AT_FDCWD, path, X_OK, APUS_AT_EACCESS));
    // A filter older than the call; real and effective ids are the same by now.
    if (result == -ENOSYS || result == -EPERM) {
        result = apus_result(syscall(SYS_faccessat, AT_FDCWD, path, X_OK));
    }
    return result;
}

/// As execvp(3): EACCES is remembered while the search goes on.
static int search_path(struct apus_init *init, struct apus_text name, const char *directories) {
    char *path = apus_allocate(APUS_PATH_MAX);
    if (!path) return -ENOMEM;
    int found = -ENOENT;
    while (*directories) {
        size_t size = strcspn(directories, ":");
        const char *directory = size ? directories : ".";
        size_t length = size ? size : 1;
        directories += size;
        if (*directories) directories++;
        if (length + 1 + name.size >= APUS_PATH_MAX) continue;
        memcpy(path, directory, length);
        path[length] = '/';
        memcpy(path + length + 1, name.bytes, name.size + 1);
        int result = check_program(path);
        if (result >= 0) {
            init->program = path;
            return 0;
        }
        if (result == -EACCES) found = result;
    }
    return found;
}

int apus_step_executable(struct apus_init *init, const struct apus_command *command) {
    const struct apus_text name = command->s[0];
    int result;
    if (name.size == 0) {
        result = -ENOENT;
    } else if (memchr(name.bytes, '/', name.size)) {
        result = check_program(name.bytes);
        init->program = name.bytes;
    } else {
        result = search_path(init, name, command->s[1].bytes);
    }
    return apus_at(init, result, name.bytes);
}

int apus_close_others(struct apus_init *init) {
    struct apus_command ahead;
    if (!apus_plan_ahead(init, APUS_OP_LABEL, &ahead)) apus_close(&init->proc);
    apus_close(&init->root);  // opened anew where needed: "/" is the container's
    apus_close(&init->empty);
    apus_close(&init->null);
    apus_close(&init->directory);
    // In the order of their numbers, which the table of handles fixes; proc came after them.
    const int keep[] = {init->sync, init->gate, init->report, init->proc};
    int first = init->base;
    for (size_t index = 0; index < sizeof keep / sizeof *keep; index++) {
        if (keep[index] < first) continue;
        int result = apus_close_range((unsigned)first, (unsigned)keep[index] - 1, 0);
        if (result < 0) return result;
        first = keep[index] + 1;
    }
    return apus_close_range((unsigned)first, ~0u, 0);
}

int apus_reset_signals(void) {
    uint64_t none = 0;
    return apus_result(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none));
}

/// Standard handles on the host's null device become the container's own, so that no handle of the
/// host stays. Only where that is a null device: an image may plant something (CVE-2026-88265).
static int reopen_null(struct apus_init *init) {
    int own = -1;
    for (int handle = 0; handle < 3; handle++) {
        if (apus_is_device(handle, 1, 3) <= 0) continue;
        if (own < 0) {
            own = apus_open_in_root(init, "/dev/null", O_PATH, APUS_NO_SYMLINKS);
            bool right = own >= 0 && apus_is_device(own, 1, 3) > 0;
            apus_close(&own);
            if (!right) return 0;
            own = apus_open_in_root(
                init, "/dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY, APUS_NO_SYMLINKS);
            if (own < 0) return 0;  // a mount without devices, or a user who may not
            if (apus_is_device(own, 1, 3) <= 0) {
                close(own);
                return 0;
            }
            if (fcntl(own, F_SETFL, 0) < 0) return -errno;
        }
        if (dup2(own, handle) < 0) return -errno;
    }
    apus_close(&own);
    return 0;
}

enum { PASSWORDS_MAX = 1 << 20, CHUNK = 4096 };

/// The home of `uid` in a line of /etc/passwd (name:password:uid:gid:comment:home:shell), or NULL.
static const char *home_in_line(char *line, const char *uid) {
    char *fields[7] = {line};
    int count = 1;
    for (char *byte = line; *byte && count < 7; byte++) {
        if (*byte == ':') {
            *byte = 0;
            fields[count++] = byte + 1;
        }
    }
    return count == 7 && strcmp(fields[2], uid) == 0 ? fields[5] : NULL;
}

void apus_write_decimal(uint32_t number, char digits[12]) {
    char reversed[12];
    int count = 0;
    do reversed[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    for (int index = 0; index < count; index++) digits[index] = reversed[count - 1 - index];
    digits[count] = 0;
}

/// Looks through the file line by line; lines longer than the buffer are no user's.
static bool find_home(int file, const char *uid, char *home, size_t room) {
    char buffer[CHUNK];
    size_t kept = 0, total = 0;
    for (;;) {
        ssize_t size = read(file, buffer + kept, sizeof buffer - 1 - kept);
        if (size < 0 || (size == 0 && kept == 0) || total > PASSWORDS_MAX) return false;
        total += (size_t)size;
        kept += (size_t)size;
        if (size == 0) buffer[kept++] = '\n';
        char *line = buffer, *end;
        while ((end = memchr(line, '\n', kept - (size_t)(line - buffer)))) {
            *end = 0;
            const char *found = home_in_line(line, uid);
            if (found && *found == '/' && strlen(found) < room) {
                memcpy(home, found, strlen(found) + 1);
                return true;
            }
            line = end + 1;
        }
        if (size == 0) return false;
        kept -= (size_t)(line - buffer);
        memmove(buffer, line, kept);
        if (kept == sizeof buffer - 1) kept = 0;
    }
}

/// HOME from the image's /etc/passwd: a regular file, opened without blocking; "/" where it says
/// nothing.
static char *home_entry(struct apus_init *init, uint32_t uid) {
    char *entry = apus_allocate(APUS_PATH_MAX);
    if (!entry) return NULL;
    memcpy(entry, "HOME=/", 7);
    int file = apus_open_in_root(init, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0) return entry;
    struct stat status;
    char digits[12];
    apus_write_decimal(uid, digits);
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        find_home(file, digits, entry + 5, APUS_PATH_MAX - 5);
    }
    close(file);
    return entry;
}

static char **find_variable(char **environment, const char *name) {
    size_t size = strlen(name);
    for (; *environment; environment++) {
        if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=') break;
    }
    return environment;
}

static int complete_environment(struct apus_init *init, const struct apus_command *command) {
    if (command->a[1] == 1) {
        char **place = find_variable(init->environment, "LISTEN_PID");
        char *entry = apus_allocate(32);
        if (!entry) return -ENOMEM;
        memcpy(entry, "LISTEN_PID=", 11);
        apus_write_decimal((uint32_t)getpid(), entry + 11);
        *place = entry;
    }
    char **home = find_variable(init->environment, "HOME");
    if (apus_argument(command, 2) != 1 || *home) return 0;
    struct apus_command user;
    bool later = apus_plan_ahead(init, APUS_OP_USER, &user);
    *home = home_entry(init, later ? (uint32_t)user.a[0] : (uint32_t)getuid());
    return *home ? 0 : -ENOMEM;
}

static int prepare(struct apus_init *init, const struct apus_command *command) {
    init->arguments = apus_plan_list(command->s[0], 0);
    init->environment = apus_plan_list(command->s[1], 2);
    if (!init->arguments || !init->environment) return -ENOMEM;
    if (!init->arguments[0]) return -EINVAL;
    int result = complete_environment(init, command);
    if (result >= 0) result = reopen_null(init);
    if (result >= 0) result = apus_close_others(init);
    if (result >= 0) result = apus_reset_signals();
    return result;
}

int apus_prepare_exec(struct apus_init *init) {
    struct apus_command command;
    if (init->arguments || !apus_plan_ahead(init, APUS_OP_EXEC, &command)) return 0;
    return prepare(init, &command);
}

int apus_step_exec(struct apus_init *init, const struct apus_command *command) {
    int result = init->arguments ? 0 : prepare(init, command);
    if (result < 0) return result;
    if (!init->committed) {
        if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0) return -errno;
        apus_check_runtime(init);
    }
    const char *program = init->program ? init->program : init->arguments[0];
    execve(program, init->arguments, init->environment);
    return apus_at(init, -errno, program);
}

// Hooks that run inside: the state on stdin, exactly the environment given, output kept for the
// error, a deadline that ends the whole group.
#include "internal.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { OUTPUT_MAX = APUS_TEXT_MAX };

struct run {
    int pid, process;  // number and pidfd
    int input, output, failure;  // our ends; `failure` carries the errno of an exec that failed
    struct apus_text parts[3];   // what is to be written: the state around our process number
    uint32_t part, written;
    int64_t deadline;            // of CLOCK_MONOTONIC, ms; -1: none
    char *text;
    uint32_t size;
};

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

_Noreturn static void become_hook(const struct apus_init *init, const struct apus_command *command,
                                  char **arguments, char **environment, const int ends[3]) {
    int error = 0;
    // createContainer runs before the pivot; its hooks have always found the container's root in
    // their working directory.
    if (init->root >= 0 && fchdir(init->root) < 0) error = errno;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setsid() < 0) error = errno;
    // Above the standard handles first: one of the ends may be one of them.
    int input = fcntl(ends[0], F_DUPFD, 3), output = fcntl(ends[1], F_DUPFD, 3);
    int failure = fcntl(ends[2], F_DUPFD_CLOEXEC, 3);
    if (input < 0 || output < 0 || failure < 0) apus_end(127);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) error = errno;
    int result = apus_close_range(3, (unsigned)failure - 1, 0);
    if (result >= 0) result = apus_close_range((unsigned)failure + 1, ~0u, 0);
    if (result >= 0) result = apus_reset_signals();
    umask(022);
    if (result < 0) error = -result;
    if (!error) {
        execve(command->s[0].bytes, arguments, environment);
        error = errno;
    }
    ssize_t told = write(failure, &error, sizeof error);
    apus_end(told == sizeof error ? 127 : 126);
}

static int start_hook(struct apus_init *init, const struct apus_command *command,
                      struct run *run) {
    char **arguments = apus_plan_list(command->s[2], 0);
    char **environment = apus_plan_list(command->s[3], 0);
    if (!arguments || !environment) return -ENOMEM;
    if (apus_argument(command, 2) == 1) {
        int result = apus_prepare_exec(init);
        if (result < 0) return result;
        environment = init->environment;
    }
    if (!arguments[0]) arguments[0] = (char *)(uintptr_t)command->s[0].bytes;
    int input[2], output[2], failure[2];
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) return -errno;
    if (pipe2(failure, O_CLOEXEC) < 0) return -errno;
    long child = syscall(SYS_clone, (long)APUS_CLONE_PIDFD | SIGCHLD, 0, &run->process, 0, 0);
    if (child < 0) return -errno;
    if (child == 0) {
        const int ends[3] = {input[0], output[1], failure[1]};
        become_hook(init, command, arguments, environment, ends);
    }
    run->pid = (int)child;
    close(input[0]);
    close(output[1]);
    close(failure[1]);
    run->input = input[1];
    run->output = output[0];
    run->failure = failure[0];
    if (fcntl(run->input, F_SETFL, O_NONBLOCK) < 0 || fcntl(run->output, F_SETFL, O_NONBLOCK) < 0) {
        return -errno;
    }
    return 0;
}

/// Writes more of the state; closes the pipe at its end, or when the hook does not want it.
static void feed(struct run *run) {
    while (run->part < 3) {
        struct apus_text part = run->parts[run->part];
        ssize_t size = write(run->input, part.bytes + run->written, part.size - run->written);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (size < 0) break;
        run->written += (uint32_t)size;
        if (run->written < part.size) return;
        run->part++;
        run->written = 0;
    }
    apus_close(&run->input);
}

/// Reads what there is: the first bytes are kept, the rest is dropped.
static void drain(struct run *run) {
    char waste[512];
    for (;;) {
        bool full = run->size == OUTPUT_MAX;
        ssize_t size = read(run->output, full ? waste : run->text + run->size,
                            full ? sizeof waste : OUTPUT_MAX - run->size);
        if (size < 0) return;
        if (size == 0) {
            apus_close(&run->output);
            return;
        }
        if (!full) run->size += (uint32_t)size;
    }
}

/// Serves the pipes until the hook ends. Its children may keep the output open: they are not waited
/// for. -ETIMEDOUT after the deadline.
static int serve(struct apus_init *init, struct run *run) {
    for (;;) {
        struct pollfd wait[] = {
            {run->process, POLLIN, 0},
            {run->input, POLLOUT, 0},
            {run->output, POLLIN, 0},
            {init->committed ? -1 : init->sync, 0, 0},
        };
        int64_t left = run->deadline < 0 ? -1 : run->deadline - now_ms();
        if (run->deadline >= 0 && left <= 0) return -ETIMEDOUT;
        int ready = poll(wait, 4, left > 1 << 30 ? 1 << 30 : (int)left);
        if (ready < 0 && errno != EINTR) return -errno;
        if (ready <= 0) continue;
        if (wait[3].revents) return -EPIPE;  // the runtime died
        if (wait[1].revents) feed(run);
        if (wait[2].revents) drain(run);
        if (wait[0].revents) {
            if (run->output >= 0) drain(run);
            return 0;
        }
    }
}

/// The wait status, or -errno of an exec that failed or a deadline that passed.
static int finish(struct run *run, int result) {
    if (result < 0) {
        kill(-run->pid, SIGKILL);
        kill(run->pid, SIGKILL);
    }
    int status = 0, error = 0;
    pid_t waited;
    do waited = waitpid(run->pid, &status, 0);
    while (waited < 0 && errno == EINTR);
    if (waited < 0 && result >= 0) result = -errno;
    if (result >= 0 && read(run->failure, &error, sizeof error) == sizeof error) result = -error;
    apus_close(&run->process);
    apus_close(&run->input);
    apus_close(&run->output);
    apus_close(&run->failure);
    return result < 0 ? result : status;
}

/// Splits the state at its process number: the runtime wrote 0, for it could not know ours.
static void split_state(struct run *run, struct apus_text state, char digits[12]) {
    static const char key[] = "\"pid\":0";
    const char *found = strstr(state.bytes, key);
    char after = found ? found[sizeof key - 1] : 0;
    if (after != ',' && after != '}') {
        run->parts[0] = state;
        run->parts[1] = run->parts[2] = (struct apus_text){"", 0};
        return;
    }
    uint32_t before = (uint32_t)(found - state.bytes + (ptrdiff_t)sizeof key - 2);
    char *digit = digits + 12;
    unsigned pid = (unsigned)getpid();
    do *--digit = (char)('0' + pid % 10);
    while ((pid /= 10) != 0);
    run->parts[0] = (struct apus_text){state.bytes, before};
    run->parts[1] = (struct apus_text){digit, (uint32_t)(digits + 12 - digit)};
    run->parts[2] = (struct apus_text){state.bytes + before + 1, state.size - before - 1};
}

int apus_step_hook(struct apus_init *init, const struct apus_command *command) {
    char text[OUTPUT_MAX], digits[12];
    int64_t timeout = command->a[0];
    struct run run = {
        .process = -1, .input = -1, .output = -1, .failure = -1, .text = text,
        .deadline = timeout < 0 ? -1 : now_ms() + (timeout > 1 << 30 ? 1 << 30 : timeout) * 1000,
    };
    split_state(&run, command->s[1], digits);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);  // a hook need not read its state
    int result = start_hook(init, command, &run);
    if (result >= 0) result = finish(&run, serve(init, &run));
    else if (run.pid > 0) finish(&run, result);
    sigaction(SIGPIPE, &before, NULL);
    if (result == 0) return 0;
    apus_check_runtime(init);
    apus_send(init, APUS_HOOK, result, (struct apus_text){text, run.size}, -1);
    return APUS_REPORTED;
}

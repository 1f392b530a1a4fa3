// What the init stage and the runtime say to each other, and the wait for `start`.
#include "internal.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_packet(struct apus_init *init, struct iovec *parts, int handle) {
    union control control;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (handle >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof handle);
        memcpy(CMSG_DATA(head), &handle, sizeof handle);
    }
    ssize_t sent;
    do sent = sendmsg(init->sync, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/// Writes to the FIFO that `start` reads. Nobody may be reading: that must not kill us.
static int write_report(struct apus_init *init, struct iovec *parts) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    ssize_t written;
    do written = writev(init->report, parts, 2);
    while (written < 0 && errno == EINTR);
    int result = written < 0 ? -errno : 0;
    sigaction(SIGPIPE, &before, NULL);
    return result;
}

int apus_send(struct apus_init *init, uint32_t kind, int32_t value, struct apus_text text,
              int handle) {
    uint32_t size = text.size > APUS_TEXT_MAX ? APUS_TEXT_MAX : text.size;
    struct apus_message head = {kind, init->step, value, size};
    struct iovec parts[2] = {
        {&head, sizeof head},
        {(void *)(uintptr_t)text.bytes, size},
    };
    if (init->sync >= 0) return send_packet(init, parts, handle);
    if (init->report >= 0 && handle < 0) return write_report(init, parts);
    return -ENOTCONN;
}

void apus_warn(struct apus_init *init, int result, const char *text) {
    apus_send(init, APUS_WARNING, -result, (struct apus_text){text, (uint32_t)strlen(text)}, -1);
}

void apus_check_runtime(struct apus_init *init) {
    if (init->committed || init->sync < 0) return;
    struct pollfd wait = {init->sync, 0, 0};
    if (poll(&wait, 1, 0) > 0 && wait.revents & (POLLHUP | POLLERR | POLLNVAL)) apus_end(1);
}

int apus_follow_runtime(struct apus_init *init) {
    // A process that changed its credentials may have become dumpable again.
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return -errno;
    if (init->committed) return 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return -errno;
    // The runtime may have died before the line above: then no signal comes.
    apus_check_runtime(init);
    return 0;
}

int apus_rendezvous(struct apus_init *init, int32_t checkpoint, int handle) {
    if (init->sync < 0) return -ENOTCONN;
    int result = apus_send(init, APUS_REQUEST, checkpoint, (struct apus_text){"", 0}, handle);
    if (result < 0) return result;
    struct apus_message answer;
    ssize_t size;
    // A blocking receive returns 0 when the peer is gone: the wait ends with its owner.
    do size = recv(init->sync, &answer, sizeof answer, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0) return -errno;
    if (size == 0) apus_end(1);
    if (size != sizeof answer || answer.kind != APUS_PROCEED || answer.value != checkpoint) {
        return -EPROTO;
    }
    return 0;
}

/// A created container holds nothing of the host but the two FIFOs, from before the runtime says so.
static int await_ready(struct apus_init *init) {
    struct apus_command gate;
    bool gated = apus_plan_ahead(init, APUS_OP_GATE, &gate);
    // Under a filter everything was closed before that was loaded.
    int result = gated && !init->arguments ? apus_close_others(init) : 0;
    // Before the question: the runtime may end right after its answer, and must not take us along. If
    // it dies before, the socket says so.
    if (result >= 0) result = apus_result(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
    if (result >= 0) result = apus_rendezvous(init, APUS_AT_READY, -1);
    if (result < 0) return result;
    init->committed = true;
    // Without a gate the runtime goes on listening: exec closes the socket, which means success.
    if (gated) apus_close(&init->sync);
    return 0;
}

int apus_step_await(struct apus_init *init, const struct apus_command *command) {
    int32_t checkpoint = (int32_t)command->a[0];
    if (checkpoint == APUS_AT_READY) return await_ready(init);
    // An unprivileged runtime, and newuidmap, may write the maps of a dumpable process only.
    bool maps = checkpoint == APUS_AT_MAP_IDS;
    if (maps && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return -errno;
    int result = apus_rendezvous(init, checkpoint, -1);
    if (result < 0) return result;
    if (maps && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return -errno;
    return 0;
}

static void end(int signal) { apus_end(128 + signal); }

/// What ends other processes ends a created container, too: by default the kernel spares the first
/// process of a pid namespace. exec puts the default back.
static int become_mortal(void) {
    const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    struct sigaction action = {.sa_handler = end};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        if (sigaction(deadly[i], &action, NULL) < 0) return -errno;
    }
    return 0;
}

/// A byte in the FIFO is `start`. An unlinked FIFO is a deleted container: nobody can start it.
int apus_step_gate(struct apus_init *init, const struct apus_command *command) {
    (void)command;
    struct stat status;
    if (fstat(init->gate, &status) < 0) return -errno;
    if (!S_ISFIFO(status.st_mode)) return -EBADF;
    int result = become_mortal();
    if (result < 0) return result;
    for (;;) {
        struct pollfd wait = {init->gate, POLLIN, 0};
        int ready = poll(&wait, 1, 1000);
        if (ready < 0 && errno != EINTR) return -errno;
        if (ready > 0 && wait.revents & POLLIN) {
            char byte;
            ssize_t size = read(init->gate, &byte, 1);
            if (size == 1) break;
            if (size < 0 && errno != EAGAIN && errno != EINTR) return -errno;
        }
        if (fstat(init->gate, &status) < 0) return -errno;
        if (status.st_nlink == 0) apus_end(1);
        // Writers that came and went without a byte leave the FIFO hung up: do not spin.
        if (ready > 0) poll(NULL, 0, 20);
        apus_check_runtime(init);
    }
    apus_close(&init->gate);
    return 0;
}

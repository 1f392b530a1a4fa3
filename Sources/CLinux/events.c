// Waiting, sockets, clocks and random bytes.
#include "shim.h"

#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <fcntl.h>

_Static_assert(sizeof(struct apus_poll) == sizeof(struct pollfd), "struct pollfd");

int apus_pipe(int ends[2], int flags) { APUS_RESULT(pipe2(ends, flags)); }

int apus_poll(struct apus_poll *entries, size_t count, int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    APUS_RESULT(ppoll((struct pollfd *)entries, count, nanoseconds < 0 ? NULL : &time, NULL));
}

int apus_socketpair(int type, int ends[2]) {
    APUS_RESULT(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
}

/// The address of `path`, its length in `length`; 0 where it is too long.
static int unix_address(const char *path, size_t size, struct sockaddr_un *address, socklen_t *length) {
    if (size == 0 || size >= sizeof address->sun_path)
        return 0;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, size);
    // An abstract name (first byte NUL) ends with its size, a path with its NUL.
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (path[0] != 0));
    return 1;
}

int apus_unix_connect(const char *path, size_t size, int type) {
    struct sockaddr_un address;
    socklen_t length;
    if (!unix_address(path, size, &address, &length))
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, length) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int apus_unix_listen(const char *path, size_t size, int type, int backlog) {
    struct sockaddr_un address;
    socklen_t length;
    if (!unix_address(path, size, &address, &length))
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, length) < 0 
        || (type != SOCK_DGRAM && listen(fd, backlog) < 0)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int apus_accept(int fd) { APUS_RESULT(accept4(fd, NULL, NULL, SOCK_CLOEXEC)); }

int apus_shutdown(int fd, int how) { APUS_RESULT(shutdown(fd, how)); }

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(APUS_HANDLES_MAX * sizeof(int))];
};

long apus_send_message(int fd, const void *bytes, size_t size, const int *handles, size_t count, int flags) {
    union control control;
    struct iovec vector = {(void *)bytes, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > APUS_HANDLES_MAX)
        return -EINVAL;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.head), handles, count * sizeof(int));
    }
    APUS_RESULT(sendmsg(fd, &message, flags | MSG_NOSIGNAL));
}

/// Takes the handles of one control message: as many as there is room for, the others are closed.
static void take_handles(struct cmsghdr *head, int *handles, size_t room, size_t *count) {
    size_t received = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < received; i++) {
        int handle;
        memcpy(&handle, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        if (*count < room)
            handles[(*count)++] = handle;
        else
            close(handle);
    }
}

long apus_receive_message(int fd, void *bytes, size_t size, int *handles, size_t *count, int *truncated,
                  int flags) {
    union control control;
    struct iovec vector = {bytes, size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    size_t room = *count;
    *count = 0;
    long received = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0)
        return -errno;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h))
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
            take_handles(h, handles, room, count);
    *truncated = (message.msg_flags & MSG_TRUNC) != 0;
    return received;
}

int apus_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct {
        int32_t pid;
        uint32_t uid, gid;
    } peer;  // struct ucred
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int apus_netlink(void) { APUS_RESULT(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 /* NETLINK_ROUTE */)); }

int apus_inotify(int flags) { APUS_RESULT(inotify_init1(flags)); }

int apus_inotify_watch(int fd, const char *path, uint32_t mask) {
    APUS_RESULT(inotify_add_watch(fd, path, mask));
}

int apus_clock(int clock, int64_t *seconds, int64_t *nanoseconds) {
    struct timespec time;
    if (clock_gettime(clock, &time) < 0)
        return -errno;
    *seconds = time.tv_sec;
    *nanoseconds = time.tv_nsec;
    return 0;
}

int apus_sleep(int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    APUS_RESULT(nanosleep(&time, NULL));
}

long apus_random(void *bytes, size_t size) { APUS_RESULT(syscall(SYS_getrandom, bytes, size, 0)); }

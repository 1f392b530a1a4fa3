// Terminals.
#include "shim.h"

#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

_Static_assert(sizeof(struct termios) <= sizeof(struct apus_terminal), "room for struct termios");

int apus_is_terminal(int fd) { return isatty(fd); }

int apus_terminal_get(int fd, struct apus_terminal *saved) {
    struct termios t;
    if (tcgetattr(fd, &t) < 0)
        return -errno;
    memset(saved, 0, sizeof *saved);
    memcpy(saved, &t, sizeof t);
    return 0;
}

int apus_terminal_set(int fd, const struct apus_terminal *saved) {
    struct termios t;
    memcpy(&t, saved, sizeof t);
    APUS_RESULT(tcsetattr(fd, TCSANOW, &t));
}

int apus_terminal_raw(int fd, const struct apus_terminal *saved) {
    struct termios t;
    memcpy(&t, saved, sizeof t);
    cfmakeraw(&t);
    APUS_RESULT(tcsetattr(fd, TCSANOW, &t));
}

int apus_terminal_plain_newlines(int fd) {
    struct termios t;
    if (tcgetattr(fd, &t) < 0)
        return -errno;
    t.c_oflag &= ~(tcflag_t)ONLCR;
    APUS_RESULT(tcsetattr(fd, TCSANOW, &t));
}

int apus_window_get(int fd, uint16_t *rows, uint16_t *columns, uint16_t *width, uint16_t *height) {
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0)
        return -errno;
    *rows = w.ws_row;
    *columns = w.ws_col;
    *width = w.ws_xpixel;
    *height = w.ws_ypixel;
    return 0;
}

int apus_window_set(int fd, uint16_t rows, uint16_t columns, uint16_t width, uint16_t height) {
    struct winsize w = {rows, columns, width, height};
    APUS_RESULT(ioctl(fd, TIOCSWINSZ, &w));
}

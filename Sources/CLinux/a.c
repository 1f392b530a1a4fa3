#include "CLinux.h"
#include <unistd.h>
#include <errno.h>
int apus_write(int fd, const char *text, unsigned long size) { long n = write(fd, text, size); return n < 0 ? -errno : (int)n; }

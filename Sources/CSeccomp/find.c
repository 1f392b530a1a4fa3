#include "CSeccomp.h"

#include <string.h>

int apus_syscall_find(const unsigned char *name, unsigned long length) {
    int low = 0, high = (int)apus_syscall_count - 1;
    if (length == 0 || length >= sizeof(apus_syscalls[0].name)) return -1;
    while (low <= high) {
        int middle = (low + high) / 2;
        const char *candidate = apus_syscalls[middle].name;
        int order = strncmp((const char *)name, candidate, length);
        if (order == 0 && candidate[length] != '\0') order = -1;
        if (order == 0) return middle;
        if (order < 0) high = middle - 1;
        else low = middle + 1;
    }
    return -1;
}

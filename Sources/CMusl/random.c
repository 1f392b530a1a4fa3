// Swift's hashing asks for arc4random_buf, which glibc has since 2.36 and musl has not.
#ifdef APUS_MUSL

#include <stddef.h>
#include <sys/random.h>

void arc4random_buf(void *buffer, size_t size);

void arc4random_buf(void *buffer, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = getrandom((char *)buffer + done, size - done, 0);
        if (count < 0)
            __builtin_trap();  // Linux has had getrandom since 3.17; there is nothing to fall back to
        done += (size_t)count;
    }
}

#endif

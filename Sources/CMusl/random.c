// Swift's hashing asks for arc4random_buf, which glibc has since 2.36 and musl has not.
//
// A process asks for one seed of 16 bytes. The kernel gave it that many at exec (AT_RANDOM), so nothing
// is asked and nothing can fail; what is asked beyond comes from getrandom.
#ifdef APUS_MUSL

#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

void arc4random_buf(void *buffer, size_t size);

void arc4random_buf(void *buffer, size_t size) {
    enum { GIVEN = 16 };
    static size_t used;
    const char *given = (const char *)getauxval(AT_RANDOM);
    if (given && size <= GIVEN - used) {
        memcpy(buffer, given + used, size);
        used += size;
        return;
    }
    for (size_t done = 0; done < size;) {
        ssize_t count = getrandom((char *)buffer + done, size - done, 0);
        if (count < 0)
            __builtin_trap();  // Linux has had getrandom since 3.17; there is nothing to fall back to
        done += (size_t)count;
    }
}

#endif

/// What a release that is linked with musl needs besides musl: see random.c and heap.c. The target is
/// empty in every other build.
#ifndef APUS_CMUSL_H
#define APUS_CMUSL_H
#endif

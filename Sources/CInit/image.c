// The flat image of the init stage, carried by a release: APUS_INIT_IMAGE is the path of the file.
#ifndef APUS_INIT_STANDALONE

#include "CInit.h"

#ifdef APUS_INIT_IMAGE
__asm__(".section .rodata\n"
        ".balign 64\n"
        ".globl apus_init_image\n"
        "apus_init_image:\n"
        ".incbin \"" APUS_INIT_IMAGE "\"\n"
        "apus_init_image_end:\n"
        ".balign 8\n"
        ".globl apus_init_image_size\n"
        "apus_init_image_size:\n"
        ".quad apus_init_image_end - apus_init_image\n"
        ".previous\n");
#else
// A development build: the runtime's own executable is the image.
const unsigned char apus_init_image[1] = {0};
const size_t apus_init_image_size = 0;
#endif

#endif

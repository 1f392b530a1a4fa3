// The plan, as the runtime wrote it: checked whole before the first step is done.
#include "internal.h"

#include <sys/mman.h>

enum { SEALS = 0x1 | 0x2 | 0x4 | 0x8 };  // F_SEAL_SEAL, SHRINK, GROW, WRITE
#ifndef F_GET_SEALS
#define F_GET_SEALS 1034
#endif

/// Decodes the strings of a step, which begin at `offset` and end before `end`.
static bool read_strings(const struct apus_init *init, uint32_t offset, uint32_t end,
                         const struct apus_signature *signature, struct apus_command *command) {
    for (uint32_t index = 0; index < signature->strings; index++) {
        uint32_t size;
        if (end - offset < sizeof size) return false;
        memcpy(&size, init->plan + offset, sizeof size);
        offset += sizeof size;
        if (size >= end - offset) return false;
        const char *bytes = (const char *)init->plan + offset;
        if (bytes[size] != 0) return false;
        if (!(signature->binary >> index & 1) && memchr(bytes, 0, size)) return false;
        command->s[index] = (struct apus_text){bytes, size};
        uint32_t padded = (size + 1 + 3) & ~3u;
        if (padded > end - offset) return false;
        offset += padded;
    }
    return true;
}

/// Decodes and checks the step at `offset`; the offset after it, or 0 where it is malformed.
static uint32_t decode(const struct apus_init *init, uint32_t offset,
                       struct apus_command *command) {
    struct apus_step head;
    if (init->size - offset < sizeof head) return 0;
    memcpy(&head, init->plan + offset, sizeof head);
    if (head.size % 8 != 0 || head.size < sizeof head || head.size > init->size - offset) return 0;
    if (head.operation >= apus_signature_count) return 0;
    const struct apus_signature *signature = &apus_signatures[head.operation];
    if (!signature->run || head.arguments < signature->arguments) return 0;
    if (head.strings != signature->strings) return 0;
    if (head.arguments > (head.size - sizeof head) / sizeof(int64_t)) return 0;
    command->operation = head.operation;
    command->count = head.arguments;
    command->a = (const int64_t *)(const void *)(init->plan + offset + sizeof head);
    uint32_t strings = offset + (uint32_t)sizeof head + head.arguments * 8;
    if (!read_strings(init, strings, offset + head.size, signature, command)) return 0;
    return offset + head.size;
}

int apus_plan_open(struct apus_init *init) {
    int handle = init->base + APUS_HANDLE_PLAN;
    struct stat status;
    if (fstat(handle, &status) < 0) return -errno;
    int seals = fcntl(handle, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS) return -EBADMSG;
    if (status.st_size < (off_t)sizeof(struct apus_plan) || status.st_size > INT32_MAX) {
        return -EBADMSG;
    }
    void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, handle, 0);
    if (memory == MAP_FAILED) return -errno;
    close(handle);
    init->plan = memory;
    init->size = (uint32_t)status.st_size;
    struct apus_plan head;
    memcpy(&head, memory, sizeof head);
    if (head.magic != APUS_PLAN_MAGIC || head.size != init->size) return -EBADMSG;
    if (head.slots > 1 << 16) return -EBADMSG;
    init->slots = head.slots;
    struct apus_command command;
    uint32_t offset = sizeof head;
    for (uint32_t step = 0; step < head.steps; step++) {
        offset = decode(init, offset, &command);
        if (offset == 0) return -EBADMSG;
    }
    return offset == init->size ? 0 : -EBADMSG;
}

uint32_t apus_plan_step(const struct apus_init *init, uint32_t offset,
                        struct apus_command *command) {
    return offset < init->size ? decode(init, offset, command) : 0;
}

bool apus_plan_ahead(const struct apus_init *init, uint32_t operation,
                     struct apus_command *command) {
    uint32_t offset = init->offset;
    while ((offset = apus_plan_step(init, offset, command)) != 0) {
        if (command->operation == operation) return true;
    }
    return false;
}

int apus_slot(const struct apus_init *init, int64_t slot) {
    if (slot < 0 || slot >= (int64_t)init->slots) return -EBADF;
    return init->base + APUS_HANDLE_FIRST_SLOT + (int)slot;
}

char **apus_plan_list(struct apus_text joined, size_t extra) {
    size_t count = 0;
    for (uint32_t index = 0; index < joined.size; index++) count += joined.bytes[index] == 0;
    char **list = apus_allocate((count + extra + 2) * sizeof *list);
    if (!list || joined.size == 0) return list;
    char **next = list;
    const char *end = joined.bytes + joined.size;
    // The strings lie in read-only memory; exec takes them as char * for history's sake only.
    for (const char *text = joined.bytes; text <= end; text += strlen(text) + 1) {
        *next++ = (char *)(uintptr_t)text;
    }
    return list;
}

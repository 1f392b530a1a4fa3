/// System call names and their numbers.
///
/// A table of our own, not libseccomp's functions: resolving the names of an ordinary profile
/// takes those 0.2 ms in a fresh process, this table a tenth, and it knows the calls that are
/// newer than the library of the build host. libseccomp is the oracle of the tests.
#ifndef APUS_CSECCOMP_H
#define APUS_CSECCOMP_H

enum apus_syscall_column {
    APUS_COLUMN_X86_64,
    APUS_COLUMN_X86,
    APUS_COLUMN_X32,
    APUS_COLUMN_AARCH64,
    /// The first argument of x86's socketcall(2) that means this call, 0 for none.
    APUS_COLUMN_SOCKETCALL,
    /// The same for ipc(2).
    APUS_COLUMN_IPC,
};

/// A row: the name in place, so that the table needs no relocation, and -1 where it is missing.
struct apus_syscall {
    char name[30];
    short number[6];
};

extern const struct apus_syscall apus_syscalls[];
extern const unsigned apus_syscall_count;

/// The row of a name of that many bytes, or -1.
int apus_syscall_find(const unsigned char *name, unsigned long length);

/// A row.
static inline struct apus_syscall apus_syscall_at(int row) { return apus_syscalls[row]; }

/// A number of a row.
static inline int apus_syscall_number(int row, int column) {
    return apus_syscalls[row].number[column];
}

#endif

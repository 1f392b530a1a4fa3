// stepper: runs a program and interferes at one of its system calls.
//
//   stepper count PROGRAM [ARGUMENT...]          prints how many system calls it makes
//   stepper kill K PROGRAM...                    kills it at the entry of call K (from 1)
//   stepper fail K ERRNO PROGRAM...              call K does nothing and returns -ERRNO (close closes)
//   stepper pause K COMMAND PROGRAM...           runs `sh -c COMMAND` while it stands before call K
//   stepper names FILE PROGRAM...                writes the numbers of its calls, one a line
//
// Only the program itself is stepped; its children are let go at their birth. Exit status: the
// program's, 128 + signal, or 200 when it ended before call K. The count goes to handle 9, or
// standard error when that is closed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum action { COUNT, KILL, FAIL, PAUSE, NAMES };

static _Noreturn void die(const char *what) {
    fprintf(stderr, "stepper: %s: %s\n", what, strerror(errno));
    exit(199);
}

static void run_command(const char *command) {
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    // Only this child: the tracee and its children stay as they are.
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: stepper count|kill|fail|pause|names ...\n");
        return 64;
    }
    enum action action = COUNT;
    long point = -1, error = 0, calls = 0;
    const char *command = NULL;
    FILE *names = NULL;
    int next = 2;
    if (!strcmp(argv[1], "kill")) action = KILL, point = atol(argv[next++]);
    else if (!strcmp(argv[1], "fail")) action = FAIL, point = atol(argv[next++]), error = atol(argv[next++]);
    else if (!strcmp(argv[1], "pause")) action = PAUSE, point = atol(argv[next++]), command = argv[next++];
    else if (!strcmp(argv[1], "names")) {
        action = NAMES;
        names = fopen(argv[next++], "we");
        if (!names) die("names");
    } else if (strcmp(argv[1], "count")) return 64;

    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) die("traceme");
        raise(SIGSTOP);
        execv(argv[next], argv + next);
        die(argv[next]);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) die("first stop");
    // No PTRACE_O_TRACECLONE: children are never traced.
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, pid, 0, options) < 0) die("setoptions");

    unsigned long long end = 0;  // asked of a brk that fails
    int entering = 1, started = 0, failing = 0, done = 0;
    if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0) die("syscall");
    for (;;) {
        if (waitpid(pid, &status, __WALL) != pid) {
            if (errno == EINTR) continue;
            die("wait");
        }
        if (WIFEXITED(status) || WIFSIGNALED(status)) break;
        long signal = 0;
        int stop = WSTOPSIG(status);
        if (stop == (SIGTRAP | 0x80)) {
            struct user_regs_struct registers;
            if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0) die("getregs");
            if (!started) {
                // Still the stepper's own child on its way to exec.
            } else if (entering) {
                calls++;
                if (names) fprintf(names, "%llu\n", registers.orig_rax);
                if (calls == point) {
                    done = 1;
                    if (action == KILL) {
                        kill(pid, SIGKILL);
                    } else if (action == PAUSE) {
                        run_command(command);
                    } else if (action == FAIL && registers.orig_rax == SYS_brk) {
                        // It never returns an error, but where the memory ends: unchanged.
                        end = registers.rdi;
                        registers.rdi = 0;
                        if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0) die("setregs");
                    } else if (action == FAIL) {
                        failing = 1;
                        // A close that fails has closed all the same.
                        if (registers.orig_rax != SYS_close) registers.orig_rax = -1;
                        if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0) die("setregs");
                    }
                }
            } else if (end) {
                registers.rdi = end;
                end = 0;
                if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0) die("setregs");
            } else if (failing) {
                failing = 0;
                registers.rax = (unsigned long long)-error;
                if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0) die("setregs");
            }
            entering = !entering;
        } else if (stop == SIGTRAP && status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
            started = 1;
            entering = 0;  // the exit of execve comes next
        } else {
            signal = stop;
        }
        if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 && errno != ESRCH) die("syscall");
    }
    dprintf(fcntl(9, F_GETFD) < 0 ? 2 : 9, "%ld\n", calls);
    if (names) fclose(names);
    if (point >= 0 && !done) return 200;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

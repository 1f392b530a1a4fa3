// usage FILE COMMAND... [\; COMMAND...]: what the commands cost, as "wall-ns cpu-us peak-KiB" in FILE.
//
// A small program does the starting: a child of a large one begins with its size, and the time
// of copying that is charged to the child. Processes that a command leaves behind come here when
// their parent ends, so that a container's own time is counted whichever way it was started.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void must(char **command) {
    pid_t pid;
    int status;
    if (posix_spawn(&pid, command[0], NULL, NULL, command, environ)) exit(127);
    if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) exit(126);
    if (WEXITSTATUS(status)) exit(WEXITSTATUS(status));
}

int main(int argc, char **argv) {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    long began = nanoseconds();
    for (int first = 2, i = 2; i <= argc; i++) {
        if (i < argc && strcmp(argv[i], ";")) continue;
        argv[i] = NULL;
        must(argv + first);
        first = i + 1;
    }
    long wall = nanoseconds() - began;
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec +
               usage.ru_stime.tv_usec;
    FILE *file = fopen(argv[1], "w");
    if (!file) return 125;
    fprintf(file, "%ld %ld %ld\n", wall, cpu, usage.ru_maxrss);
    return fclose(file) ? 125 : 0;
}

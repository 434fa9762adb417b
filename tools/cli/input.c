/* input.c - open what is to be read: nobody waits for a pipe, nothing endless is read, and no pipe
 * is read twice, because the second time it is empty. */
#include "tool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open_input.h"

/* ---- pipes that are open already ---------------------------------------------------------- */

enum { PIPES = 1024 /* descriptors that are watched: shells count from 63 down */ };

/* By descriptor: whether it has been read.  The process has each of them once. */
static atomic_bool taken[PIPES];

/* The descriptor that a path names; -1: none, or a file, which can be read again. */
static long pipe_of(const char *path)
{
    const char *number = strrchr(path, '/');
    struct stat st;
    char *end;
    long fd;

    if (!kldve_is_open_already(path) || stat(path, &st) != 0 || S_ISREG(st.st_mode))
        return -1;
    if (strcmp(path, "/dev/stdin") == 0)
        return STDIN_FILENO;
    fd = strtol(number + 1, &end, 10);
    return *end == '\0' && end > number + 1 ? fd : -1;
}

bool input_is_pipe(const char *path)
{
    return pipe_of(path) >= 0;
}

bool input_take(const char *path)
{
    long fd = pipe_of(path);

    if (fd < 0 || fd >= PIPES || !atomic_exchange(&taken[fd], true))
        return true;
    complain("%s: a pipe is read once, and this one is needed again: give a file", path);
    return false;
}

/* ---- opening ------------------------------------------------------------------------------ */

int input_open(const char *path)
{
    const char *what;
    int fd;

    if (!input_take(path))
        return -1;
    fd = kldve_open_input(path, &what);
    if (what)
        complain("%s: this is a %s, give a file", path, what);
    else if (fd < 0)
        complain("%s: cannot open: %s", path, strerror(errno));
    return fd;
}

FILE *input_file(const char *path)
{
    int fd = input_open(path);
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;

    if (fd >= 0 && !file) {
        complain("%s: cannot open: %s", path, strerror(errno));
        close(fd);
    }
    return file;
}

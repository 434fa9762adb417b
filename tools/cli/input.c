/* input.c - open what is to be read: nobody waits for a pipe, and nothing endless is read. */
#include "tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/open_input.h"

int input_open(const char *path)
{
    const char *what;
    int fd = kldve_open_input(path, &what);

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

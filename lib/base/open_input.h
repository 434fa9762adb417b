/* open_input.h - open a file that is to be read.  Nobody waits here: what is no file is told by its
 * name.  A pipe that the process has open already is meant (/dev/stdin, <(...) of a shell). */
#ifndef KLDVE_LIB_OPEN_INPUT_H
#define KLDVE_LIB_OPEN_INPUT_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** What something is that is no file: a noun; NULL: it is one. */
static inline const char *kldve_not_a_file(mode_t mode)
{
    return S_ISREG(mode)    ? NULL
           : S_ISDIR(mode)  ? "folder"
           : S_ISFIFO(mode) ? "named pipe"
           : S_ISSOCK(mode) ? "socket"
                            : "device";
}

/** Whether a path names what is open already. */
static inline bool kldve_is_open_already(const char *path)
{
    return strcmp(path, "/dev/stdin") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/self/fd/", 14) == 0;
}

/** @param what  Becomes NULL, or the noun of what is refused.
 *  @return A descriptor; -1: *what says why, or errno. */
static inline int kldve_open_input(const char *path, const char **what)
{
    bool stream = kldve_is_open_already(path);
    struct stat st = {.st_mode = S_IFREG};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error = errno;

    *what = NULL;
    if (fd < 0 && error == ENXIO && stat(path, &st) == 0)
        *what = kldve_not_a_file(st.st_mode);
    if (fd >= 0 && fstat(fd, &st) == 0 && (!stream || S_ISDIR(st.st_mode)))
        *what = kldve_not_a_file(st.st_mode);
    if (fd >= 0 && !*what && fcntl(fd, F_SETFL, 0) == 0)
        return fd;
    error = fd >= 0 ? errno : error;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

#endif

/* confine.c - files that another file names: they stay in its folder. */
#define _GNU_SOURCE 1 /* O_PATH, realpath() */

#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* True when the path has a component "..". */
static bool climbs(const char *path)
{
    while (*path) {
        size_t n = strcspn(path, "/");

        if (n == 2 && path[0] == '.' && path[1] == '.')
            return true;
        path += n;
        path += strspn(path, "/");
    }
    return false;
}

static bool lies_in(const char *real, const char *folder)
{
    size_t n = strlen(folder);

    return strcmp(folder, "/") == 0 || (strncmp(real, folder, n) == 0 && real[n] == '/');
}

kx_confined kx_confine(const char *folder, const char *location, char real[PATH_MAX])
{
    char whole[PATH_MAX], joined[PATH_MAX];
    int n;

    if (!*location || *location == '/' || climbs(location))
        return KX_CONFINED_OUTSIDE;
    n = snprintf(joined, sizeof joined, "%s/%s", *folder ? folder : ".", location);
    if (n < 0 || n >= (int)sizeof joined)
        return KX_CONFINED_LONG;
    if (!realpath(*folder ? folder : ".", whole))
        return KX_CONFINED_NO_FOLDER;
    if (!realpath(joined, real))
        return KX_CONFINED_NO_FILE;
    return lies_in(real, whole) ? KX_CONFINED_INSIDE : KX_CONFINED_OUTSIDE;
}

int kx_open_confined(const char *real)
{
    const int last = O_RDONLY | O_NOCTTY | O_NONBLOCK, folder = O_PATH | O_DIRECTORY;
    char part[PATH_MAX];
    int at = open("/", folder | O_CLOEXEC);

    while (at >= 0 && *real) {
        size_t n;
        int next, error;

        real += strspn(real, "/");
        n = strcspn(real, "/");
        memcpy(part, real, n);
        part[n] = '\0';
        real += n;
        next = openat(at, part, (*real ? folder : last) | O_NOFOLLOW | O_CLOEXEC);
        error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at;
}

/* whole_file.c - a file that appears whole or not at all, whatever ends the process before.
 *
 * A new file without a name gets its name by one linkat().  To replace a file it needs a name for
 * the moment between linkat() and rename(); two who write the same file at that moment may take the
 * link of the other, and then one whole file stands there as well as the other. */
#define _GNU_SOURCE 1 /* O_TMPFILE */

#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 100, LINK_NAME = 64 };

bool kldve_write_all(int fd, const void *bytes, size_t nbytes)
{
    const char *from = bytes;

    while (nbytes > 0) {
        ssize_t n = write(fd, from, nbytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return false;
        from += n;
        nbytes -= (size_t)n;
    }
    return true;
}

/* After EINTR the descriptor is closed all the same (Linux). */
bool kldve_close(int fd)
{
    return close(fd) == 0 || errno == EINTR;
}

/* ---- names -------------------------------------------------------------------------------- */

/* FNV-1a: the same name for whoever writes the same file. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return hash;
}

/* The hidden name number i beside `path`; false if it is too long. */
static bool hidden_name(const char *path, int i, char out[KLDVE_WHOLE_PATH])
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    int n = snprintf(out, KLDVE_WHOLE_PATH, "%.*s.kldve-%016llx-%d.tmp", folder, path,
                     (unsigned long long)hash_of(path + folder), i);

    if (n >= 0 && n < KLDVE_WHOLE_PATH)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static bool is_still(int fd, const char *path)
{
    struct stat open_one, named;

    return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* Remove a file that nobody has locked: whoever wrote it is gone. */
static bool remove_left(const char *path)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool removed =
        fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still(fd, path) && unlink(path) == 0;

    if (fd >= 0)
        close(fd);
    return removed;
}

bool kldve_whole_begin_named(kldve_whole_file *w, const char *path)
{
    for (int i = 0, again = 0; i < ATTEMPTS && again < ATTEMPTS; again++) {
        if (!hidden_name(path, i, w->temporary))
            return false;
        w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->fd < 0 && errno != EEXIST)
            return false;
        if (w->fd < 0) {
            i += !remove_left(w->temporary);
            continue;
        }
        /* Another writer may look at it just now; some file systems have no locks at all. */
        if ((flock(w->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
            is_still(w->fd, w->temporary))
            return true;
        close(w->fd); /* somebody took it for left before it was locked */
    }
    errno = EEXIST;
    return false;
}

/* ---- without a name ----------------------------------------------------------------------- */

#ifdef O_TMPFILE
static void link_of(int fd, char out[LINK_NAME])
{
    snprintf(out, LINK_NAME, "/proc/self/fd/%d", fd);
}

static bool begin_unnamed(kldve_whole_file *w, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[KLDVE_WHOLE_PATH] = ".", proc[LINK_NAME];

    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    w->temporary[0] = '\0';
    w->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return false;
    link_of(w->fd, proc);
    if (access(proc, F_OK) == 0)
        return true;
    close(w->fd); /* without /proc it could not be named */
    return false;
}

/* Put the file where another is. */
static bool replace(kldve_whole_file *w, const char *proc, const char *path)
{
    for (int i = 0, again = 0; i < ATTEMPTS && again < ATTEMPTS; again++) {
        if (!hidden_name(path, i, w->temporary))
            return false;
        if (linkat(AT_FDCWD, proc, AT_FDCWD, w->temporary, AT_SYMLINK_FOLLOW) != 0) {
            if (errno != EEXIST)
                break;
            i += !remove_left(w->temporary) && errno != ENOENT;
        } else if (rename(w->temporary, path) == 0) {
            if (is_still(w->fd, w->temporary)) /* both were names of it: rename() does nothing */
                unlink(w->temporary);
            return true;
        } else if (errno != ENOENT) {
            return false; /* the name is removed with the file */
        }
        w->temporary[0] = '\0';
    }
    w->temporary[0] = '\0';
    return false;
}

static bool appear_unnamed(kldve_whole_file *w, const char *path)
{
    char proc[LINK_NAME];

    link_of(w->fd, proc);
    if (linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return true;
    return errno == EEXIST && replace(w, proc, path);
}
#else
static bool begin_unnamed(kldve_whole_file *w, const char *path)
{
    (void)w, (void)path;
    return false;
}

static bool appear_unnamed(kldve_whole_file *w, const char *path)
{
    (void)w, (void)path;
    return false;
}
#endif

/* ---- all ---------------------------------------------------------------------------------- */

bool kldve_whole_begin(kldve_whole_file *w, const char *path)
{
    return begin_unnamed(w, path) || kldve_whole_begin_named(w, path);
}

/* Some devices and file systems do not know how. */
bool kldve_whole_flush(const kldve_whole_file *w)
{
    while (fdatasync(w->fd) != 0)
        if (errno == EINVAL || errno == ENOTSUP)
            break;
        else if (errno != EINTR)
            return false;
    return true;
}

/* A full disk of the network may show as late as here.  The file must stay open to be named. */
static bool close_copy(int fd)
{
    int copy = dup(fd);

    return copy >= 0 && kldve_close(copy);
}

void kldve_whole_drop(kldve_whole_file *w)
{
    int error = errno;

    if (w->temporary[0])
        unlink(w->temporary);
    close(w->fd);
    errno = error;
}

bool kldve_whole_end(kldve_whole_file *w, const char *path, int mode)
{
    if (mode >= 0 && fchmod(w->fd, (mode_t)mode) != 0)
        errno = 0; /* losing the permissions is better than losing the result */
    if ((mode < 0 || kldve_whole_flush(w)) && close_copy(w->fd) &&
        (w->temporary[0] ? rename(w->temporary, path) == 0 : appear_unnamed(w, path))) {
        close(w->fd);
        return true;
    }
    kldve_whole_drop(w);
    return false;
}

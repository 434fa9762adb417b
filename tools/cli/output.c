/* output.c - every file appears whole or not at all (base/whole_file.h). */
#define _GNU_SOURCE 1 /* realpath(), fopencookie() */

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_parts(int fd, const output_part *part, size_t parts)
{
    for (size_t i = 0; i < parts; i++)
        if (!kldve_write_all(fd, part[i].bytes, part[i].nbytes))
            return false;
    return true;
}

/* `mode` is that of the file that is replaced; -1: there is none. */
static bool write_regular(const char *path, int mode, const output_part *part, size_t parts)
{
    kldve_whole_file file;

    if (kldve_whole_begin(&file, path)) {
        if (!write_parts(file.fd, part, parts))
            kldve_whole_drop(&file);
        else if (kldve_whole_end(&file, path, mode))
            return true;
    }
    complain("%s: cannot write: %s", path, strerror(errno));
    return false;
}

static bool write_direct(const char *path, const output_part *part, size_t parts)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    bool ok = fd >= 0 && write_parts(fd, part, parts);
    int error = errno;

    if (fd >= 0 && !kldve_close(fd) && ok) { /* a full disk may only show here */
        error = errno;
        ok = false;
    }
    errno = error;
    if (ok)
        return true;
    complain("%s: cannot write: %s", path, strerror(errno));
    return false;
}

static bool write_stdout(const output_part *part, size_t parts)
{
    for (size_t i = 0; i < parts; i++)
        fwrite(part[i].bytes, 1, part[i].nbytes, stdout);
    return output_flush();
}

bool output_write(const char *path, const output_part *part, size_t parts)
{
    struct stat st;
    char *target;
    bool ok;

    if (strcmp(path, "-") == 0)
        return write_stdout(part, parts);
    if (stat(path, &st) != 0)
        return write_regular(path, -1, part, parts);
    if (S_ISDIR(st.st_mode)) {
        complain("%s: this is a folder; give the name of a file", path);
        return false;
    }
    if (!S_ISREG(st.st_mode))
        return write_direct(path, part, parts);
    /* rename() needs write permission for the folder only, but a write-protected file must stay.  A
     * symbolic link is followed, not replaced. */
    target = access(path, W_OK) == 0 ? realpath(path, NULL) : NULL;
    if (!target) {
        complain("%s: cannot write: %s", path, strerror(errno));
        return false;
    }
    ok = write_regular(target, (int)(st.st_mode & 0777), part, parts);
    free(target);
    return ok;
}

/* ---- before the work ---------------------------------------------------------------------- */

/* Whether a new file or folder can be made in the folder of `path`; errno says why not. */
static bool can_add(const char *path)
{
    size_t n = strlen(path);
    char *folder = malloc(n + 2);
    bool ok = false;

    if (!folder) {
        errno = ENOMEM;
        return false;
    }
    while (n > 0 && path[n - 1] == '/') /* "new/" is a name in the folder before it */
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    memcpy(folder, path, n);
    memcpy(folder + n, ".", 2); /* "a/" -> "a/." */
    ok = access(folder, W_OK | X_OK) == 0;
    free(folder);
    return ok;
}

/* The file that a link leads to is replaced, see output_write(). */
static bool can_replace(const char *path, bool regular)
{
    char *target = access(path, W_OK) == 0 ? realpath(path, NULL) : NULL;
    bool ok = target && (!regular || can_add(target));
    int error = errno;

    free(target);
    errno = error;
    return ok;
}

bool output_can_write(const char *path)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;

    if (strcmp(path, "-") == 0)
        return true;
    if (exists && S_ISDIR(st.st_mode)) {
        complain("%s: this is a folder; give the name of a file", path);
        return false;
    }
    if (exists ? can_replace(path, S_ISREG(st.st_mode)) : can_add(path))
        return true;
    complain("%s: cannot write: %s", path, strerror(errno));
    return false;
}

bool output_can_make_folder(const char *path)
{
    struct stat st;
    bool exists = stat(path, &st) == 0, is_folder = exists && S_ISDIR(st.st_mode);

    if (is_folder ? access(path, W_OK | X_OK) == 0 : !exists && can_add(path))
        return true;
    complain("%s: cannot %s the folder: %s", path, is_folder ? "write to" : "make",
             strerror(exists && !is_folder ? ENOTDIR : errno));
    return false;
}

/* ---- piece by piece ----------------------------------------------------------------------- */

static bool refuse_stream(output_stream *o, const char *path, int error)
{
    complain("%s: cannot write: %s", path, strerror(error));
    free(o->target);
    memset(o, 0, sizeof *o);
    return false;
}

/* The file that a name stands for: a symbolic link is followed, a write-protected file stays. */
static char *target_of(const char *path, bool exists)
{
    if (!exists)
        return strdup(path);
    return access(path, W_OK) == 0 ? realpath(path, NULL) : NULL;
}

/* A signal must not cost a piece of the file, as it would in a stream of the system's. */
static ssize_t write_piece(void *fd, const char *bytes, size_t nbytes)
{
    return kldve_write_all((int)(intptr_t)fd, bytes, nbytes) ? (ssize_t)nbytes : 0;
}

bool output_begin(output_stream *o, const char *path)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;

    memset(o, 0, sizeof *o);
    if (strcmp(path, "-") == 0) {
        o->file = stdout;
        return true;
    }
    if (exists && S_ISDIR(st.st_mode))
        return refuse_stream(o, path, EISDIR);
    if (exists && !S_ISREG(st.st_mode)) {
        o->file = fopen(path, "w");
        return o->file || refuse_stream(o, path, errno);
    }
    o->target = target_of(path, exists);
    if (!o->target)
        return refuse_stream(o, path, errno);
    if (!kldve_whole_begin(&o->whole, o->target))
        return refuse_stream(o, path, errno);
    o->mode = exists ? (int)(st.st_mode & 0777) : -1;
    o->file = fopencookie((void *)(intptr_t)o->whole.fd, "w",
                          (cookie_io_functions_t){.write = write_piece});
    if (o->file)
        return true;
    kldve_whole_drop(&o->whole);
    return refuse_stream(o, path, errno);
}

bool output_rename(output_stream *o, const char *path)
{
    char *target = strdup(path);

    if (!target) {
        complain("%s: out of memory", path);
        return false;
    }
    free(o->target);
    o->target = target;
    return true;
}

/* What was written piece by piece took long to make. */
static bool flush_and_end(output_stream *o)
{
    if (kldve_whole_flush(&o->whole))
        return kldve_whole_end(&o->whole, o->target, o->mode);
    kldve_whole_drop(&o->whole);
    return false;
}

bool output_end(output_stream *o, bool keep)
{
    bool ok;

    if (o->file == stdout)
        return output_flush();
    errno = 0;
    ok = fflush(o->file) == 0 && !ferror(o->file);
    ok = fclose(o->file) == 0 && ok;
    if (o->target && !(ok && keep))
        kldve_whole_drop(&o->whole);
    else if (o->target)
        ok = flush_and_end(o);
    if (!ok)
        complain("%s: cannot write: %s", o->target ? o->target : "output",
                 errno ? strerror(errno) : "an earlier piece could not be written");
    free(o->target);
    memset(o, 0, sizeof *o);
    return ok;
}

bool output_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    complain("standard output: cannot write: %s", strerror(errno));
    return false;
}

bool output_folder(const char *path, bool *made)
{
    struct stat st;

    *made = mkdir(path, 0777) == 0;
    if (*made)
        return true;
    if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return true;
        errno = ENOTDIR;
    }
    complain("%s: cannot make the folder: %s", path, strerror(errno));
    return false;
}

bool path_has_ending(const char *path, const char *const *endings)
{
    size_t n = strlen(path);

    for (; *endings; endings++) {
        size_t m = strlen(*endings), i = 0;

        while (n > m && i < m && (path[n - m + i] | 0x20) == (*endings)[i])
            i++;
        if (i == m)
            return true;
    }
    return false;
}

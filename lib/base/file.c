/* file.c - read and write whole files, and a byte buffer that grows. */
#define _XOPEN_SOURCE 700 /* realpath() */

#include "file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kldve/backend.h>

#include "limits.h"
#include "open_input.h"
#include "size.h"
#include "whole_file.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum { CHUNK = 65536, REASON_SIZE = 128 };

bool kldve_buffer_reserve(kldve_buffer *buffer, size_t more)
{
    size_t need, capacity;
    uint8_t *bytes;

    assert(buffer->ctx && buffer->length <= buffer->capacity);
    if (!kldve_size_add(buffer->length, more, &need))
        return false;
    if (need <= buffer->capacity)
        return true;
    if (!kldve_size_mul(buffer->capacity, 2, &capacity) || capacity < need)
        capacity = need;
    bytes = kldve_ctx_alloc(buffer->ctx, capacity, 1);
    if (!bytes)
        return false;
    if (buffer->length > 0)
        memcpy(bytes, buffer->bytes, buffer->length);
    kldve_ctx_release(buffer->ctx, buffer->bytes);
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool kldve_buffer_append(kldve_buffer *buffer, const void *bytes, size_t nbytes)
{
    if (!kldve_buffer_reserve(buffer, nbytes))
        return false;
    if (nbytes > 0)
        memcpy(buffer->bytes + buffer->length, bytes, nbytes);
    buffer->length += nbytes;
    assert(buffer->length <= buffer->capacity);
    return true;
}

void kldve_buffer_free(kldve_buffer *buffer)
{
    kldve_ctx_release(buffer->ctx, buffer->bytes);
    buffer->bytes = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
}

/* "PATH: WHAT: REASON", the reason from errno. */
static kldve_status fail_errno(kldve_ctx *ctx, const char *path, const char *what)
{
    char reason[REASON_SIZE];
    int error = errno;

    /* strerror() may use a static buffer that all threads share. */
    if (strerror_r(error, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "system error %d", error);
    return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: %s: %s", path, what, reason);
}

static ssize_t read_some(int fd, void *bytes, size_t nbytes)
{
    ssize_t n;

    do
        n = read(fd, bytes, nbytes);
    while (n < 0 && errno == EINTR);
    return n;
}

/* One less than can be counted, so that one byte more can be asked for. */
static size_t most_bytes(const kldve_ctx *ctx, int32_t limit)
{
    int64_t value = kldve_limit_of(ctx, limit);

    return (uint64_t)value < SIZE_MAX ? (size_t)value : SIZE_MAX - 1;
}

/* Asks for one byte more than the limit, to notice a file that grew, or a pipe. */
static kldve_status read_all(kldve_ctx *ctx, const char *path, int fd, int32_t which,
                             kldve_buffer *out)
{
    const size_t limit = most_bytes(ctx, which);

    for (;;) {
        size_t room = out->capacity - out->length;
        ssize_t n;

        assert(out->length <= limit);
        if (room == 0) {
            size_t more = out->length > CHUNK ? out->length : CHUNK;

            if (more > limit + 1 - out->length)
                more = limit + 1 - out->length;
            if (!kldve_buffer_reserve(out, more))
                return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%s: out of memory", path);
            room = out->capacity - out->length;
        }
        n = read_some(fd, out->bytes + out->length, room);
        if (n < 0)
            return fail_errno(ctx, path, "cannot read");
        if (n == 0)
            return KLDVE_OK;
        out->length += (size_t)n;
        if (out->length > limit)
            return kldve_ctx_fail_limit(ctx, which, "%s: more than %zu bytes", path, limit);
    }
}

static kldve_status read_open(kldve_ctx *ctx, const char *path, int fd, int32_t limit,
                              kldve_buffer *out)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return fail_errno(ctx, path, "cannot read");
    if (S_ISREG(st.st_mode)) {
        if ((uintmax_t)st.st_size > most_bytes(ctx, limit))
            return kldve_ctx_fail_limit(ctx, limit, "%s: %jd bytes", path, (intmax_t)st.st_size);
        if (!kldve_buffer_reserve(out, (size_t)st.st_size + 1))
            return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%s: out of memory", path);
    }
    return read_all(ctx, path, fd, limit, out);
}

kldve_status kldve_file_read(kldve_ctx *ctx, const char *path, int32_t limit, kldve_buffer *out)
{
    kldve_status status;
    const char *what;
    int fd = kldve_open_input(path, &what);

    assert(out->ctx == ctx && !out->bytes && out->length == 0 && out->capacity == 0);
    if (what)
        return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: this is a %s, give a file", path, what);
    if (fd < 0)
        return fail_errno(ctx, path, "cannot open");
    status = read_open(ctx, path, fd, limit, out);
    close(fd);
    if (status != KLDVE_OK)
        kldve_buffer_free(out);
    return status;
}

static kldve_status write_direct(kldve_ctx *ctx, const char *path, const void *bytes, size_t nbytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), error;
    bool ok;

    if (fd < 0)
        return fail_errno(ctx, path, "cannot open for writing");
    ok = kldve_write_all(fd, bytes, nbytes);
    error = errno;
    if (kldve_close(fd) || !ok) /* a full disk may not show before */
        errno = error;
    else
        ok = false;
    return ok ? KLDVE_OK : fail_errno(ctx, path, "cannot write");
}

/* `old` is the file to replace, or NULL. */
static kldve_status write_whole(kldve_ctx *ctx, const char *path, const struct stat *old,
                                const void *bytes, size_t nbytes)
{
    kldve_whole_file file;

    if (!kldve_whole_begin(&file, path))
        return fail_errno(ctx, path, "cannot create");
    if (!kldve_write_all(file.fd, bytes, nbytes))
        kldve_whole_drop(&file);
    else if (kldve_whole_end(&file, path, old ? (int)(old->st_mode & 0777) : -1))
        return KLDVE_OK;
    return fail_errno(ctx, path, "cannot write");
}

kldve_status kldve_file_write_atomic(kldve_ctx *ctx, const char *path, const void *bytes,
                                     size_t nbytes)
{
    char resolved[PATH_MAX];
    struct stat st;

    if (!*path)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "the name of the file to write is empty");
    if (strlen(path) >= PATH_MAX)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "the name of the file to write is too long");
    if (stat(path, &st) != 0)
        return write_whole(ctx, path, NULL, bytes, nbytes);
    if (S_ISDIR(st.st_mode))
        return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: this is a folder, give a file", path);
    if (!S_ISREG(st.st_mode))
        return write_direct(ctx, path, bytes, nbytes);
    /* rename() checks only the folder, but a write-protected file is meant to stay. */
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 || !realpath(path, resolved))
        return fail_errno(ctx, path, "cannot write");
    return write_whole(ctx, resolved, &st, bytes, nbytes);
}

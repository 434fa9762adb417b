/* tap.c - tensors inside of a file become outputs of it. */
#define _DEFAULT_SOURCE 1 /* stat() */
#define _XOPEN_SOURCE 700 /* realpath() */

#include <kldve/onnx.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/whole_file.h"
#include "handshake.h"
#include "read/proto.h"
#include "read/tap.h"

enum { REASON = 128 };

static kldve_status check_names(kldve_ctx *ctx, const char *const *names, int32_t count)
{
    if (count < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "kldve_onnx_tap: %d names, at least 1 is needed",
                               (int)count);
    for (int32_t i = 0; i < count; i++)
        if (!names[i])
            return kldve_ctx_failf(ctx, KLDVE_E_ARG, "kldve_onnx_tap: name %d is NULL", (int)i);
    return KLDVE_OK;
}

kldve_status kldve_onnx_tap(kldve_ctx *ctx, const void *bytes, size_t nbytes,
                            const char *const *names, int32_t count, void **more, size_t *nmore)
{
    double before;
    kldve_status st;

    if (!ctx || !bytes || !names || !more || !nmore)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_tap: NULL argument");
    if ((st = kx_handshake(ctx)) < 0)
        return st;
    before = kldve_ctx_enter(ctx, "tapping", 0);
    if ((st = check_names(ctx, names, count)) == KLDVE_OK)
        st = kx_tap(ctx, "model in memory", bytes, nbytes, names, count, more, nmore);
    return kldve_ctx_leave(ctx, before, st);
}

/* ---- files ---- */

static kldve_status io_error(kldve_ctx *ctx, const char *what, const char *path)
{
    char reason[REASON] = "";

    strerror_r(errno, reason, sizeof reason);
    return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: %s: %s", path, what, reason);
}

/* The folder of a path, "." where it names none. */
static bool same_folder(const char *a, const char *b)
{
    const char *path[2] = {a, b};
    struct stat folder[2];

    for (int i = 0; i < 2; i++) {
        const char *slash = strrchr(path[i], '/');
        char text[4096];
        size_t n = slash ? (size_t)(slash - path[i]) + 1 : 0;

        if (n + 2 > sizeof text)
            return false;
        memcpy(text, path[i], n);
        memcpy(text + n, ".", 2);
        if (stat(text, &folder[i]) != 0)
            return false;
    }
    return folder[0].st_dev == folder[1].st_dev && folder[0].st_ino == folder[1].st_ino;
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, two;

    return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

static kldve_status check_target(kldve_ctx *ctx, const kx_model *model, const char *path,
                                 const char *tapped)
{
    const char *file;

    if (same_file(path, tapped))
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG, "%s: the tapped file cannot be written over the file itself", tapped);
    for (int32_t i = 0; (file = kx_model_external(model, i)); i++)
        if (same_file(file, tapped))
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "%s: the tapped file cannot be written over its own weights",
                                   tapped);
    if (kx_model_external(model, 0) && !same_folder(path, tapped))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "%s: the network has weights in other files, which are looked for "
                               "beside it: write the tapped file into the folder of %.200s",
                               tapped, path);
    return KLDVE_OK;
}

/* The parts of a file, one behind the other. */
typedef struct piece {
    const void *bytes;
    size_t nbytes;
} piece;

static bool write_pieces(int fd, const piece two[2])
{
    return kldve_write_all(fd, two[0].bytes, two[0].nbytes) &&
           kldve_write_all(fd, two[1].bytes, two[1].nbytes);
}

/* A pipe or a device. */
static bool write_direct(const char *path, const piece two[2])
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool ok = fd >= 0 && write_pieces(fd, two);
    int error = errno;

    if (fd >= 0 && !kldve_close(fd) && ok)
        return false;
    errno = error;
    return ok;
}

static bool write_whole(const char *path, int mode, const piece two[2])
{
    kldve_whole_file file;

    if (!kldve_whole_begin(&file, path))
        return false;
    if (write_pieces(file.fd, two))
        return kldve_whole_end(&file, path, mode);
    kldve_whole_drop(&file);
    return false;
}

/* Whole or not at all; a link is followed, and a write-protected file stays. */
static kldve_status write_file(kldve_ctx *ctx, const char *path, const piece two[2])
{
    struct stat old;
    char *real = NULL;
    bool ok;

    if (stat(path, &old) != 0)
        ok = write_whole(path, -1, two);
    else if (!S_ISREG(old.st_mode))
        ok = write_direct(path, two);
    else
        ok = access(path, W_OK) == 0 && (real = realpath(path, NULL)) &&
             write_whole(real, (int)(old.st_mode & 0777), two);
    free(real);
    return ok ? KLDVE_OK : io_error(ctx, "cannot write", path);
}

static kldve_status tap_file(kldve_ctx *ctx, const char *path, const char *const *names,
                             int32_t count, const char *tapped)
{
    kx_model *model = NULL;
    const void *bytes;
    void *more = NULL;
    size_t n = 0, nmore = 0;
    kldve_status st = kx_model_open(ctx, path, false, &model);

    if (st < 0)
        return st;
    bytes = kx_model_file(model, &n);
    if ((st = check_target(ctx, model, path, tapped)) == KLDVE_OK &&
        (st = kx_tap(ctx, path, bytes, n, names, count, &more, &nmore)) == KLDVE_OK)
        st = write_file(ctx, tapped, (const piece[]){{bytes, n}, {more, nmore}});
    kldve_ctx_release(ctx, more);
    kx_model_free(model);
    return st;
}

kldve_status kldve_onnx_tap_file(kldve_ctx *ctx, const char *path, const char *const *names,
                                 int32_t count, const char *tapped)
{
    double before;
    kldve_status st;

    if (!ctx || !path || !names || !tapped)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_tap_file: NULL argument");
    if ((st = kx_handshake(ctx)) < 0)
        return st;
    before = kldve_ctx_enter(ctx, "tapping", 0);
    if ((st = check_names(ctx, names, count)) == KLDVE_OK)
        st = tap_file(ctx, path, names, count, tapped);
    return kldve_ctx_leave(ctx, before, st);
}

/* proto_file.c - mapped files: the model, external data, and files that are not a model. */
#define _DEFAULT_SOURCE 1 /* madvise(), realpath() */
#define _XOPEN_SOURCE 700

#include "proto.h"
#include "confine.h"
#include "limit.h"
#include "proto_read.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Mapped files, newest first; the list itself lives in the model's arena. */
struct mapping {
    struct mapping *next;
    const char *location; /* of external data, otherwise "" */
    const char *path;     /* of external data, links resolved */
    void *bytes;
    size_t n;
    bool copied; /* not mapped: the bytes are the context's */
};

static const struct magic {
    const char *bytes;
    size_t at, n;
    const char *what;
} magics[] = {
    {"\x89PNG\r\n", 0, 6, "a PNG picture"},
    {"\xff\xd8\xff", 0, 3, "a JPEG picture"},
    {"GIF8", 0, 4, "a GIF picture"},
    {"RIFF", 0, 4, "a RIFF file (WebP?)"},
    {"%PDF-", 0, 5, "a PDF document"},
    {"PK\x03\x04", 0, 4, "a ZIP archive (of PyTorch?)"},
    {"\x1f\x8b\x08", 0, 3, "compressed with gzip"},
    {"\x89HDF\r\n", 0, 6, "an HDF5 file (of Keras?)"},
    {"TFL3", 4, 4, "a TensorFlow Lite model"},
    {"\x80\x02", 0, 2, "a Python pickle (of PyTorch?)"},
    {"\x93NUMPY", 0, 6, "a NumPy array"},
    {"\x7f"
     "ELF",
     0, 4, "a program"},
    {"<!DOCTYPE", 0, 9, "a web page"},
    {"<!doctype", 0, 9, "a web page"},
    {"<html", 0, 5, "a web page"},
    {"<HTML", 0, 5, "a web page"},
    {"<?xml", 0, 5, "an XML file"},
    {"{\"", 0, 2, "a JSON file"},
    {"{\n", 0, 2, "a JSON file"},
    {"version https://git-lfs", 0, 23,
     "a git-LFS pointer: fetch the model itself with 'git lfs pull'"},
};

const char *kx_recognise(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        const struct magic *m = &magics[i];

        if (n >= m->at + m->n && memcmp(bytes + m->at, m->bytes, m->n) == 0)
            return m->what;
    }
    return NULL;
}

static kldve_status io_error(kx_reader *r, const char *what, const char *path)
{
    char reason[128] = "";

    if (errno == ENOMEM)
        return kx_reader_nomem(r);
    strerror_r(errno, reason, sizeof reason);
    if (strcmp(path, r->path) == 0)
        return kx_reader_fail(r, KLDVE_E_IO, "%s: %s", what, reason);
    return kx_reader_fail(r, KLDVE_E_IO, "%s '%.200s': %s", what, path, reason);
}

/* The bytes of the file as they are now. */
static kldve_status copy(kx_reader *r, const char *path, int fd, struct mapping *m)
{
    size_t done = 0;

    m->copied = true;
    m->bytes = kldve_ctx_alloc(r->ctx, m->n, 1);
    if (!m->bytes)
        return kx_reader_nomem(r);
    while (done < m->n) {
        ssize_t got = read(fd, (unsigned char *)m->bytes + done, m->n - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error(r, "cannot read", path);
        if (got == 0)
            return kx_reader_fail(r, KLDVE_E_IO, "the file became shorter while it was read");
        done += (size_t)got;
    }
    return KLDVE_OK;
}

/* @param before  Bytes that count to the limit, too. */
static kldve_status map(kx_reader *r, const char *path, int fd, int32_t limit, uint64_t before,
                        struct mapping *m)
{
    struct stat file;

    assert(fd >= 0 && !m->bytes);
    if (fstat(fd, &file) != 0)
        return io_error(r, "cannot read", path);
    if (!S_ISREG(file.st_mode))
        return kx_reader_fail(r, KLDVE_E_IO, "%s is not a regular file",
                              strcmp(path, r->path) == 0 ? "this" : path);
    if (before + (uint64_t)file.st_size > kx_limit(r->ctx, limit))
        return kldve_ctx_fail_limit(r->ctx, limit, "%s: %llu bytes", r->path,
                                    (unsigned long long)before + (unsigned long long)file.st_size);
    m->n = (size_t)file.st_size;
    if (m->n == 0)
        return KLDVE_OK;
    if (r->copy)
        return copy(r, path, fd, m);
    m->bytes = mmap(NULL, m->n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m->bytes == MAP_FAILED) {
        m->bytes = NULL;
        return io_error(r, "cannot map", path);
    }
    return KLDVE_OK;
}

/* @param confined  External data, where kx_confine() found it. */
static kldve_status map_file(kx_reader *r, const char *path, bool confined, struct mapping **out)
{
    const int32_t limit = confined ? KLDVE_LIMIT_EXTERNAL : KLDVE_LIMIT_MODEL;
    struct mapping *m;
    kldve_status st;
    int fd;

    if ((st = kx_reader_new(r, 1, sizeof *m, &m)) < 0)
        return st;
    fd = confined ? kx_open_confined(path)
                  : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* of a pipe */
    if (fd < 0)
        return io_error(r, "cannot open", path);
    st = map(r, path, fd, limit, confined ? r->mapped : 0, m);
    close(fd);
    if (st < 0) {
        if (m->copied)
            kldve_ctx_release(r->ctx, m->bytes);
        return st;
    }
    m->location = "";
    m->next = r->model->mapping;
    r->model->mapping = m;
    *out = m;
    return KLDVE_OK;
}

kldve_status kx_map_file(kx_reader *r, const char *path, const unsigned char **bytes, size_t *n)
{
    struct mapping *m = NULL;
    kldve_status st = map_file(r, path, false, &m);

    if (st < 0)
        return st;
    *bytes = m->bytes;
    *n = m->n;
    return KLDVE_OK;
}

/* Only whole pages, and nothing but what is mapped here: they come back from the file unchanged.  A
 * caller's own memory would not. */
void kx_model_put_away(const kx_model *model, const void *from, size_t n)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)from;

    for (const struct mapping *m = model->mapping; m; m = m->next) {
        const uintptr_t base = (uintptr_t)m->bytes, first = (start + page - 1) / page * page;
        const uintptr_t end = (start + n) / page * page;

        if (m->bytes && !m->copied && start >= base && n <= m->n && start - base <= m->n - n &&
            first < end)
            madvise((void *)first, end - first, MADV_DONTNEED);
    }
}

void kx_unmap_all(kx_model *model)
{
    for (struct mapping *m = model->mapping; m; m = m->next)
        if (m->copied)
            kldve_ctx_release(model->arena.ctx, m->bytes);
        else if (m->bytes)
            munmap(m->bytes, m->n);
    model->mapping = NULL;
}

/* ---- external data --------------------------------------------------------------------------- */

/* The model's folder + "/" + location, symbolic links resolved; must stay inside the folder. */
static kldve_status resolve(kx_reader *r, const char *location, char real[PATH_MAX])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(r->path, '/');
    size_t n = slash ? (size_t)(slash - r->path) + 1 : 0;

    if (n >= sizeof folder)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "the path of external data is too long");
    memcpy(folder, r->path, n);
    folder[n] = '\0';
    switch (kx_confine(folder, location, real)) {
    case KX_CONFINED_INSIDE:
        return KLDVE_OK;
    case KX_CONFINED_LONG:
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "the path of external data is too long");
    case KX_CONFINED_NO_FOLDER:
        return io_error(r, "cannot find the folder of", location);
    case KX_CONFINED_NO_FILE:
        return io_error(r, "cannot open external data", location);
    default:
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "external data '%.120s' lies outside the model's folder", location);
    }
}

static kldve_status map_location(kx_reader *r, const char *location, struct mapping **out)
{
    char real[PATH_MAX], *path;
    struct mapping *m;
    kldve_status st;

    for (m = r->model->mapping; m; m = m->next)
        if (strcmp(m->location, location) == 0) {
            *out = m;
            return KLDVE_OK;
        }
    if ((st = resolve(r, location, real)) < 0 || (st = map_file(r, real, true, &m)) < 0)
        return st;
    if (!(path = kx_arena_alloc(&r->model->arena, strlen(real) + 1, 1)))
        return kx_reader_nomem(r);
    r->mapped += m->n;
    m->location = location;
    m->path = strcpy(path, real);
    *out = m;
    return KLDVE_OK;
}

const void *kx_model_file(const kx_model *model, size_t *n)
{
    for (const struct mapping *m = model->mapping; m; m = m->next)
        if (!*m->location) {
            *n = m->n;
            return m->bytes;
        }
    return NULL;
}

const char *kx_model_external(const kx_model *model, int32_t index)
{
    for (const struct mapping *m = model->mapping; m; m = m->next)
        if (*m->location && index-- == 0)
            return m->path;
    return NULL;
}

kldve_status kx_map_external(kx_reader *r, const char *tensor, const char *location,
                             uint64_t offset, size_t n, const unsigned char **bytes)
{
    struct mapping *m;
    kldve_status st;

    if (!r->external)
        return kx_reader_fail(
            r, KLDVE_E_UNSUPPORTED,
            "tensor '%.80s' has its data in another file, '%.80s': load the model "
            "from its file, not from memory",
            tensor, location);
    if (!*location)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "tensor '%.80s': its external data has no location", tensor);
    if ((st = map_location(r, location, &m)) < 0)
        return st;
    if (offset > m->n || n > m->n - offset)
        return kx_reader_fail(
            r, KLDVE_E_FORMAT, "tensor '%.80s': needs bytes %llu to %llu of '%.80s', which has %zu",
            tensor, (unsigned long long)offset, (unsigned long long)(offset + n), location, m->n);
    *bytes = n ? (const unsigned char *)m->bytes + offset : (const unsigned char *)"";
    return KLDVE_OK;
}

/* struct.c - public structs that cross the border between programs of different releases.
 *
 * A caller older than the library: what it lacks is zero on the way in, not written on the way out.
 * A caller newer than the library: what it adds must be zero on the way in, becomes zero on the way
 * out.
 *
 * docs/abi.md has the whole table. */
#include <kldve/backend.h>

#include <string.h>

/* No struct comes near it: a larger size is memory that was never set. */
enum { SIZE_MOST = 4096 };

/* By memcpy: the caller's struct has another type than size_t. */
static size_t size_of(const void *object)
{
    size_t size;

    memcpy(&size, object, sizeof size);
    return size;
}

/* A struct has a member behind its size, so the size of a pointer is a mistake, too. */
static kldve_status check_size(kldve_ctx *ctx, const char *name, size_t size)
{
    if (size > sizeof size && size <= SIZE_MOST)
        return KLDVE_OK;
    return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: struct_size is %zu; set it to sizeof(%s)", name,
                           size, name);
}

kldve_status kldve_struct_load(kldve_ctx *ctx, const char *name, const void *src, void *dst,
                               size_t size)
{
    const unsigned char *bytes = src;
    size_t theirs = src ? size_of(src) : size;
    kldve_status st;

    if (!name || !dst)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "struct_load: the name or the result is NULL");
    if ((st = check_size(ctx, name, theirs)) < 0)
        return st;
    for (size_t i = size; i < theirs; i++)
        if (bytes && bytes[i] != 0)
            return kldve_ctx_failf(
                ctx, KLDVE_E_UNSUPPORTED,
                "%s: byte %zu is set, but the struct of libkldve %s ends at %zu; "
                "leave newer members zero or use a newer libkldve",
                name, i, kldve_version(), size);
    memset(dst, 0, size);
    if (src)
        memcpy(dst, src, theirs < size ? theirs : size);
    memcpy(dst, &size, sizeof size);
    return kldve_ctx_fail(ctx, KLDVE_OK, "");
}

kldve_status kldve_struct_store(kldve_ctx *ctx, const char *name, const void *src, size_t size,
                                void *dst)
{
    size_t theirs;
    kldve_status st;

    if (!name || !src)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "struct_store: the name or the source is NULL");
    if (!dst)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: the result is NULL", name);
    theirs = size_of(dst);
    if ((st = check_size(ctx, name, theirs)) < 0)
        return st;
    memset(dst, 0, theirs);
    memcpy(dst, src, theirs < size ? theirs : size);
    memcpy(dst, &theirs, sizeof theirs);
    return kldve_ctx_fail(ctx, KLDVE_OK, "");
}

/* struct.c - public structs from callers that were compiled against another release. */
#include "struct.h"

#include <string.h>

static size_t size_of(const void *object)
{
    size_t size;

    memcpy(&size, object, sizeof size);
    return size;
}

kldve_status kldve_struct_load(kldve_ctx *ctx, const char *what, const void *src, size_t min_size,
                               void *dst, size_t size)
{
    const unsigned char *bytes = src;
    size_t src_size = size_of(src);

    if (src_size < min_size)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: struct_size is %zu, set it to sizeof", what,
                               src_size);
    for (size_t i = size; i < src_size; i++)
        if (bytes[i] != 0)
            return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                                   "%s: a member is set that libkldve %s does not have", what,
                                   kldve_version());
    memset(dst, 0, size);
    memcpy(dst, src, src_size < size ? src_size : size);
    memcpy(dst, &size, sizeof size);
    return KLDVE_OK;
}

void kldve_struct_store(const void *src, size_t size, void *dst)
{
    size_t dst_size = size_of(dst);

    memcpy(dst, src, dst_size < size ? dst_size : size);
    if (dst_size >= sizeof dst_size)
        memcpy(dst, &dst_size, sizeof dst_size);
}

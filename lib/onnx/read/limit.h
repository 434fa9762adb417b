/* limit.h - a limit of the context as a size. */
#ifndef KLDVE_ONNX_LIMIT_H
#define KLDVE_ONNX_LIMIT_H

#include <kldve/backend.h>

/** @param limit  A kldve_limit. */
static inline size_t kx_limit(const kldve_ctx *ctx, int32_t limit)
{
    int64_t value = 0;

    if (kldve_ctx_limit(ctx, limit, &value) < 0 || (uint64_t)value > SIZE_MAX)
        return SIZE_MAX;
    return (size_t)value;
}

#endif

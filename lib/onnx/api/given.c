/* given.c - what the caller says about the inputs of a network. */
#include "given.h"

#include <stdbool.h>
#include <string.h>

enum { MOST = 1024, MOST_AXES = 8 };

/* `count` structs of the caller's size -> structs of `size` bytes. */
static kldve_status load_each(kldve_ctx *ctx, kx_arena *arena, const char *name, int32_t count,
                              const void *from, size_t size, void **out)
{
    unsigned char *to = kx_arena_alloc(arena, (size_t)count + 1, size);
    size_t stride = 0;
    kldve_status st = KLDVE_OK;

    if (!to)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
    if (count > 0)
        memcpy(&stride, from, sizeof stride);
    for (int32_t i = 0; st == KLDVE_OK && i < count; i++)
        st = kldve_struct_load(ctx, name, (const unsigned char *)from + (size_t)i * stride,
                               to + (size_t)i * size, size);
    *out = to;
    return st;
}

static kldve_status check_counts(kldve_ctx *ctx, const kldve_onnx_options *o)
{
    bool ok = o->input_count >= 0 && o->input_count <= MOST && o->dim_count >= 0 &&
              o->dim_count <= MOST && o->shape_rank >= 0 && o->shape_rank <= MOST_AXES &&
              (o->input_count == 0 || o->inputs) && (o->dim_count == 0 || o->dims) &&
              (o->shape_rank == 0 || o->shape);

    if (!ok)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "kldve_onnx_options: a number of inputs or dims that is not 0 to %d, "
            "a shape_rank that is not 0 to %d, or an array that is NULL",
            MOST, MOST_AXES);
    if (o->frames_reserved != 0 || o->in_frames < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: in_frames is %d, it must be 0 or more, and a "
                               "reserved member 0",
                               (int)o->in_frames);
    if (o->item < 0 || (o->pictures && o->shape_rank == 0))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: item is %d, it must be 0 or more, and pictures "
                               "need their shape",
                               (int)o->item);
    for (int32_t i = 0; i < o->shape_rank; i++)
        if (o->shape[i] < 1)
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "kldve_onnx_options: shape[%d] is %lld, it must be 1 or more",
                                   (int)i, (long long)o->shape[i]);
    return KLDVE_OK;
}

/* What is read before the value is copied. */
static kldve_status check_input(kldve_ctx *ctx, const kldve_onnx_input *in, int32_t index)
{
    if (!in->name)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "kldve_onnx_input: input %d has no name",
                               (int)index);
    if (in->rank < 0 || in->rank > MOST_AXES || (in->rank > 0 && !in->dims))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_input: '%.60s' has rank %d, it must be 0 to %d, with "
                               "dims from 1 on",
                               in->name, (int)in->rank, MOST_AXES);
    for (int32_t i = 0; i < in->rank; i++)
        if (in->dims[i] < 1)
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "kldve_onnx_input: '%.60s': dimension %d is %lld, it must be at "
                                   "least 1",
                                   in->name, (int)i, (long long)in->dims[i]);
    return KLDVE_OK;
}

kldve_status kx_given_load(kldve_ctx *ctx, kx_arena *arena, kldve_onnx_options *o)
{
    void *inputs = NULL, *dims = NULL;
    kldve_status st;

    if ((st = check_counts(ctx, o)) < 0 ||
        (st = load_each(ctx, arena, "kldve_onnx_input", o->input_count, o->inputs,
                        sizeof *o->inputs, &inputs)) < 0 ||
        (st = load_each(ctx, arena, "kldve_onnx_dim", o->dim_count, o->dims, sizeof *o->dims,
                        &dims)) < 0)
        return st;
    o->inputs = inputs;
    o->dims = dims;
    for (int32_t i = 0; i < o->input_count; i++)
        if ((st = check_input(ctx, &o->inputs[i], i)) < 0)
            return st;
    for (int32_t i = 0; i < o->dim_count; i++)
        if (!o->dims[i].name || o->dims[i].size < 1)
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "kldve_onnx_dim: dimension %d has no name, or a size below 1",
                                   (int)i);
    return KLDVE_OK;
}

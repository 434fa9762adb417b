/* shuffle.c - tensors with their elements in another order: R. Durstenfeld, "Algorithm 235: Random
 * permutation", Communications of the ACM 7, 1964 (the shuffle of Fisher and Yates).  See
 * parameters.h.
 *
 *     for i = count - 1 .. 1:  swap elements i and j,  j = floor(u (i + 1)),  u uniform in [0, 1)
 *
 * Elements are moved as bytes, so that any type is shuffled alike and no number is computed. */
#include "parameters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/random.h"

enum { BETWEEN_POLLS = 1 << 16 };

/* Bytes of an element; those that the reader takes. */
static size_t element_size(int32_t dtype)
{
    switch (dtype) {
    case KX_ONNX_UINT8:
    case KX_ONNX_INT8:
        return 1;
    case KX_ONNX_UINT16:
    case KX_ONNX_INT16:
    case KX_ONNX_FLOAT16:
    case KX_ONNX_BFLOAT16:
        return 2;
    case KX_ONNX_DOUBLE:
        return 8;
    default:
        assert(dtype == KX_ONNX_FLOAT || dtype == KX_ONNX_INT32 || dtype == KX_ONNX_UINT32);
        return 4;
    }
}

static inline void exchange(unsigned char *a, unsigned char *b, size_t size)
{
    unsigned char t[8];

    memcpy(t, a, size);
    memcpy(a, b, size);
    memcpy(b, t, size);
}

static kldve_status shuffle(kldve_ctx *ctx, unsigned char *data, size_t count, size_t size,
                            kldve_random *random)
{
    kldve_status st = KLDVE_OK;

    for (size_t i = count - 1; st == KLDVE_OK && i > 0; i--) {
        size_t j = (size_t)(kldve_random_uniform(random) * (double)(i + 1));

        assert(j <= i);
        if (size == 4) /* of a known size it is two moves */
            exchange(data + 4 * i, data + 4 * j, 4);
        else
            exchange(data + size * i, data + size * j, size);
        if (i % BETWEEN_POLLS == 0)
            st = kldve_ctx_poll(ctx);
    }
    return st;
}

kldve_status kx_parameters_shuffle(kldve_ctx *ctx, const kx_parameters *p, int32_t first,
                                   int32_t end, uint64_t seed, kx_arena *arena, kx_swap **swap)
{
    size_t tensors = (size_t)(end - first);
    kx_swap *all = kx_arena_alloc(arena, tensors, sizeof *all);

    assert(first >= 0 && first <= end && end <= p->tensors);
    for (int32_t i = first; all && i < end; i++) {
        const kx_proto_tensor *t = p->tensor[i];
        size_t size = element_size(t->dtype);
        unsigned char *data = kx_arena_alloc(arena, t->count, size);
        kldve_random random;
        kldve_status st;

        if (!data) {
            all = NULL;
            break;
        }
        memcpy(data, t->data, t->count * size);
        kldve_random_seed(&random, seed, (uint64_t)i);
        if ((st = shuffle(ctx, data, t->count, size, &random)) < 0)
            return st;
        all[i - first] = (kx_swap){t, data};
    }
    if (!all)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for random parameters");
    qsort(all, tensors, sizeof *all, kx_swap_order);
    *swap = all;
    return KLDVE_OK;
}

/* walk.c - see walk.h. */
#include "walk.h"

#include <assert.h>
#include <string.h>

int64_t kx_stride(const kx_shape *s, int32_t axis)
{
    assert(axis >= 0 && axis < s->rank);
    return kx_span(s, axis + 1, s->rank);
}

void kx_walk_init(kx_walk *w, const kx_shape *whole)
{
    assert(whole->rank >= 0 && whole->rank <= KX_WALK_RANK);
    memset(w, 0, sizeof *w);
    w->rank = whole->rank;
    for (int32_t i = 0; i < whole->rank; i++)
        w->dim[i] = whole->dim[i];
}

void kx_walk_broadcast(kx_walk *w, const kx_shape *s)
{
    int64_t *stride = w->stride[w->operands];
    int32_t missing = w->rank - s->rank;

    assert(w->operands < KX_WALK_OPERANDS && missing >= 0);
    w->operands++;
    for (int32_t i = 0; i < s->rank; i++) {
        assert(s->dim[i] == 1 || s->dim[i] == w->dim[missing + i]);
        stride[missing + i] = s->dim[i] == 1 ? 0 : kx_stride(s, i);
    }
}

/* Axis i and the packed axis `last` before it are one loop for every operand.  Arrays that are
 * empty may have other axes whose product does not fit; they stay as they are. */
static bool continues(const kx_walk *w, int32_t last, int32_t i)
{
    if (w->dim[i] != 0 && w->dim[last] > INT64_MAX / w->dim[i])
        return false;
    for (int32_t k = 0; k < w->operands; k++)
        if (w->stride[k][last] != w->stride[k][i] * w->dim[i])
            return false;
    return true;
}

void kx_walk_pack(kx_walk *w)
{
    int32_t rank = 0;

    for (int32_t i = 0; i < w->rank; i++)
        if (w->dim[i] == 0) { /* nothing to visit: the other axes may have any length */
            w->dim[0] = 0;
            w->rank = 1;
            return;
        }
    for (int32_t i = 0; i < w->rank; i++) {
        bool merge = rank > 0 && continues(w, rank - 1, i);

        if (w->dim[i] == 1)
            continue;
        rank -= merge;
        w->dim[rank] = merge ? w->dim[rank] * w->dim[i] : w->dim[i];
        for (int32_t k = 0; k < w->operands; k++)
            w->stride[k][rank] = w->stride[k][i];
        rank++;
    }
    if (rank == 0) { /* one element */
        w->dim[0] = 1;
        for (int32_t k = 0; k < w->operands; k++)
            w->stride[k][0] = 0;
        rank = 1;
    }
    w->rank = rank;
}

#define COPY_RUN(type)                                                                             \
    do {                                                                                           \
        const type *from = (const type *)in + r.at[0];                                             \
        type *to = (type *)out + r.out;                                                            \
        for (int64_t i = 0; i < r.n; i++)                                                          \
            to[i] = from[i * r.step[0]];                                                           \
    } while (0)

void kx_walk_copy(const kx_walk *w, size_t item, const void *in, void *out)
{
    assert(w->operands >= 1 && (item == 1 || item == 4 || item == 8));
    for (kx_run r = kx_run_first(w); r.more; kx_run_next(w, &r)) {
        if (r.step[0] == 1)
            memcpy((char *)out + (size_t)r.out * item, (const char *)in + (size_t)r.at[0] * item,
                   (size_t)r.n * item);
        else if (item == 4)
            COPY_RUN(uint32_t);
        else if (item == 8)
            COPY_RUN(uint64_t);
        else
            COPY_RUN(uint8_t);
    }
}

void kx_walk_add(const kx_walk *w, int32_t k, float scale, const float *dout, float *din)
{
    assert(k >= 0 && k < w->operands);
    for (kx_run r = kx_run_first(w); r.more; kx_run_next(w, &r)) {
        const float *from = dout + r.out;
        float *to = din + r.at[k];
        int64_t step = r.step[k];

        if (step == 0) {
            double sum = 0;

            for (int64_t i = 0; i < r.n; i++)
                sum += from[i];
            *to += scale * (float)sum;
        } else if (step == 1) {
            for (int64_t i = 0; i < r.n; i++)
                to[i] += scale * from[i];
        } else {
            for (int64_t i = 0; i < r.n; i++)
                to[i * step] += scale * from[i];
        }
    }
}

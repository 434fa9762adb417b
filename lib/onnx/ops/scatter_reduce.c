/* scatter_reduce.c - ScatterND and ScatterElements whose updates multiply the data, or of which the
 * largest or smallest stays.  An element y of the result and all that led to it (its x and the
 * updates u that hit it):
 *
 *     mul        dx = dy (product of all u),  du = dy x (product of the other u)
 *     max, min   dy in equal shares to those that equal y */
#include "scatter.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { DATA = KX_SCATTER_DATA, INDICES = KX_SCATTER_INDICES, UPDATES = KX_SCATTER_UPDATES };

static kx_reduction reduction_of(const kx_op_call *call)
{
    return ((const kx_scatter_params *)call->node->params)->reduction;
}

/* ---- forward --------------------------------------------------------------------------------- */

static float combined(kx_reduction how, float y, float u)
{
    if (how == KX_MULTIPLY)
        return y * u;
    return (how == KX_MOST ? u > y : u < y) || isnan(u) ? u : y;
}

static int64_t combined_int(kx_reduction how, int64_t y, int64_t u)
{
    if (how == KX_MULTIPLY)
        return (int64_t)((uint64_t)y * (uint64_t)u);
    return (how == KX_MOST ? u > y : u < y) ? u : y;
}

static void combine(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    kx_reduction how = reduction_of(call);

    for (size_t i = 0; i < block; i++)
        if (call->in[DATA].dtype == KX_F32) {
            float *y = (float *)call->out[0].data + at + i;

            *y = combined(how, *y, ((const float *)call->in[UPDATES].data)[from + i]);
        } else {
            int64_t *y = (int64_t *)call->out[0].data + at + i;
            int64_t u = ((const int64_t *)call->in[UPDATES].data)[from + i];

            *y = kx_wrap(call->node->in[DATA]->onnx_type, combined_int(how, *y, u));
        }
}

static void forward(const kx_op_call *call)
{
    if (call->out[0].count == 0)
        return;
    memcpy(call->out[0].data, call->in[DATA].data,
           call->out[0].count * kx_dtype_size(call->in[DATA].dtype));
    kx_each_scattered(call, combine);
}

/* ---- VJP --------------------------------------------------------------------------------------
 * Scratch, for each element of the data: the product of what is not 0, or nothing; and how many are
 * 0, or equal y. */

static double *products(const kx_op_call *call)
{
    return call->scratch;
}

static double *counts(const kx_op_call *call)
{
    return (double *)call->scratch + call->in[DATA].count;
}

static void take_part(const kx_op_call *call, size_t at, float x)
{
    if (reduction_of(call) != KX_MULTIPLY)
        counts(call)[at] += x == ((const float *)call->out[0].data)[at];
    else if (x == 0.0f)
        counts(call)[at] += 1;
    else
        products(call)[at] *= (double)x;
}

/* The cotangent of x, one of those that led to element `at`. */
static float part_of(const kx_op_call *call, size_t at, float x)
{
    double dy = (double)((const float *)call->dout[0].data)[at], count = counts(call)[at];

    if (reduction_of(call) != KX_MULTIPLY)
        return x == ((const float *)call->out[0].data)[at] ? (float)(dy / count) : 0.0f;
    if (count != (x == 0.0f ? 1.0 : 0.0))
        return 0; /* another one is 0 */
    return (float)(dy * (x == 0.0f ? products(call)[at] : products(call)[at] / (double)x));
}

static void take_updates(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    for (size_t i = 0; i < block; i++)
        take_part(call, at + i, ((const float *)call->in[UPDATES].data)[from + i]);
}

static void give_updates(const kx_op_call *call, size_t at, size_t from, size_t block)
{
    for (size_t i = 0; i < block; i++)
        ((float *)call->din->data)[from + i] +=
            part_of(call, at + i, ((const float *)call->in[UPDATES].data)[from + i]);
}

static void vjp(const kx_op_call *call)
{
    const float *x = call->in[DATA].data;
    size_t count = call->dout[0].count;

    if (!call->dout[0].data || count == 0)
        return;
    assert(call->scratch);
    for (size_t i = 0; i < count; i++) {
        products(call)[i] = 1;
        counts(call)[i] = 0;
        take_part(call, i, x[i]);
    }
    kx_each_scattered(call, take_updates);
    if (call->which == UPDATES)
        kx_each_scattered(call, give_updates);
    for (size_t i = 0; i < count && call->which == DATA; i++)
        ((float *)call->din->data)[i] += part_of(call, i, x[i]);
}

static size_t scratch_size(const kx_node *n)
{
    return 2 * n->in[DATA]->count * sizeof(double);
}

const kx_op kx_scatter_reduced = {
    .type = "ScatterND",
    .since = 16,
    .forward = forward,
    .vjp = vjp,
    .vjp_needs = KX_NEEDS_IN(DATA) | KX_NEEDS_IN(INDICES) | KX_NEEDS_IN(UPDATES) | KX_NEEDS_OUT,
    .scratch_size = scratch_size,
    .traits = {.bias = KX_BIAS_OPERAND},
};

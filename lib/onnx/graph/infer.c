/* infer.c - what the operators' infer() functions call: attributes, shapes, refusals. */
#include "graph.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BYTES_LOG2 = 40 }; /* of one array; what really runs is limited by the plan */

static kldve_status describe(kldve_ctx *ctx, const kx_node *n, kldve_status st, const char *format,
                             va_list args)
{
    char text[400];

    vsnprintf(text, sizeof text, format, args);
    return kldve_ctx_failf(ctx, st, "node '%.80s' (%.40s): %s", n->name, n->type, text);
}

kldve_status kx_refuse(const kx_graph *g, const kx_node *n, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    describe(g->ctx, n, KLDVE_E_UNSUPPORTED, format, args);
    va_end(args);
    return KLDVE_E_UNSUPPORTED;
}

kldve_status kx_refuse_in(kldve_ctx *ctx, const kx_node *n, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    describe(ctx, n, KLDVE_E_UNSUPPORTED, format, args);
    va_end(args);
    return KLDVE_E_UNSUPPORTED;
}

kldve_status kx_invalid(const kx_graph *g, const kx_node *n, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    describe(g->ctx, n, KLDVE_E_FORMAT, format, args);
    va_end(args);
    return KLDVE_E_FORMAT;
}

kldve_status kx_nomem(const kx_graph *g)
{
    if (g->arena.full)
        return kldve_ctx_fail_limit(g->ctx, KLDVE_LIMIT_GRAPH,
                                    "the network's nodes and computed constants need more");
    return kldve_ctx_fail(g->ctx, KLDVE_E_NOMEM, "out of memory while reading the network");
}

static kx_attr *find_attr(kx_node *n, const char *name, int32_t type)
{
    for (int32_t i = 0; i < n->nattr; i++)
        if (strcmp(n->attr[i].name, name) == 0 && (type == 0 || n->attr[i].type == type)) {
            n->attr[i].used = true;
            return &n->attr[i];
        }
    return NULL;
}

int64_t kx_attr_int(kx_node *n, const char *name, int64_t def)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_INT);

    return a ? a->i : def;
}

float kx_attr_float(kx_node *n, const char *name, float def)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_FLOAT);

    return a ? a->f : def;
}

const char *kx_attr_string(kx_node *n, const char *name, const char *def)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_STRING);

    return a && a->s ? a->s : def;
}

const int64_t *kx_attr_ints(kx_node *n, const char *name, size_t *count)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_INTS);

    *count = a ? a->count : 0;
    return a ? a->ints : NULL;
}

const float *kx_attr_floats(kx_node *n, const char *name, size_t *count)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_FLOATS);

    *count = a ? a->count : 0;
    return a ? a->floats : NULL;
}

const kx_value *kx_attr_tensor(kx_node *n, const char *name)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_TENSOR);

    return a ? a->t : NULL;
}

const struct kx_proto_graph *kx_attr_graph(kx_node *n, const char *name)
{
    const kx_attr *a = find_attr(n, name, KX_ATTR_GRAPH);

    return a ? a->graph : NULL;
}

void kx_attr_ignore(kx_node *n, const char *name)
{
    find_attr(n, name, 0);
}

bool kx_has(const kx_node *n, int32_t i)
{
    assert(i >= 0);
    return i < n->nin && n->in[i] != NULL;
}

kldve_status kx_expect(kx_graph *g, kx_node *n, int32_t lo, int32_t hi, int32_t max_out)
{
    assert(lo >= 0 && lo <= hi && hi <= KX_MAX_IN && max_out >= 1 && max_out <= KX_MAX_OUT);
    if (n->nin < lo || n->nin > hi)
        return kx_invalid(g, n, "%d inputs, expected %d to %d", n->nin, lo, hi);
    for (int32_t i = 0; i < lo; i++)
        if (!n->in[i])
            return kx_invalid(g, n, "required input %d is missing", i);
    if (n->nout < 1 || n->nout > max_out)
        return kx_refuse(g, n, "%d outputs, at most %d are supported", n->nout, max_out);
    return KLDVE_OK;
}

bool kx_shape_count(const kx_shape *shape, size_t item, size_t *count)
{
    uint64_t n = 1;
    bool empty = false;

    assert(item > 0);
    if (shape->rank < 0 || shape->rank > KX_MAX_RANK)
        return false;
    for (int32_t i = 0; i < shape->rank; i++) {
        uint64_t d = (uint64_t)shape->dim[i];

        if (shape->dim[i] < 0)
            return false;
        if (d == 0)
            empty = true;
        else if (d > (UINT64_C(1) << MAX_BYTES_LOG2) / n)
            return false;
        else
            n *= d;
    }
    if (n > (UINT64_C(1) << MAX_BYTES_LOG2) / item)
        return false;
    *count = empty ? 0 : (size_t)n;
    return true;
}

kldve_status kx_out(kx_graph *g, kx_node *n, int32_t i, kx_dtype dtype, const kx_shape *shape)
{
    kx_value *v = i < n->nout ? n->out[i] : NULL;
    size_t count;

    assert(i >= 0);
    if (!kx_shape_count(shape, kx_dtype_size(dtype), &count))
        return kx_invalid(g, n, "output %d has a dimension below 0, or more than 2^%d bytes", i,
                          MAX_BYTES_LOG2);
    if (!v)
        return KLDVE_OK;
    v->dtype = dtype;
    v->shape = *shape;
    v->count = count;
    return KLDVE_OK;
}

kldve_status kx_out_constant(kx_graph *g, kx_node *n, int32_t i, kx_dtype dtype,
                             const kx_shape *shape, const void *data)
{
    kldve_status st = kx_out(g, n, i, dtype, shape);

    assert(data);
    if (st == KLDVE_OK && i < n->nout && n->out[i])
        n->out[i]->raw = data;
    return st;
}

bool kx_broadcast(const kx_shape *a, const kx_shape *b, kx_shape *out)
{
    kx_shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};

    assert(a->rank >= 0 && b->rank >= 0 && s.rank <= KX_MAX_RANK);
    for (int32_t i = 0; i < s.rank; i++) {
        int32_t ia = i - (s.rank - a->rank), ib = i - (s.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];

        if (da != db && da != 1 && db != 1)
            return false;
        s.dim[i] = da == 1 ? db : da;
    }
    *out = s;
    return true;
}

void *kx_new(kx_graph *g, size_t count, size_t size)
{
    return kx_arena_alloc(&g->arena, count, size);
}

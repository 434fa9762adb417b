/* surgery.c - see surgery.h. */
#include "surgery.h"

#include <assert.h>
#include <string.h>

#include "fold.h"
#include "ops/make.h"

/* A node with its inputs, and outputs without a shape. */
static kldve_status prepare(kx_surgery *s, int32_t nin, kx_value *const *in, int32_t nout,
                            kx_node *n)
{
    kx_graph *g = s->g;

    *n = (kx_node){.name = s->name, .index = s->at, .nin = nin, .nout = nout};
    n->in = kx_new(g, (size_t)nin, sizeof *n->in);
    n->out = kx_new(g, (size_t)nout, sizeof *n->out);
    if (!n->in || !n->out)
        return kx_nomem(g);
    for (int32_t i = 0; i < nin; i++) {
        assert(in[i]->producer < s->at);
        n->in[i] = in[i];
    }
    for (int32_t i = 0; i < nout; i++) {
        if (!(n->out[i] = kx_value_new(g, s->name)))
            return kx_nomem(g);
        n->out[i]->producer = s->at;
    }
    return KLDVE_OK;
}

static kldve_status put(kx_surgery *s, const kx_node *n, kx_value **out)
{
    kx_fold_cost spent = {.file = 0};
    bool folded;
    kldve_status st = kx_fold(s->g, n, &spent, &folded);

    if (st < 0 || (!folded && (st = kx_graph_insert(s->g, s->at++, n)) < 0))
        return st;
    memcpy(out, n->out, (size_t)n->nout * sizeof(kx_value *));
    return KLDVE_OK;
}

static bool is_identity(const int32_t *perm, int32_t rank)
{
    for (int32_t i = 0; i < rank; i++)
        if (perm[i] != i)
            return false;
    return true;
}

kldve_status kx_put_transpose(kx_surgery *s, const int32_t *perm, kx_value *in, kx_value **out)
{
    kx_node n;
    kldve_status st;

    if (is_identity(perm, in->shape.rank)) {
        *out = in;
        return KLDVE_OK;
    }
    if ((st = prepare(s, 1, &in, 1, &n)) < 0 || (st = kx_make_transpose(s->g, &n, perm)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_reshape(kx_surgery *s, const kx_shape *to, kx_value *in, kx_value **out)
{
    const kx_shape *from = &in->shape;
    kx_node n;
    kldve_status st;

    if (from->rank == to->rank &&
        memcmp(from->dim, to->dim, (size_t)to->rank * sizeof *to->dim) == 0) {
        *out = in;
        return KLDVE_OK;
    }
    if ((st = prepare(s, 1, &in, 1, &n)) < 0 || (st = kx_make_reshape(s->g, &n, to)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_slice(kx_surgery *s, int32_t axis, int64_t begin, int64_t size, kx_value *in,
                          kx_value **out)
{
    kx_node n;
    kldve_status st;

    assert(begin >= 0 && size >= 0 && begin + size <= in->shape.dim[axis]);
    if (size == 0 || size == in->shape.dim[axis]) {
        *out = size == 0 ? NULL : in;
        return KLDVE_OK;
    }
    if ((st = prepare(s, 1, &in, 1, &n)) < 0 ||
        (st = kx_make_slice(s->g, &n, axis, begin, begin + size)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_pad(kx_surgery *s, const int64_t *before, const int64_t *after, kx_value *in,
                        kx_value **out)
{
    bool any = false;
    kx_node n;
    kldve_status st;

    for (int32_t i = 0; i < in->shape.rank; i++)
        any = any || before[i] > 0 || after[i] > 0;
    if (!any) {
        *out = in;
        return KLDVE_OK;
    }
    if ((st = prepare(s, 1, &in, 1, &n)) < 0 || (st = kx_make_pad(s->g, &n, before, after)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_flip(kx_surgery *s, int32_t axis, kx_value *in, kx_value **out)
{
    kx_node n;
    kldve_status st = prepare(s, 1, &in, 1, &n);

    if (st < 0 || (st = kx_make_flip(s->g, &n, axis)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_concat(kx_surgery *s, int32_t axis, int32_t count, kx_value *const *in,
                           kx_value **out)
{
    kx_node n;
    kldve_status st;

    if (count == 1) {
        *out = in[0];
        return KLDVE_OK;
    }
    if ((st = prepare(s, count, in, 1, &n)) < 0 || (st = kx_make_concat(s->g, &n, axis)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_split(kx_surgery *s, int32_t axis, int32_t count, const int64_t *size,
                          kx_value *in, kx_value **out)
{
    kx_node n;
    kldve_status st = prepare(s, 1, &in, count, &n);

    if (st < 0 || (st = kx_make_split(s->g, &n, axis, size)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_number(kx_surgery *s, const kx_shape *shape, float value, kx_value **out)
{
    *out = kx_make_number(s->g, shape, value);
    return *out ? KLDVE_OK : kx_nomem(s->g);
}

kldve_status kx_put_negative(kx_surgery *s, kx_value *in, kx_value **out)
{
    kx_node n;
    kldve_status st = prepare(s, 1, &in, 1, &n);

    if (st < 0 || (st = kx_make_negative(s->g, &n)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_log(kx_surgery *s, kx_value *in, kx_value **out)
{
    kx_node n;
    kldve_status st = prepare(s, 1, &in, 1, &n);

    if (st < 0 || (st = kx_make_log(s->g, &n)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_clip(kx_surgery *s, float low, float high, kx_value *in, kx_value **out)
{
    const kx_shape scalar = {.rank = 0};
    kx_value *all[3] = {in, kx_make_number(s->g, &scalar, low),
                        kx_make_number(s->g, &scalar, high)};
    kx_node n;
    kldve_status st;

    if (!all[1] || !all[2])
        return kx_nomem(s->g);
    if ((st = prepare(s, 3, all, 1, &n)) < 0 || (st = kx_make_clip(s->g, &n)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_difference(kx_surgery *s, kx_value *a, kx_value *b, kx_value **out)
{
    kx_value *const both[2] = {a, b};
    kx_node n;
    kldve_status st = prepare(s, 2, both, 1, &n);

    if (st < 0 || (st = kx_make_difference(s->g, &n)) < 0)
        return st;
    return put(s, &n, out);
}

kldve_status kx_put_scaled(kx_surgery *s, float factor, kx_value *in, kx_value **out)
{
    kx_value *both[2] = {in, NULL};
    kldve_status st = kx_put_number(s, &in->shape, factor, &both[1]);
    kx_node n;

    if (st < 0 || (st = prepare(s, 2, both, 1, &n)) < 0 || (st = kx_make_product(s->g, &n)) < 0)
        return st;
    return put(s, &n, out);
}

void kx_rewire(kx_graph *g, int32_t from, const kx_value *old, kx_value *now)
{
    for (int32_t i = from; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (g->node[i].in[k] == old)
                g->node[i].in[k] = now;
}

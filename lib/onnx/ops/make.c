/* make.c - see make.h. */
#include "make.h"

#include <assert.h>
#include <string.h>

enum { OPSET = 13, MOST_CONSTANTS = 4 }; /* of the forms that are made here */

static kldve_status make(kx_graph *g, kx_node *n, const char *type)
{
    int32_t opset = g->opset;
    kldve_status st;

    n->op = kx_op_find("", type, OPSET);
    assert(n->op);
    n->type = n->op->type;
    n->opset = g->opset = OPSET;
    st = n->op->infer(g, n);
    g->opset = opset;
    return st;
}

static kx_value *constant(kx_graph *g, const int64_t *ints, int64_t count)
{
    kx_value *v = kx_value_new(g, "");
    int64_t *copy = kx_new(g, (size_t)count, sizeof *copy);

    if (!v || !copy)
        return NULL;
    memcpy(copy, ints, (size_t)count * sizeof *copy);
    v->dtype = KX_I64;
    v->shape = (kx_shape){1, {count}};
    v->count = (size_t)count;
    v->raw = copy;
    return v;
}

/* Append lists of integers, each of `count`, to the inputs. */
static kldve_status add_inputs(kx_graph *g, kx_node *n, int32_t lists, const int64_t *const *ints,
                               int64_t count)
{
    kx_value **in = kx_new(g, (size_t)(n->nin + lists), sizeof *in);

    assert(lists <= MOST_CONSTANTS);
    if (!in)
        return kx_nomem(g);
    memcpy(in, n->in, (size_t)n->nin * sizeof *in);
    for (int32_t i = 0; i < lists; i++)
        if (!(in[n->nin + i] = constant(g, ints[i], count)))
            return kx_nomem(g);
    n->in = in;
    n->nin += lists;
    return KLDVE_OK;
}

static kldve_status add_attr(kx_graph *g, kx_node *n, kx_attr attr)
{
    assert(n->nattr == 0);
    if (!(n->attr = kx_new(g, 1, sizeof *n->attr)))
        return kx_nomem(g);
    n->attr[n->nattr++] = attr;
    return KLDVE_OK;
}

kldve_status kx_make_transpose(kx_graph *g, kx_node *n, const int32_t *perm)
{
    int32_t rank = n->in[0]->shape.rank;
    int64_t *ints = kx_new(g, (size_t)rank, sizeof *ints);
    kldve_status st;

    if (!ints)
        return kx_nomem(g);
    for (int32_t i = 0; i < rank; i++)
        ints[i] = perm[i];
    st = add_attr(
        g, n, (kx_attr){.name = "perm", .type = KX_ATTR_INTS, .count = (size_t)rank, .ints = ints});
    return st < 0 ? st : make(g, n, "Transpose");
}

kldve_status kx_make_reshape(kx_graph *g, kx_node *n, const kx_shape *to)
{
    const int64_t *dims[] = {to->dim};
    kldve_status st = add_inputs(g, n, 1, dims, to->rank);

    return st < 0 ? st : make(g, n, "Reshape");
}

static kldve_status make_steps(kx_graph *g, kx_node *n, int64_t axis, int64_t begin, int64_t end,
                               int64_t step)
{
    const int64_t *ints[] = {&begin, &end, &axis, &step};
    kldve_status st = add_inputs(g, n, 4, ints, 1);

    return st < 0 ? st : make(g, n, "Slice");
}

kldve_status kx_make_slice(kx_graph *g, kx_node *n, int32_t axis, int64_t begin, int64_t end)
{
    return make_steps(g, n, axis, begin, end, 1);
}

kldve_status kx_make_flip(kx_graph *g, kx_node *n, int32_t axis)
{
    return make_steps(g, n, axis, -1, INT64_MIN, -1);
}

kldve_status kx_make_pad(kx_graph *g, kx_node *n, const int64_t *before, const int64_t *after)
{
    int32_t rank = n->in[0]->shape.rank;
    int64_t pads[2 * KX_MAX_RANK];
    const int64_t *list[] = {pads};
    kldve_status st;

    memcpy(pads, before, (size_t)rank * sizeof *pads);
    memcpy(pads + rank, after, (size_t)rank * sizeof *pads);
    st = add_inputs(g, n, 1, list, 2 * rank);
    return st < 0 ? st : make(g, n, "Pad");
}

kldve_status kx_make_concat(kx_graph *g, kx_node *n, int32_t axis)
{
    kldve_status st =
        add_attr(g, n, (kx_attr){.name = "axis", .type = KX_ATTR_INT, .i = axis, .count = 1});

    return st < 0 ? st : make(g, n, "Concat");
}

kldve_status kx_make_split(kx_graph *g, kx_node *n, int32_t axis, const int64_t *size)
{
    const int64_t *sizes[] = {size};
    kldve_status st = add_inputs(g, n, 1, sizes, n->nout);

    if (st == KLDVE_OK)
        st = add_attr(g, n, (kx_attr){.name = "axis", .type = KX_ATTR_INT, .i = axis, .count = 1});
    return st < 0 ? st : make(g, n, "Split");
}

kldve_status kx_make_negative(kx_graph *g, kx_node *n)
{
    return make(g, n, "Neg");
}

kldve_status kx_make_log(kx_graph *g, kx_node *n)
{
    return make(g, n, "Log");
}

kldve_status kx_make_clip(kx_graph *g, kx_node *n)
{
    return make(g, n, "Clip");
}

kldve_status kx_make_difference(kx_graph *g, kx_node *n)
{
    return make(g, n, "Sub");
}

kldve_status kx_make_product(kx_graph *g, kx_node *n)
{
    return make(g, n, "Mul");
}

kx_value *kx_make_number(kx_graph *g, const kx_shape *shape, float value)
{
    kx_value *v = kx_value_new(g, "");
    size_t count = (size_t)kx_span(shape, 0, shape->rank);
    float *all = kx_new(g, count, sizeof *all);

    if (!v || !all)
        return NULL;
    for (size_t i = 0; i < count; i++)
        all[i] = value;
    v->dtype = KX_F32;
    v->shape = *shape;
    v->count = count;
    v->raw = all;
    return v;
}

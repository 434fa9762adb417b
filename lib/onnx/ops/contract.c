/* contract.c - a sum of products as transpositions, sums and matrix products.
 *
 *     one operand    diagonals are picked; axes of length 1 that broadcast go; an axis that nobody
 *                    else has is summed
 *     two            axes are shared and kept (batch), shared and summed, the first's own or the
 *                    second's own:  MatMul [batch][own][summed] by [batch][summed][own], or Mul
 *                    where there is nothing to sum or no own axis
 *     more           two after two, each time those whose product is smallest
 *
 * Greedy as in opt_einsum (Smith and Gray, "opt_einsum - A Python package for optimizing
 * contraction order for einsum-like expressions", JOSS 2018), which names the order that is best as
 * NP-hard to find. */
#include "contract.h"

#include <assert.h>
#include <string.h>

#include "emit.h"

enum { AXES = KX_CONTRACT_AXES };

static bool has(const kx_axis_list *axes, int32_t axis)
{
    return memchr(axes->axis, axis, (size_t)axes->count) != NULL;
}

static void push(kx_axis_list *axes, int32_t axis)
{
    assert(axes->count < KX_MAX_RANK && axis < AXES);
    axes->axis[axes->count++] = (uint8_t)axis;
}

static void drop(kx_axis_list *axes, int32_t at)
{
    axes->count--;
    memmove(axes->axis + at, axes->axis + at + 1, (size_t)(axes->count - at));
}

static kx_value *reshape(kx_expander *e, kx_value *v, const int64_t *dim, int32_t rank)
{
    const kx_attr zero = kx_attr_of_int("allowzero", 1);
    kx_value *in[2] = {v, kx_emit_ints(e, dim, (size_t)rank)};

    return kx_emit(e, "Reshape", in, 2, &zero, 1);
}

/* ---- one operand ----------------------------------------------------------------------------- */

/* The axes of x in another order. */
static void arrange(kx_expander *e, kx_operand *x, const kx_axis_list *order)
{
    int64_t perm[KX_MAX_RANK];

    assert(order->count == x->axes.count);
    if (memcmp(order->axis, x->axes.axis, (size_t)order->count) == 0)
        return;
    for (int32_t i = 0; i < order->count; i++) {
        assert(has(&x->axes, order->axis[i]));
        perm[i] = (const uint8_t *)memchr(x->axes.axis, order->axis[i], (size_t)x->axes.count) -
                  x->axes.axis;
    }
    x->v = kx_emit_transpose(e, x->v, perm, (size_t)order->count);
    x->axes = *order;
}

/* Without the axes of length 1 that are longer elsewhere. */
static void squeeze(kx_expander *e, const int64_t *dim, kx_operand *x)
{
    int64_t kept[KX_MAX_RANK];
    kx_axis_list axes = {.count = 0};

    for (int32_t i = 0; i < x->axes.count; i++)
        if (x->v->shape.dim[i] != 1 || dim[x->axes.axis[i]] == 1) {
            kept[axes.count] = x->v->shape.dim[i];
            push(&axes, x->axes.axis[i]);
        }
    if (axes.count < x->axes.count)
        x->v = reshape(e, x->v, kept, axes.count);
    x->axes = axes;
}

/* Axes `first` and `second` of x become the one that walks along both: they are brought together,
 * and of the n^2 elements every (n + 1)st is taken. */
static void pick_diagonal(kx_expander *e, const int64_t *dim, kx_operand *x, int32_t first,
                          int32_t second)
{
    int64_t n = dim[x->axes.axis[first]], perm[KX_MAX_RANK], shape[KX_MAX_RANK], to = 0;
    int64_t *index = kx_new(e->g, (size_t)n, sizeof *index);
    const kx_attr axis = kx_attr_of_int("axis", first);
    int32_t rank = x->axes.count;

    if (!index) {
        e->status = e->status < 0 ? e->status : kx_nomem(e->g);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        index[i] = i * (n + 1);
    for (int32_t i = 0; i < rank; i++) {
        if (i == second)
            continue;
        perm[to++] = i;
        if (i == first)
            perm[to++] = second;
    }
    if (second != first + 1)
        x->v = kx_emit_transpose(e, x->v, perm, (size_t)rank);
    drop(&x->axes, second);
    for (int32_t i = 0; i < rank - 1; i++)
        shape[i] = i == first ? n * n : dim[x->axes.axis[i]];
    x->v = kx_emit(
        e, "Gather",
        (kx_value *[]){reshape(e, x->v, shape, rank - 1), kx_emit_ints(e, index, (size_t)n)}, 2,
        &axis, 1);
}

static void pick_diagonals(kx_expander *e, const int64_t *dim, kx_operand *x)
{
    for (int32_t i = 0; i < x->axes.count; i++)
        for (int32_t k = i + 1; k < x->axes.count && e->status == KLDVE_OK; k++)
            if (x->axes.axis[i] == x->axes.axis[k])
                pick_diagonal(e, dim, x, i, k--);
}

static void sum_axes(kx_expander *e, kx_operand *x, const int64_t *at, int32_t count)
{
    const kx_attr keep = kx_attr_of_int("keepdims", 0);

    if (count > 0)
        x->v = kx_emit(e, "ReduceSum", (kx_value *[]){x->v, kx_emit_ints(e, at, (size_t)count)}, 2,
                       &keep, 1);
}

/* The sum over all axes that nobody else needs. */
static void sum_own(kx_expander *e, kx_operand *x, const bool *needed)
{
    kx_axis_list kept = {.count = 0};
    int64_t at[KX_MAX_RANK];
    int32_t count = 0;

    for (int32_t i = 0; i < x->axes.count; i++)
        if (needed[x->axes.axis[i]])
            push(&kept, x->axes.axis[i]);
        else
            at[count++] = i;
    sum_axes(e, x, at, count);
    x->axes = kept;
}

/* ---- two operands ---------------------------------------------------------------------------- */

/* Axes by what becomes of them. */
typedef struct split {
    kx_axis_list batch, summed, own[2];
} split;

static split split_axes(const kx_operand *x, const kx_operand *y, const bool *needed)
{
    split s = {.batch = {.count = 0}};

    for (int32_t i = 0; i < x->axes.count; i++) {
        int32_t axis = x->axes.axis[i];

        push(!has(&y->axes, axis) ? &s.own[0] : needed[axis] ? &s.batch : &s.summed, axis);
    }
    for (int32_t i = 0; i < y->axes.count; i++)
        if (!has(&x->axes, y->axes.axis[i]))
            push(&s.own[1], y->axes.axis[i]);
    return s;
}

/* a, then b, then c. */
static kx_axis_list joined(const kx_axis_list *a, const kx_axis_list *b, const kx_axis_list *c)
{
    const kx_axis_list *part[3] = {a, b, c};
    kx_axis_list all = {.count = 0};

    for (int k = 0; k < 3; k++)
        for (int32_t i = 0; i < part[k]->count; i++)
            push(&all, part[k]->axis[i]);
    return all;
}

static int32_t put_dims(const int64_t *dim, const kx_axis_list *axes, int64_t *to)
{
    for (int32_t i = 0; i < axes->count; i++)
        to[i] = dim[axes->axis[i]];
    return axes->count;
}

static int64_t volume(const int64_t *dim, const kx_axis_list *axes)
{
    int64_t n = 1;

    for (int32_t i = 0; i < axes->count; i++)
        n *= dim[axes->axis[i]]; /* of an array that exists */
    return n;
}

/* [batch][rows][columns] of x, each of the two being one axis. */
static kx_value *as_matrices(kx_expander *e, const int64_t *dim, kx_operand *x,
                             const kx_axis_list *batch, const kx_axis_list *rows,
                             const kx_axis_list *columns)
{
    const kx_axis_list order = joined(batch, rows, columns);
    int64_t shape[KX_MAX_RANK + 2];
    int32_t rank = put_dims(dim, batch, shape);

    arrange(e, x, &order);
    if (rows->count == 1 && columns->count == 1)
        return x->v;
    shape[rank++] = volume(dim, rows);
    shape[rank++] = volume(dim, columns);
    return reshape(e, x->v, shape, rank);
}

static kx_operand by_matrices(kx_expander *e, const int64_t *dim, kx_operand x, kx_operand y,
                              const split *s)
{
    kx_operand z = {.axes = joined(&s->batch, &s->own[0], &s->own[1])};
    kx_value *a = as_matrices(e, dim, &x, &s->batch, &s->own[0], &s->summed);
    kx_value *b = as_matrices(e, dim, &y, &s->batch, &s->summed, &s->own[1]);
    int64_t shape[KX_MAX_RANK];

    z.v = kx_emit2(e, "MatMul", a, b);
    if (s->own[0].count != 1 || s->own[1].count != 1)
        z.v = reshape(e, z.v, shape, put_dims(dim, &z.axes, shape));
    return z;
}

/* By elements, then a sum if there is one: [batch][summed][own][own]. */
static kx_operand by_elements(kx_expander *e, const int64_t *dim, kx_operand x, kx_operand y,
                              const split *s)
{
    kx_axis_list of_x = joined(&s->batch, &s->summed, &s->own[0]);
    kx_axis_list of_y = joined(&s->batch, &s->summed, &s->own[1]);
    kx_operand z = {.axes = joined(&s->batch, &s->own[0], &s->own[1])};
    int64_t shape[2 * KX_MAX_RANK], at[KX_MAX_RANK];
    int32_t rank;

    arrange(e, &x, &of_x);
    arrange(e, &y, &of_y);
    if (s->own[0].count > 0 && s->own[1].count > 0) {
        rank = put_dims(dim, &of_x, shape);
        for (int32_t i = 0; i < s->own[1].count; i++)
            shape[rank++] = 1;
        x.v = reshape(e, x.v, shape, rank);
    }
    if (s->own[0].count > 0) {
        rank = put_dims(dim, &s->batch, shape);
        rank += put_dims(dim, &s->summed, shape + rank);
        for (int32_t i = 0; i < s->own[0].count; i++)
            shape[rank++] = 1;
        rank += put_dims(dim, &s->own[1], shape + rank);
        y.v = reshape(e, y.v, shape, rank);
    } else if (s->own[1].count > 0) {
        rank = put_dims(dim, &of_x, shape);
        for (int32_t i = 0; i < s->own[1].count; i++)
            shape[rank++] = 1;
        x.v = reshape(e, x.v, shape, rank);
    }
    z.v = kx_emit2(e, "Mul", x.v, y.v);
    for (int32_t i = 0; i < s->summed.count; i++)
        at[i] = s->batch.count + i;
    sum_axes(e, &z, at, s->summed.count);
    return z;
}

/* x y, summed over what nobody else needs. */
static kx_operand multiply(kx_expander *e, const int64_t *dim, kx_operand x, kx_operand y,
                           const bool *needed)
{
    split s;

    if (x.v && x.v->raw && y.v && !y.v->raw) { /* constants to the right: a dense layer */
        kx_operand first = x;

        x = y;
        y = first;
    }
    s = split_axes(&x, &y, needed);
    if (s.batch.count + s.own[0].count + s.own[1].count > KX_MAX_RANK ||
        (s.summed.count > 0 && s.batch.count + 2 > KX_MAX_RANK)) {
        e->status = e->status < 0 ? e->status
                                  : kx_refuse(e->g, e->n,
                                              "the rank of a product is above %d, the largest "
                                              "supported",
                                              KX_MAX_RANK);
        return x;
    }
    if (s.summed.count == 0 || (s.own[0].count == 0 && s.own[1].count == 0))
        return by_elements(e, dim, x, y, &s);
    return by_matrices(e, dim, x, y, &s);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The axes that are read outside operands i and k: by others, or in the result. */
static void find_needed(const kx_contract *c, const kx_axis_list *out, int32_t i, int32_t k,
                        bool needed[AXES])
{
    memset(needed, 0, AXES * sizeof *needed);
    for (int32_t n = 0; n < out->count; n++)
        needed[out->axis[n]] = true;
    for (int32_t o = 0; o < c->count; o++)
        for (int32_t n = 0; o != i && o != k && n < c->operand[o].axes.count; n++)
            needed[c->operand[o].axes.axis[n]] = true;
}

/* Elements of the product of operands i and k, and multiplications for it. */
static void cost(const kx_contract *c, const kx_axis_list *out, int32_t i, int32_t k, double of[2])
{
    const kx_axis_list *x = &c->operand[i].axes, *y = &c->operand[k].axes;
    bool needed[AXES];

    find_needed(c, out, i, k, needed);
    of[0] = of[1] = 1;
    for (int32_t axis = 0; axis < AXES; axis++)
        if (has(x, axis) || has(y, axis)) {
            of[0] *= needed[axis] ? (double)c->dim[axis] : 1;
            of[1] *= (double)c->dim[axis];
        }
}

/* Two operands become one. */
static void join_two(kx_expander *e, kx_contract *c, const kx_axis_list *out)
{
    double least[2] = {0, 0}, of[2];
    int32_t first = 0, second = 0;
    bool needed[AXES];

    for (int32_t i = 0; i < c->count; i++)
        for (int32_t k = i + 1; k < c->count; k++) {
            cost(c, out, i, k, of);
            if (second == 0 || of[0] < least[0] || (of[0] == least[0] && of[1] < least[1])) {
                first = i;
                second = k;
                memcpy(least, of, sizeof of);
            }
        }
    find_needed(c, out, first, second, needed);
    c->operand[first] = multiply(e, c->dim, c->operand[first], c->operand[second], needed);
    c->count--;
    memmove(&c->operand[second], &c->operand[second + 1],
            (size_t)(c->count - second) * sizeof c->operand[0]);
}

kldve_status kx_contract_all(kx_expander *e, kx_contract *c, const kx_axis_list *out, kx_value **y)
{
    bool needed[AXES];

    assert(c->count >= 1);
    for (int32_t i = 0; i < c->count && e->status == KLDVE_OK; i++) {
        squeeze(e, c->dim, &c->operand[i]);
        if (e->status == KLDVE_OK)
            pick_diagonals(e, c->dim, &c->operand[i]);
    }
    for (int32_t i = 0; i < c->count; i++) {
        find_needed(c, out, i, i, needed);
        sum_own(e, &c->operand[i], needed);
    }
    while (c->count > 1 && e->status == KLDVE_OK)
        join_two(e, c, out);
    if (e->status == KLDVE_OK)
        arrange(e, &c->operand[0], out);
    *y = c->operand[0].v;
    return e->status;
}

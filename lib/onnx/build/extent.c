/* extent.c - see extent.h. */
#include "extent.h"

#include "ops/params.h"
#include "ops/params_basic.h"

const kx_extent kx_extent_all = {.kind = KX_EXTENT_ALL};

static kx_extent part_of(int32_t axis, int64_t begin, int64_t end)
{
    return (kx_extent){KX_EXTENT_PART, axis, begin, end};
}

kx_extent kx_extent_join(kx_extent a, kx_extent b)
{
    if (a.kind == KX_EXTENT_NONE || b.kind == KX_EXTENT_ALL)
        return b;
    if (b.kind == KX_EXTENT_NONE || a.kind == KX_EXTENT_ALL)
        return a;
    if (a.axis != b.axis)
        return kx_extent_all;
    return part_of(a.axis, a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end);
}

/* Axes correspond from the last one; an operand that is repeated along the axis is needed whole. */
static bool broadcast(const kx_shape *out, const kx_shape *in, kx_extent part, kx_extent *to)
{
    int32_t axis = part.axis - out->rank + in->rank;

    *to = kx_extent_all;
    if (axis < 0 || in->dim[axis] == 1)
        return true;
    *to = part_of(axis, part.begin, part.end);
    return in->dim[axis] == out->dim[part.axis];
}

/* Is the axis in front of the last `inner` elements? */
static bool is_outside(const kx_shape *s, int32_t axis, int64_t inner)
{
    return kx_span(s, axis + 1, s->rank) >= inner;
}

static bool of_line(const kx_node *n, kx_extent part, kx_extent *to)
{
    const kx_axis_params *p = n->params;
    const kx_shape *s = &n->in[0]->shape;

    *to = part;
    return is_outside(s, part.axis, p->n * p->inner) || kx_span(s, part.axis, s->rank) <= p->inner;
}

static bool of_row(const kx_node *n, int32_t o, kx_extent part, int32_t k, kx_extent *to)
{
    const kx_norm_params *p = n->params;

    *to = k == 0 ? part : kx_extent_all;
    return o == 0 && p->plane * p->channels <= p->inner &&
           is_outside(&n->in[0]->shape, part.axis, p->inner);
}

/* An axis of the result that is an axis of the operand, several in one, or a part of one. */
static bool regrouped(const kx_shape *out, const kx_shape *in, kx_extent part, kx_extent *to)
{
    int64_t before = kx_span(out, 0, part.axis), now = out->dim[part.axis], then;
    int32_t axis = 0;

    while (axis < in->rank && (kx_span(in, 0, axis) != before || in->dim[axis] == 1))
        axis++;
    if (axis == in->rank)
        return false;
    then = in->dim[axis];
    if (then % now == 0) {
        *to = part_of(axis, part.begin * (then / now), part.end * (then / now));
        return true;
    }
    if (now % then != 0 || part.begin % (now / then) != 0 || part.end % (now / then) != 0)
        return false;
    *to = part_of(axis, part.begin / (now / then), part.end / (now / then));
    return true;
}

static bool permuted(const kx_node *n, kx_extent part, kx_extent *to)
{
    const kx_transpose_params *p = n->params;

    *to = part_of(p->perm[part.axis], part.begin, part.end);
    return true;
}

static bool is_plain_slice(const kx_node *n)
{
    const kx_slice_params *p = n->params;

    for (int32_t axis = 0; axis < n->in[0]->shape.rank; axis++)
        if (p->step[axis] != 1)
            return false;
    return true;
}

static bool sliced(const kx_node *n, kx_extent part, kx_extent *to)
{
    const kx_slice_params *p = n->params;

    *to = part_of(part.axis, part.begin + p->start[part.axis], part.end + p->start[part.axis]);
    return is_plain_slice(n);
}

static bool split(const kx_node *n, int32_t o, kx_extent part, kx_extent *to)
{
    const kx_split_params *p = n->params;
    int64_t begin = part.axis == p->axis ? p->begin[o] : 0;

    *to = part_of(part.axis, part.begin + begin, part.end + begin);
    return true;
}

static bool joined(const kx_node *n, kx_extent part, kx_extent *to)
{
    const kx_concat_params *p = n->params;

    *to = part;
    return part.axis != p->axis;
}

/* Along the axes that are not those of the indices. */
static bool taken(const kx_node *n, kx_extent part, int32_t k, kx_extent *to)
{
    const kx_gather_params *p = n->params;
    int32_t indices = n->in[1]->shape.rank;

    *to = kx_extent_all;
    if (part.axis >= p->axis && part.axis < p->axis + indices)
        return false;
    if (k == 0)
        *to = part_of(part.axis < p->axis ? part.axis : part.axis - indices + 1, part.begin,
                      part.end);
    return true;
}

static bool reduced(const kx_node *n, kx_extent part, int32_t k, kx_extent *to)
{
    const kx_reduce_params *p = n->params;
    int32_t axis = 0, at = 0;

    for (; axis < n->in[0]->shape.rank; axis++) {
        bool there = !p->reduced[axis] || p->keepdims;

        if (there && at == part.axis)
            break;
        at += there;
    }
    *to = k == 0 ? part_of(axis, part.begin, part.end) : kx_extent_all;
    return axis < n->in[0]->shape.rank && !p->reduced[axis];
}

/* Rows of the result, or whole matrices; not columns. */
static bool matrix(const kx_node *n, kx_extent part, int32_t k, kx_extent *to)
{
    const kx_shape *out = &n->out[0]->shape;
    int32_t rows = kx_matrix_rows(n);

    if (rows < 0 || part.axis == out->rank - 1)
        return false;
    if (part.axis < out->rank - 2 || k > 1)
        return broadcast(out, &n->in[k]->shape, part, to);
    *to = k == 0 ? part_of(rows, part.begin, part.end) : kx_extent_all;
    return true;
}

static bool by_axes(const kx_node *n, int32_t o, kx_extent part, int32_t k, kx_extent *to)
{
    switch (n->op->traits.axes) {
    case KX_AXES_PERMUTED:
        return permuted(n, part, to);
    case KX_AXES_SLICED:
        return k == 0 && sliced(n, part, to);
    case KX_AXES_SPLIT:
        return k == 0 && split(n, o, part, to);
    case KX_AXES_JOINED:
        return joined(n, part, to);
    case KX_AXES_TAKEN:
        return taken(n, part, k, to);
    case KX_AXES_REDUCED:
        return reduced(n, part, k, to);
    case KX_AXES_MATRIX:
        return matrix(n, part, k, to);
    default:
        return false;
    }
}

bool kx_extent_operand(const kx_node *n, int32_t o, kx_extent part, int32_t k, kx_extent *in)
{
    const kx_shape *out = &n->out[o]->shape;

    assert(part.kind == KX_EXTENT_PART && out->dim[part.axis] > 1);
    if (kx_op_copies(n))
        return k == 0 && o == 0 && regrouped(out, &n->in[0]->shape, part, in);
    switch (n->op->traits.local) {
    case KX_LOCAL_PLACE:
        return broadcast(out, &n->in[k]->shape, part, in);
    case KX_LOCAL_LINE:
        return of_line(n, part, in);
    case KX_LOCAL_ROW:
        return of_row(n, o, part, k, in);
    case KX_LOCAL_ANY:
        break;
    }
    return by_axes(n, o, part, k, in);
}

/* ---- parts that are taken -------------------------------------------------------------------- */

/* The first axis of which a Slice leaves something out. */
static kx_extent by_slice(const kx_node *n)
{
    const kx_slice_params *p = n->params;
    const kx_shape *in = &n->in[0]->shape, *out = &n->out[0]->shape;

    for (int32_t axis = 0; is_plain_slice(n) && axis < in->rank; axis++)
        if (in->dim[axis] != out->dim[axis])
            return part_of(axis, p->start[axis], p->start[axis] + out->dim[axis]);
    return kx_extent_all;
}

/* Constant indices that follow one another. */
static kx_extent by_indices(const kx_node *n, kx_arena *arena)
{
    const kx_gather_params *p = n->params;
    const int64_t *at = n->in[1]->raw ? kx_value_read(n->in[1], arena) : NULL;
    int64_t length = n->in[0]->shape.dim[p->axis], first;

    if (!at || n->in[1]->count == 0)
        return kx_extent_all;
    first = at[0] < 0 ? at[0] + length : at[0];
    for (size_t i = 1; i < n->in[1]->count; i++)
        if ((at[i] < 0 ? at[i] + length : at[i]) != first + (int64_t)i)
            return kx_extent_all;
    return part_of(p->axis, first, first + (int64_t)n->in[1]->count);
}

kx_extent kx_extent_taken(const kx_node *n, int32_t o, kx_arena *arena)
{
    const kx_split_params *p = n->params;

    switch (n->op->traits.axes) {
    case KX_AXES_SLICED:
        return by_slice(n);
    case KX_AXES_SPLIT:
        return part_of(p->axis, p->begin[o], p->begin[o] + n->out[o]->shape.dim[p->axis]);
    case KX_AXES_TAKEN:
        return by_indices(n, arena);
    default:
        return kx_extent_all;
    }
}

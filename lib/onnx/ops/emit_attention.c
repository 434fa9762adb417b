/* emit_attention.c - see emit_attention.h. */
#include "emit_attention.h"

#include <math.h>

#include "basic.h"
#include "emit.h"

kx_value *kx_emit_heads(kx_expander *e, kx_value *x, int64_t heads, bool columns)
{
    static const int64_t rows[4] = {0, 2, 1, 3}, keys[4] = {0, 2, 3, 1};
    const int64_t dim[4] = {0, 0, heads, -1};

    return kx_emit_transpose(e, kx_emit_reshape(e, x, dim, 4), columns ? keys : rows, 4);
}

kx_value *kx_emit_joined_heads(kx_expander *e, kx_value *x)
{
    static const int64_t back[4] = {0, 2, 1, 3}, joined[3] = {0, 0, -1};

    return kx_emit_reshape(e, kx_emit_transpose(e, x, back, 4), joined, 3);
}

kx_value *kx_emit_repeated_heads(kx_expander *e, kx_value *x, int64_t times)
{
    const kx_shape *s = x ? &x->shape : NULL;
    int64_t apart[5], wide[5], joined[4];

    if (!x || times == 1)
        return x;
    for (int i = 0; i < 4; i++)
        joined[i] = s->dim[i] * (i == 1 ? times : 1);
    for (int i = 0; i < 5; i++) {
        apart[i] = i < 2 ? s->dim[i] : i == 2 ? 1 : s->dim[i - 1];
        wide[i] = i == 2 ? times : apart[i];
    }
    x = kx_emit2(e, "Expand", kx_emit_reshape(e, x, apart, 5), kx_emit_ints(e, wide, 5));
    return kx_emit_reshape(e, x, joined, 4);
}

/* ---- who may look where ---------------------------------------------------------------------- */

kx_value *kx_emit_allowed(kx_expander *e, kx_value *allowed)
{
    return kx_emit(e, "Where",
                   (kx_value *[]){allowed, kx_emit_float(e, 0), kx_emit_float(e, -INFINITY)}, 3,
                   NULL, 0);
}

kx_value *kx_emit_stands(kx_expander *e, int64_t queries, int64_t offset)
{
    const int64_t column[2] = {-1, 1};

    return kx_emit_reshape(e, kx_emit_range(e, offset, queries), column, 2);
}

kx_value *kx_emit_band(kx_expander *e, kx_value *stands, int64_t keys, int64_t left, int64_t right)
{
    kx_value *key = kx_emit_range(e, 0, keys), *first, *last, *before = NULL, *behind = NULL;

    if (right >= 0) {
        last = right ? kx_emit2(e, "Add", stands, kx_emit_int(e, right)) : stands;
        behind = kx_emit2(e, "LessOrEqual", key, last);
    }
    if (left >= 0) {
        first = kx_emit2(e, "Sub", stands, kx_emit_int(e, left));
        before = kx_emit2(e, "GreaterOrEqual", key, first);
    }
    return kx_emit_allowed(e, !before   ? behind
                              : !behind ? before
                                        : kx_emit2(e, "And", before, behind));
}

kx_value *kx_emit_used_keys(kx_expander *e, kx_value *used, int64_t batch, int64_t keys)
{
    const int64_t dim[4] = {batch, 1, 1, 1};

    return kx_emit_allowed(
        e, kx_emit2(e, "Less", kx_emit_range(e, 0, keys), kx_emit_reshape(e, used, dim, 4)));
}

/* Rows of a bias in which everything is -infinity: a bool for each, or NULL where there are none.
 * A softmax would make them NaN. */
static kx_value *blind_rows(kx_expander *e, kx_value *bias)
{
    const kx_attr below = kx_attr_of_int("detect_positive", 0);
    kx_value *most = kx_emit2(e, "ReduceMax", bias, kx_emit_ints(e, &(int64_t){-1}, 1));
    kx_value *blind = kx_emit(e, "IsInf", &most, 1, &below, 1);
    const uint8_t *known;
    bool any = false;

    if (!blind || !blind->raw)
        return blind;
    if (!(known = kx_value_data(e->g, blind))) {
        e->status = kx_nomem(e->g);
        return NULL;
    }
    for (size_t i = 0; i < blind->count; i++)
        any = any || known[i];
    return any ? blind : NULL;
}

static kx_value *zero_at(kx_expander *e, kx_value *where, kx_value *x)
{
    return where ? kx_emit(e, "Where",
                           (kx_value *[]){kx_emit1(e, "Not", where), x, kx_emit_float(e, 0)}, 3,
                           NULL, 0)
                 : x;
}

kx_value *kx_emit_attention(kx_expander *e, kx_attention *a)
{
    const kx_attr last = kx_attr_of_int("axis", -1);
    kx_value *blind = a->bias && !a->sees ? blind_rows(e, a->bias) : NULL, *p;

    p = kx_emit2(e, "MatMul", a->q, a->columns);
    p = a->stages[0] = kx_emit2(e, "Mul", p, kx_emit_float(e, a->scale));
    if (a->softcap != 0.0f) {
        kx_value *cap = kx_emit_float(e, a->softcap);

        p = kx_emit2(e, "Mul", kx_emit1(e, "Tanh", kx_emit2(e, "Div", p, cap)), cap);
    }
    a->stages[1] = a->stages[2] = p;
    if (a->bias)
        a->stages[2] = kx_emit2(e, "Add", p, a->bias);
    p = blind ? kx_emit2(e, "Add", p, zero_at(e, blind, a->bias)) : a->stages[2];
    p = a->stages[3] = zero_at(e, blind, kx_emit(e, "Softmax", &p, 1, &last, 1));
    return kx_emit2(e, "MatMul", p, a->v);
}

/* ---- rotary positions ------------------------------------------------------------------------ */

/* Half number k of the features: the first or last ones, or every second one. */
static kx_value *half_of(kx_expander *e, kx_value *x, int64_t dim, bool interleaved, int64_t k)
{
    int32_t axis = x ? x->shape.rank - 1 : 0;
    kx_value *in[5] = {x, kx_emit_ints(e, &(int64_t){interleaved ? k : k * (dim / 2)}, 1),
                       kx_emit_ints(e, &(int64_t){interleaved ? dim : (k + 1) * (dim / 2)}, 1),
                       kx_emit_ints(e, &(int64_t){axis}, 1),
                       kx_emit_ints(e, &(int64_t){interleaved ? 2 : 1}, 1)};

    return kx_emit(e, "Slice", in, 5, NULL, 0);
}

/* The halves beside each other again. */
static kx_value *paired(kx_expander *e, kx_value *const half[2], bool interleaved)
{
    const kx_attr last = kx_attr_of_int("axis", -1);
    kx_value *in[2] = {half[0], half[1]}, *y;
    int64_t dim[KX_MAX_RANK] = {0};
    int32_t rank = half[0] ? half[0]->shape.rank : 1;

    if (!interleaved)
        return kx_emit(e, "Concat", in, 2, &last, 1);
    for (int i = 0; i < 2; i++)
        in[i] = kx_emit2(e, "Unsqueeze", half[i], kx_emit_ints(e, &(int64_t){-1}, 1));
    y = kx_emit(e, "Concat", in, 2, &last, 1);
    dim[rank - 1] = -1; /* the others are kept */
    return kx_emit_reshape(e, y, dim, (size_t)rank);
}

kx_value *kx_emit_rotated(kx_expander *e, kx_value *x, kx_value *c, kx_value *s, int64_t dim,
                          bool interleaved)
{
    const kx_attr last = kx_attr_of_int("axis", -1);
    int32_t axis = x ? x->shape.rank - 1 : 0;
    int64_t size = x ? x->shape.dim[axis] : 0;
    kx_value *a = half_of(e, x, dim, interleaved, 0), *b = half_of(e, x, dim, interleaved, 1);
    kx_value *turn[2], *y;

    turn[0] = kx_emit2(e, "Sub", kx_emit2(e, "Mul", c, a), kx_emit2(e, "Mul", s, b));
    turn[1] = kx_emit2(e, "Add", kx_emit2(e, "Mul", s, a), kx_emit2(e, "Mul", c, b));
    y = paired(e, turn, interleaved);
    if (dim == size)
        return y;
    return kx_emit(e, "Concat", (kx_value *[]){y, kx_emit_slice(e, x, axis, dim, size)}, 2, &last,
                   1);
}

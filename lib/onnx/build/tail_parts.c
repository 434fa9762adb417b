/* tail_parts.c - see tail_parts.h. */
#include "tail_parts.h"

#include <math.h>
#include <string.h>

#include "ops/params_basic.h"

const kx_node *kx_maker(const kx_graph *g, const kx_value *v)
{
    return v && v->producer >= 0 ? &g->node[v->producer] : NULL;
}

/* Whether only axes of length 1 change places. */
static bool moves_ones(const kx_node *n)
{
    const kx_transpose_params *p = n->params;
    int32_t last = -1;

    if (n->op->traits.axes != KX_AXES_PERMUTED)
        return false;
    for (int32_t i = 0; i < n->in[0]->shape.rank; i++)
        if (n->in[0]->shape.dim[p->perm[i]] > 1) {
            if (p->perm[i] < last)
                return false;
            last = p->perm[i];
        }
    return true;
}

/* Whether sums or means are those of one element each. */
static bool sums_ones(const kx_node *n)
{
    return n->op->traits.axes == KX_AXES_REDUCED && n->op->traits.effect == KX_EFFECT_ADDS &&
           n->in[0]->count == n->out[0]->count;
}

/* Whether floats become floats of another precision. */
static bool casts(const kx_node *n)
{
    return n->op->traits.formula == KX_FORMULA_CAST && n->in[0]->dtype == KX_F32 &&
           n->out[0]->dtype == KX_F32;
}

bool kx_is_move(const kx_node *n)
{
    return kx_op_copies(n) || moves_ones(n) || sums_ones(n) || casts(n);
}

/* What was quantised, of what dequantises it again; else NULL. */
static kx_value *before_rounding(const kx_graph *g, const kx_value *v)
{
    const kx_node *n = v->levels ? kx_maker(g, v->levels) : NULL;

    return n && n->op->traits.rounds ? n->in[0] : NULL;
}

kx_value *kx_bare(const kx_graph *g, kx_value *v)
{
    enum { MOST_MOVES = 64 }; /* asked of every tensor: a file can have a million in a row */

    for (int i = 0; i < MOST_MOVES; i++) {
        const kx_node *n = kx_maker(g, v);
        kx_value *x = n && kx_is_move(n) ? n->in[0] : before_rounding(g, v);

        if (!x)
            break;
        v = x;
    }
    return v;
}

const kx_node *kx_made_by(const kx_graph *g, kx_value *v, kx_formula formula)
{
    const kx_node *n = kx_maker(g, kx_bare(g, v));

    if (!n || n->op->traits.formula != formula || (formula == KX_FORMULA_SUM && n->nin != 2))
        return NULL;
    return n;
}

bool kx_is_uniform(const kx_value *v, double *value)
{
    const unsigned char *raw = v->raw;
    float first;

    if (!raw || v->dtype != KX_F32 || v->count == 0)
        return false;
    memcpy(&first, raw, sizeof first); /* perhaps unaligned */
    for (size_t i = 1; i < v->count; i++)
        if (memcmp(raw + i * sizeof first, raw, sizeof first) != 0)
            return false;
    *value = (double)first;
    return true;
}

bool kx_is_all(const kx_value *v, float value)
{
    double all;

    return kx_is_uniform(v, &all) && all == (double)value;
}

kx_value *kx_beside(const kx_node *n, double *value)
{
    if (!n || n->nin != 2)
        return NULL;
    return kx_is_uniform(n->in[0], value)   ? n->in[1]
           : kx_is_uniform(n->in[1], value) ? n->in[0]
                                            : NULL;
}

kx_value *kx_scaled(const kx_graph *g, kx_value *v, float value)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_PRODUCT);
    double by;
    kx_value *x = kx_beside(n, &by);

    if (n)
        return x && by == (double)value ? x : NULL;
    n = kx_made_by(g, v, KX_FORMULA_QUOTIENT);
    return n && kx_is_all(n->in[1], 1 / value) ? n->in[0] : NULL;
}

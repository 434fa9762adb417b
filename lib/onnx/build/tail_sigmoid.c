/* tail_sigmoid.c - a sigmoid by one node, or written by hand:
 *
 *     sigmoid        1 / (1 + exp(-x)),  exp(x) / (1 + exp(x)),  (1 + tanh(x / 2)) / 2
 *     its logarithm  -log(1 + exp(-x)), where log(1 + exp(y)) is one node */
#include "tail_parts.h"

/* -x -> x. */
static kx_value *negated(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_NEGATIVE);

    if (n)
        return n->in[0];
    if ((n = kx_made_by(g, v, KX_FORMULA_DIFFERENCE)) && kx_is_all(n->in[0], 0))
        return n->in[1];
    return kx_scaled(g, v, -1);
}

/* value + x -> x. */
static kx_value *plus(const kx_graph *g, kx_value *v, double value)
{
    double other;
    kx_value *x = kx_beside(kx_made_by(g, v, KX_FORMULA_SUM), &other);

    return x && other == value ? x : NULL;
}

/* 1 + exp(y) -> y. */
static kx_value *one_and_exp(const kx_graph *g, kx_value *v)
{
    kx_value *x = plus(g, v, 1);
    const kx_node *e = x ? kx_made_by(g, x, KX_FORMULA_EXP) : NULL;

    return e ? e->in[0] : NULL;
}

/* tanh(x / 2) -> x. */
static kx_value *half_tanh(const kx_graph *g, kx_value *v)
{
    const kx_node *n = v ? kx_made_by(g, v, KX_FORMULA_TANH) : NULL;

    return n ? kx_scaled(g, n->in[0], 0.5f) : NULL;
}

static kx_value *by_tanh(const kx_graph *g, kx_value *v)
{
    kx_value *twice = kx_scaled(g, v, 0.5f), *part;

    if (twice)
        return half_tanh(g, plus(g, twice, 1));
    part = plus(g, v, 0.5);
    return part ? half_tanh(g, kx_scaled(g, part, 0.5f)) : NULL;
}

static kx_value *by_hand(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_RECIPROCAL), *e;
    kx_value *y = NULL;

    if (n) {
        y = one_and_exp(g, n->in[0]);
        return y ? negated(g, y) : NULL;
    }
    if (!(n = kx_made_by(g, v, KX_FORMULA_QUOTIENT)) || !(y = one_and_exp(g, n->in[1])))
        return by_tanh(g, v);
    if (kx_is_all(n->in[0], 1))
        return negated(g, y);
    e = kx_made_by(g, n->in[0], KX_FORMULA_EXP);
    return e && kx_bare(g, e->in[0]) == kx_bare(g, y) ? e->in[0] : NULL;
}

/* -log(1 + exp(-x)) -> x. */
static kx_value *log_by_hand(const kx_graph *g, kx_value *v)
{
    kx_value *y = negated(g, v);
    const kx_node *n = y ? kx_made_by(g, y, KX_FORMULA_SOFTPLUS) : NULL;

    return n ? negated(g, n->in[0]) : NULL;
}

kx_value *kx_before_sigmoid(const kx_graph *g, kx_value *v, bool *logarithm)
{
    const kx_node *n = kx_maker(g, v);
    kx_value *x;

    *logarithm = false;
    if (n && n->op->traits.formula == KX_FORMULA_LOGISTIC)
        return n->in[0];
    if ((x = by_hand(g, v)))
        return x;
    *logarithm = true;
    return log_by_hand(g, v);
}

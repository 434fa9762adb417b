/* tail.c - see tail.h.
 *
 *     softmax       exp(x) / sum exp(x),  exp(x - max x) / sum exp(x - max x)
 *     its logarithm x - log sum exp(x), with or without the maximum subtracted
 *     sigmoid       1 / (1 + exp(-x)),  exp(x) / (1 + exp(x)),  (1 + tanh(x / 2)) / 2
 *
 * The patterns are recognised by the formulas of their nodes (graph/traits.h). */
#include "tail.h"

#include <string.h>

#include "ops/params_basic.h"

static const double keeps_low = 1e-3, keeps_high = 1 - 1e-3; /* clipping that avoids log(0) */

static const kx_node *maker(const kx_graph *g, const kx_value *v)
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

static bool is_move(const kx_node *n)
{
    return kx_op_copies(n) || moves_ones(n) || sums_ones(n);
}

/* In front of reshapes and casts. */
static kx_value *bare(const kx_graph *g, kx_value *v)
{
    for (const kx_node *n = maker(g, v); n && is_move(n); n = maker(g, v))
        v = n->in[0];
    return v;
}

/* The node behind `v`, reshapes apart, if it computes that; else NULL. */
static const kx_node *made_by(const kx_graph *g, kx_value *v, kx_formula formula)
{
    const kx_node *n = maker(g, bare(g, v));

    return n && n->op->traits.formula == formula ? n : NULL;
}

static bool is_all(const kx_value *v, float value)
{
    const unsigned char *raw = v->raw;

    if (!raw || v->dtype != KX_F32 || v->count == 0)
        return false;
    for (size_t i = 0; i < v->count; i++) {
        float x;

        memcpy(&x, raw + i * sizeof x, sizeof x); /* perhaps unaligned */
        if (x != value)
            return false;
    }
    return true;
}

/* The operand beside a constant; NULL: neither is that constant. */
static kx_value *beside(const kx_node *n, float value)
{
    if (!n)
        return NULL;
    return is_all(n->in[0], value) ? n->in[1] : is_all(n->in[1], value) ? n->in[0] : NULL;
}

/* value * x or x / (1 / value) -> x. */
static kx_value *scaled(const kx_graph *g, kx_value *v, float value)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_PRODUCT);

    if (n)
        return beside(n, value);
    n = made_by(g, v, KX_FORMULA_QUOTIENT);
    return n && is_all(n->in[1], 1 / value) ? n->in[0] : NULL;
}

/* ---- softmax ---- */

/* x - max x -> x. */
static kx_value *without_most(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_DIFFERENCE);
    const kx_node *most = n ? made_by(g, n->in[1], KX_FORMULA_MOST) : NULL;

    return most && bare(g, most->in[0]) == bare(g, n->in[0]) ? n->in[0] : v;
}

/* What is summed up: by a reduction, or by a product with ones. */
static kx_value *summed(const kx_graph *g, kx_value *v)
{
    const kx_node *n = maker(g, bare(g, v));

    if (n && n->op->traits.formula == KX_FORMULA_TOTAL)
        return n->in[0];
    if (n && n->op->traits.axes == KX_AXES_MATRIX && n->nin == 2 && is_all(n->in[1], 1))
        return n->in[0];
    return NULL;
}

/* exp(x) / sum exp(x) -> x. */
static kx_value *softmax_by_hand(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_QUOTIENT), *inverse, *e;
    kx_value *above, *total;

    if (n) {
        above = n->in[0];
        total = summed(g, n->in[1]);
    } else {
        if (!(n = made_by(g, v, KX_FORMULA_PRODUCT)) ||
            !(inverse = made_by(g, n->in[1], KX_FORMULA_RECIPROCAL)))
            return NULL;
        above = n->in[0];
        total = summed(g, inverse->in[0]);
    }
    e = made_by(g, above, KX_FORMULA_EXP);
    if (!total || !e || bare(g, total) != bare(g, above))
        return NULL;
    return without_most(g, e->in[0]);
}

/* log sum exp(x) -> x. */
static kx_value *log_sum(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_LOG_SUM), *e;
    kx_value *total;

    if (n)
        return n->in[0];
    if (!(n = made_by(g, v, KX_FORMULA_LOG)) || !(total = summed(g, n->in[0])) ||
        !(e = made_by(g, total, KX_FORMULA_EXP)))
        return NULL;
    return e->in[0];
}

/* max x + log sum exp(x - max x) -> x. */
static kx_value *log_sum_and_most(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_SUM);

    for (int k = 0; n && k < 2; k++) {
        const kx_node *most = made_by(g, n->in[k], KX_FORMULA_MOST);
        kx_value *x = most ? log_sum(g, n->in[1 - k]) : NULL;

        if (x && without_most(g, x) != x && bare(g, without_most(g, x)) == bare(g, most->in[0]))
            return most->in[0];
    }
    return NULL;
}

/* x - log sum exp(x) -> x. */
static kx_value *log_softmax_by_hand(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_DIFFERENCE);
    kx_value *x = n ? log_sum(g, n->in[1]) : NULL;

    if (n && !x)
        x = log_sum_and_most(g, n->in[1]);
    return x && bare(g, x) == bare(g, n->in[0]) ? without_most(g, n->in[0]) : NULL;
}

/* ---- sigmoid ---- */

/* -x -> x. */
static kx_value *negated(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_NEGATIVE);

    if (n)
        return n->in[0];
    if ((n = made_by(g, v, KX_FORMULA_DIFFERENCE)) && is_all(n->in[0], 0))
        return n->in[1];
    return scaled(g, v, -1);
}

/* 1 + exp(y) -> y. */
static kx_value *one_and_exp(const kx_graph *g, kx_value *v)
{
    kx_value *x = beside(made_by(g, v, KX_FORMULA_SUM), 1);
    const kx_node *e = x ? made_by(g, x, KX_FORMULA_EXP) : NULL;

    return e ? e->in[0] : NULL;
}

/* tanh(x / 2) -> x. */
static kx_value *half_tanh(const kx_graph *g, kx_value *v)
{
    const kx_node *n = v ? made_by(g, v, KX_FORMULA_TANH) : NULL;

    return n ? scaled(g, n->in[0], 0.5f) : NULL;
}

static kx_value *sigmoid_by_tanh(const kx_graph *g, kx_value *v)
{
    kx_value *twice = scaled(g, v, 0.5f), *part;

    if (twice)
        return half_tanh(g, beside(made_by(g, twice, KX_FORMULA_SUM), 1));
    part = beside(made_by(g, v, KX_FORMULA_SUM), 0.5f);
    return part ? half_tanh(g, scaled(g, part, 0.5f)) : NULL;
}

static kx_value *sigmoid_by_hand(const kx_graph *g, kx_value *v)
{
    const kx_node *n = made_by(g, v, KX_FORMULA_RECIPROCAL), *e;
    kx_value *y = NULL;

    if (n) {
        y = one_and_exp(g, n->in[0]);
        return y ? negated(g, y) : NULL;
    }
    if (!(n = made_by(g, v, KX_FORMULA_QUOTIENT)) || !(y = one_and_exp(g, n->in[1])))
        return sigmoid_by_tanh(g, v);
    if (is_all(n->in[0], 1))
        return negated(g, y);
    e = made_by(g, n->in[0], KX_FORMULA_EXP);
    return e && bare(g, e->in[0]) == bare(g, y) ? e->in[0] : NULL;
}

/* ---- all together ---- */

/* What enters the softmax or sigmoid whose result is `v`; NULL: it is neither's. */
static kx_value *squashed(const kx_graph *g, kx_value *v, int32_t *kind)
{
    const kx_node *n = maker(g, v);
    kx_value *x;

    *kind = KLDVE_SCORES_SOFTMAX;
    if (n && n->op->traits.probabilities)
        return n->in[0];
    if ((x = softmax_by_hand(g, v)) || (x = log_softmax_by_hand(g, v)))
        return x;
    *kind = KLDVE_SCORES_SIGMOID;
    return n && n->op->traits.formula == KX_FORMULA_LOGISTIC ? n->in[0] : sigmoid_by_hand(g, v);
}

/* What may stand behind a softmax or sigmoid. */
static bool may_follow(const kx_node *n)
{
    const kx_clip_params *clip = n->params;

    switch (n->op->traits.formula) {
    case KX_FORMULA_EXP:
    case KX_FORMULA_LOG:
        return true;
    case KX_FORMULA_CLIP:
        return clip->fixed && (double)clip->lo <= keeps_low && (double)clip->hi >= keeps_high;
    default:
        return is_move(n);
    }
}

void kx_find_tail(const kx_graph *g, kx_value *output, kx_tail *out)
{
    kx_value *at = output;

    *out = (kx_tail){.scores = output, .kind = KLDVE_SCORES_RAW};
    for (;;) {
        const kx_node *n = maker(g, at);
        kx_value *x = squashed(g, at, &out->kind);

        if (x) {
            out->scores = x;
            return;
        }
        out->kind = KLDVE_SCORES_RAW;
        if (n && n->op->traits.formula == KX_FORMULA_BEST) {
            out->best = true;
            out->scores = n->in[0];
        } else if (!n || !may_follow(n)) {
            if (n && n->op->traits.unit_interval)
                out->squashes = n;
            return;
        }
        at = n->in[0];
    }
}

/* tail_softmax.c - a softmax by one node, or written by hand:
 *
 *     softmax        exp(x) / sum exp(x),  exp(x - max x) / sum exp(x - max x)
 *     its logarithm  x - log sum exp(x), with or without the maximum subtracted */
#include "tail_parts.h"

#include <math.h>

#include "ops/params.h"
#include "ops/params_basic.h"

/* A sum, and which elements it adds. */
typedef struct total {
    kx_value *of; /* NULL: there is none */
    kx_line line;
} total;

/* The line that a reduction runs along: axes side by side, those of length 1 apart. */
static bool reduced_line(const kx_node *n, kx_line *line)
{
    const kx_reduce_params *p = n->params;
    const kx_shape *s = &n->in[0]->shape;
    bool ended = false;

    *line = (kx_line){1, 1};
    for (int32_t i = s->rank - 1; i >= 0; i--) {
        if (s->dim[i] == 1)
            continue;
        if (!p->reduced[i] && line->n == 1)
            line->step *= s->dim[i];
        else if (!p->reduced[i])
            ended = true;
        else if (ended)
            return false;
        else
            line->n *= s->dim[i];
    }
    return true;
}

/* Of rows of a matrix: by a product with ones. */
static bool summed_rows(const kx_node *n, kx_line *line)
{
    const kx_shape *s = &n->in[0]->shape;
    const kx_gemm_params *p = n->op->traits.bias == KX_BIAS_OWN ? n->params : NULL; /* of a Gemm */

    if (n->op->traits.axes != KX_AXES_MATRIX || n->nin != 2 || !kx_is_all(n->in[1], 1) ||
        s->rank < 1 || (p && (p->alpha != 1 || p->trans_a)))
        return false;
    *line = (kx_line){s->dim[s->rank - 1], 1};
    return true;
}

/* Of channels: by a convolution of 1 x 1 with ones and without a bias. */
static bool summed_channels(const kx_node *n, kx_line *line)
{
    const kx_shape *x = &n->in[0]->shape;

    if (n->op->traits.mixing != KX_MIXING_CONV || n->nin < 2 || !kx_is_all(n->in[1], 1) ||
        n->in[1]->shape.rank != x->rank || x->rank < 2 ||
        (int64_t)n->in[1]->count != n->in[1]->shape.dim[0] * x->dim[1] ||
        (n->nin > 2 && n->in[2] && !kx_is_all(n->in[2], 0)))
        return false;
    *line = (kx_line){x->dim[1], kx_span(x, 2, x->rank)};
    return true;
}

static total sum_of(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_maker(g, kx_bare(g, v));
    total t = {.of = NULL};
    bool found = false;

    if (n && (n->op->traits.formula == KX_FORMULA_TOTAL ||
              n->op->traits.formula == KX_FORMULA_SIZES)) /* exponentials are positive */
        found = reduced_line(n, &t.line);
    else if (n)
        found = summed_rows(n, &t.line) || summed_channels(n, &t.line);
    if (found)
        t.of = n->in[0];
    return t;
}

/* Whether `by`, an operand beside one of shape s, has one number for each line. */
static bool fits_lines(const kx_shape *s, const kx_value *by, const kx_line *line)
{
    int64_t step = 1, n = 1;

    if (by->count == 1)
        return kx_span(s, 0, s->rank) == line->n;
    if (by->shape.rank != s->rank)
        return false;
    for (int32_t i = s->rank - 1; i >= 0; i--) {
        if (by->shape.dim[i] != s->dim[i] && by->shape.dim[i] != 1)
            return false;
        if (by->shape.dim[i] != s->dim[i])
            n *= s->dim[i];
        else if (n == 1)
            step *= s->dim[i];
    }
    return (n == line->n && step == line->step) || (n == 1 && by->count >= (size_t)line->n);
}

/* What is repeated along the lines. */
static kx_value *unspread(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_maker(g, v);

    return n && n->op->traits.formula == KX_FORMULA_SPREAD ? n->in[0] : v;
}

/* x - max x -> x, where the maximum is that of the same lines. */
static kx_value *without_most(const kx_graph *g, kx_value *v, const kx_line *line)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_DIFFERENCE);
    const kx_node *most = n ? kx_made_by(g, n->in[1], KX_FORMULA_MOST) : NULL;
    kx_line of;

    if (!most || kx_bare(g, most->in[0]) != kx_bare(g, n->in[0]) || !reduced_line(most, &of))
        return v;
    return of.n == line->n && of.step == line->step && fits_lines(&n->in[0]->shape, n->in[1], line)
               ? n->in[0]
               : v;
}

/* A lower bound that keeps a divisor above zero: max(x, 1e-12) -> x. */
static kx_value *unbounded(const kx_graph *g, kx_value *v)
{
    const double tiny = 1e-6;
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_CLIP);
    const kx_clip_params *p = n ? n->params : NULL;
    double bound;
    kx_value *x;

    if (n)
        return p->fixed && (double)p->lo <= tiny && p->hi > 1e6f ? n->in[0] : v;
    if ((n = kx_made_by(g, v, KX_FORMULA_LARGER)) || (n = kx_made_by(g, v, KX_FORMULA_SUM)))
        return (x = kx_beside(n, &bound)) && bound >= 0 && bound <= tiny ? x : v;
    return v;
}

/* exp(x) / sum exp(x) -> x. */
static kx_value *by_hand(const kx_graph *g, kx_value *v, kx_line *line)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_QUOTIENT), *inverse, *e;
    kx_value *by;
    total t;

    if (n) {
        by = unspread(g, n->in[1]);
        t = sum_of(g, unbounded(g, by));
    } else {
        if (!(n = kx_made_by(g, v, KX_FORMULA_PRODUCT)) ||
            !(inverse = kx_made_by(g, n->in[1], KX_FORMULA_RECIPROCAL)))
            return NULL;
        by = n->in[1];
        t = sum_of(g, unbounded(g, inverse->in[0]));
    }
    e = kx_made_by(g, n->in[0], KX_FORMULA_EXP);
    if (!t.of || !e || kx_bare(g, t.of) != kx_bare(g, n->in[0]) ||
        !fits_lines(&n->in[0]->shape, by, &t.line))
        return NULL;
    *line = t.line;
    return without_most(g, e->in[0], line);
}

/* log sum exp(x) -> x. */
static total log_sum(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_LOG_SUM), *e;
    total t = {.of = NULL};

    if (n) {
        if (reduced_line(n, &t.line))
            t.of = n->in[0];
        return t;
    }
    if (!(n = kx_made_by(g, v, KX_FORMULA_LOG)))
        return t;
    t = sum_of(g, n->in[0]);
    e = t.of ? kx_made_by(g, t.of, KX_FORMULA_EXP) : NULL;
    t.of = e ? e->in[0] : NULL;
    return t;
}

/* max x + log sum exp(x - max x) -> x. */
static total log_sum_and_most(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_SUM);

    for (int k = 0; n && k < 2; k++) {
        const kx_node *most = kx_made_by(g, n->in[k], KX_FORMULA_MOST);
        total t = log_sum(g, n->in[1 - k]);
        kx_value *x = most && t.of ? without_most(g, t.of, &t.line) : NULL;

        if (x && x != t.of && kx_bare(g, x) == kx_bare(g, most->in[0])) {
            t.of = most->in[0];
            return t;
        }
    }
    return (total){.of = NULL};
}

/* x - log sum exp(x) -> x. */
static kx_value *log_by_hand(const kx_graph *g, kx_value *v, kx_line *line)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_DIFFERENCE);
    total t = {.of = NULL};

    if (!n)
        return NULL;
    t = log_sum(g, n->in[1]);
    if (!t.of)
        t = log_sum_and_most(g, n->in[1]);
    if (!t.of || kx_bare(g, t.of) != kx_bare(g, n->in[0]) ||
        !fits_lines(&n->in[0]->shape, n->in[1], &t.line))
        return NULL;
    *line = t.line;
    return without_most(g, n->in[0], line);
}

/* Whether `sum` is compared with next to nothing, by the formula: only a sum of 0 tells. */
static bool is_told(const kx_graph *g, const kx_node *choice, kx_formula formula,
                    const kx_value *sum)
{
    const double nothing = 1e-6;
    const kx_node *n = kx_made_by(g, choice->in[0], formula);
    double with;

    return n && n->in[0] == sum && kx_is_uniform(n->in[1], &with) && fabs(with) <= nothing;
}

/* A sum that is replaced where it is 0: Where(sum == 0, 1, sum), Where(sum > 0, sum, 1) -> sum. */
static kx_value *unless_zero(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_CHOICE);
    double other;

    if (!n)
        return v;
    if (kx_is_uniform(n->in[1], &other) && is_told(g, n, KX_FORMULA_EQUAL, n->in[2]))
        return n->in[2];
    if (kx_is_uniform(n->in[2], &other) &&
        (is_told(g, n, KX_FORMULA_ABOVE, n->in[1]) || is_told(g, n, KX_FORMULA_AT_LEAST, n->in[1])))
        return n->in[1];
    return v;
}

kx_value *kx_before_share(const kx_graph *g, kx_value *v)
{
    const kx_node *n = kx_made_by(g, v, KX_FORMULA_QUOTIENT);
    total t;

    if (!n)
        return NULL;
    t = sum_of(g, unbounded(g, unless_zero(g, unspread(g, n->in[1]))));
    return t.of && kx_bare(g, t.of) == kx_bare(g, n->in[0]) &&
                   fits_lines(&n->in[0]->shape, unspread(g, n->in[1]), &t.line)
               ? n->in[0]
               : NULL;
}

kx_value *kx_before_softmax(const kx_graph *g, kx_value *v, kx_line *line, bool *logarithm)
{
    const kx_node *n = kx_maker(g, v);
    const kx_axis_params *p = n ? n->params : NULL;
    kx_value *x;

    *logarithm = false;
    if (n && n->op->traits.probabilities) {
        *line = (kx_line){p->n, p->inner};
        *logarithm = !n->op->traits.unit_interval;
        return n->in[0];
    }
    if ((x = by_hand(g, v, line)))
        return x;
    *logarithm = true;
    return log_by_hand(g, v, line);
}

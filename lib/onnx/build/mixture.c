/* mixture.c - means of probabilities, as ensembles and test-time augmentation have them.
 *
 * No scores stand behind a mean of softmaxes.  But its elements p are probabilities: they are not
 * negative and their sum is 1 whatever the picture, so softmax(log p) = p.  What is known of each
 * tensor follows from what its node computes: the sum of its elements, and their largest. */
#include "tail_parts.h"

#include <math.h>

#include "ops/params_basic.h"

/* Of elements that are not negative; NAN: not known. */
typedef struct known {
    double sum, most;
} known;

static const known nothing = {NAN, NAN};

static known of_sum(const kx_node *n, const known *at)
{
    known all = {0, 0};

    for (int32_t k = 0; k < n->nin; k++) {
        const kx_value *v = n->in[k];

        if (!v || v->raw || v->count != n->out[0]->count)
            return nothing;
        all.sum += at[v->id].sum;
        all.most += at[v->id].most;
    }
    return all;
}

static known times(known a, double by)
{
    return by > 0 ? (known){a.sum * by, a.most * by} : nothing;
}

/* Of a tensor and a constant, or of two tensors. */
static known of_product(const kx_node *n, const known *at, bool inverse)
{
    double by;
    const kx_value *x = kx_beside(n, &by);

    if (x && !x->raw && x->count != n->out[0]->count) /* repeated */
        return nothing;
    if (x && !x->raw)
        return inverse ? (x == n->in[0] ? times(at[x->id], 1 / by) : nothing)
                       : times(at[x->id], by);
    if (inverse || n->nin != 2 || n->in[0]->raw || n->in[1]->raw)
        return nothing;
    return (known){NAN, at[n->in[0]->id].most * at[n->in[1]->id].most};
}

static known of_joined(const kx_node *n, const known *at)
{
    known all = {0, 0};

    for (int32_t k = 0; k < n->nin; k++) {
        known part = n->in[k] && !n->in[k]->raw ? at[n->in[k]->id] : nothing;

        if (isnan(part.most)) /* fmax() would forget it */
            return nothing;
        all.sum += part.sum;
        all.most = fmax(all.most, part.most);
    }
    return all;
}

static known of_reduced(const kx_node *n, const known *at)
{
    known x = at[n->in[0]->id];
    double length = (double)n->in[0]->count / (double)n->out[0]->count;

    return n->op->traits.formula == KX_FORMULA_TOTAL ? (known){x.sum, x.most * length}
                                                     : (known){x.sum / length, x.most};
}

static known of_squash(const kx_graph *g, const kx_node *n)
{
    kx_line line;
    bool logarithm;

    if (kx_before_softmax(g, n->out[0], &line, &logarithm) && !logarithm && line.n > 0)
        return (known){(double)n->out[0]->count / (double)line.n, 1};
    if (kx_before_sigmoid(g, n->out[0], &logarithm) && !logarithm)
        return (known){NAN, 1};
    return nothing;
}

static known of_node(const kx_graph *g, const kx_node *n, const known *at)
{
    known k = of_squash(g, n);

    if (!isnan(k.most) || n->nin < 1 || !n->in[0])
        return k;
    if (kx_is_move(n) || n->op->traits.axes == KX_AXES_PERMUTED)
        return at[n->in[0]->id];
    if (n->op->traits.axes == KX_AXES_JOINED)
        return of_joined(n, at);
    switch (n->op->traits.formula) {
    case KX_FORMULA_SUM:
        return of_sum(n, at);
    case KX_FORMULA_MEAN:
        return times(of_sum(n, at), 1.0 / n->nin);
    case KX_FORMULA_QUOTIENT:
        if (kx_before_share(g, n->out[0]) && n->out[0]->count > 1 && !isnan(at[n->in[0]->id].most))
            return (known){1, 1};
        return of_product(n, at, true);
    case KX_FORMULA_PRODUCT:
        return of_product(n, at, false);
    case KX_FORMULA_TOTAL:
    case KX_FORMULA_AVERAGE:
        return of_reduced(n, at);
    default:
        return nothing;
    }
}

/* What is known of each tensor, by value id. */
static known *find_known(const kx_graph *g, kx_arena *arena)
{
    known *at = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *at);

    for (int32_t i = 0; at && i < g->nvalue; i++)
        at[i] = nothing;
    for (int32_t i = 0; at && i < g->nnode; i++) {
        const kx_node *n = &g->node[i];

        if (n->out[0] && n->out[0]->dtype == KX_F32 && n->out[0]->count > 0)
            at[n->out[0]->id] = of_node(g, n, at);
    }
    return at;
}

/* Whether v holds probabilities as they are: of classes together, or each by itself. */
static int32_t kind_of(const kx_value *v, known k)
{
    const double close = 1e-5;

    if (v->count > 1 && fabs(k.sum - 1) < close)
        return KLDVE_SCORES_SOFTMAX;
    return fabs(k.most - 1) < close ? KLDVE_SCORES_SIGMOID : KLDVE_SCORES_RAW;
}

kldve_status kx_find_mixture(const kx_graph *g, kx_arena *arena, kx_value *output, kx_tail *t)
{
    kx_way_back w = {.at = output, .factor = 1};
    known *at = find_known(g, arena);

    if (!at)
        return kx_nomem(g);
    while (t->kind == KLDVE_SCORES_RAW) {
        int32_t kind =
            w.height == 0 || w.height == 1 ? kind_of(w.at, at[w.at->id]) : KLDVE_SCORES_RAW;

        if (w.opposite || (kind == KLDVE_SCORES_SIGMOID && w.shares) || (w.best && w.factor < 0))
            kind = KLDVE_SCORES_RAW;
        if (kind != KLDVE_SCORES_RAW)
            *t = (kx_tail){.scores = w.at,
                           .kind = kind,
                           .form = KX_TAIL_MIXED,
                           .best = w.best,
                           .factor = w.factor,
                           .offset = w.offset,
                           .logarithm = w.height == 1};
        else if (!kx_step_back(g, &w))
            break;
    }
    return KLDVE_OK;
}

/* attention.c - see attention.h.
 *
 *     Y = softmax(Q K^T) V
 *
 * is found by its shares: an operator whose results along the last axis add up to 1, and which a
 * matrix product takes as its first operand, perhaps behind copies, masks and types.  Tokens are
 * those of the network if they are as many as the cells of the array from which they were cut,
 * apart from a few that stand before them. */
#include "attention.h"

#include "flow.h"
#include "ops/params.h"
#include "ops/params_basic.h"

enum { LEAD_MAX = 16 /* tokens with no place in the picture: class, distillation, registers */ };

/* ---- which values are shares of tokens ---- */

static bool same_rows(const kx_shape *a, const kx_shape *b)
{
    return a->rank >= 2 && b->rank >= 2 && a->dim[a->rank - 1] == b->dim[b->rank - 1] &&
           a->dim[a->rank - 2] == b->dim[b->rank - 2];
}

/* Another type or shape of v, what a mask leaves of it, its heads in another order. */
static bool hands_on(const kx_node *n, const kx_value *v)
{
    const kx_value *y = n->nout ? n->out[0] : NULL;

    return y && y->dtype == KX_F32 && y->count == v->count &&
           (kx_op_copies(n) || (same_rows(&y->shape, &v->shape) && !n->op->traits.shares &&
                                n->op->traits.mixing == KX_MIXING_NONE));
}

/* Does a product weigh the rows of what varies by v?  A matrix product takes the weights first, a
 * sum over named axes (Einsum) anywhere. */
static bool weighs(const kx_node *n, const kx_value *v)
{
    const kx_traits *t = &n->op->traits;

    if (t->effect != KX_EFFECT_WEIGHS || n->nin < 2 || !n->in[0] || !n->in[1] || n->in[0]->raw ||
        n->in[1]->raw)
        return false;
    return n->in[0] == v || (t->mixing == KX_MIXING_NONE && n->in[1] == v);
}

/* Follow v, behind node `from`, to the matrix product. */
static bool becomes_weights(kx_planner *p, const kx_value *v, int32_t from)
{
    for (int32_t i = from + 1; i < p->g->nnode; i++) {
        const kx_node *n = &p->g->node[i];

        for (int32_t k = 0; p->needed[i] && k < n->nin; k++) {
            if (n->in[k] != v)
                continue;
            if (weighs(n, v))
                return true;
            if (hands_on(n, v)) {
                v = n->out[0];
                break;
            }
        }
    }
    return false;
}

static bool is_attention(kx_planner *p, const kx_node *n)
{
    const kx_shape *s;

    if (!p->needed[n->index] || !n->op->traits.shares || !kx_shares_last(n))
        return false;
    s = &n->out[0]->shape;
    return s->rank >= 2 && becomes_weights(p, n->out[0], n->index);
}

/* ---- the grid of the tokens ---- */

/* Is v made of cells of the picture, [1][channels][height][width]: by a convolution, or from such
 * an array without moving its axes? */
static bool is_plane(const kx_node *n, const bool *plane)
{
    const kx_value *v = n->nout ? n->out[0] : NULL;

    if (!v || v->shape.rank != 4 || v->shape.dim[0] != 1)
        return false;
    if (n->op->traits.mixing == KX_MIXING_CONV)
        return true;
    if (n->op->traits.axes != KX_AXES_STAY && n->op->traits.axes != KX_AXES_PADDED &&
        n->op->traits.axes != KX_AXES_CHANNELS_FIRST)
        return false;
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && plane[n->in[i]->id])
            return true;
    return false;
}

static void set_grid(kx_attention *a, int64_t height, int64_t width)
{
    a->height = (int32_t)height;
    a->width = (int32_t)width;
    a->lead = a->tokens - a->height * a->width;
}

/* The last array of cells before the attention whose cells the tokens can be.  plane: false, by id
 * of values.  *any: there is an array of cells at all. */
static bool grid_of_plane(const kx_planner *p, kx_attention *a, bool *plane, bool *any)
{
    bool found = false;

    *any = false;
    for (int32_t i = 0; i < a->node->index; i++) {
        const kx_node *n = &p->g->node[i];
        const int64_t *dim;

        if (!p->needed[i] || !is_plane(n, plane))
            continue;
        plane[n->out[0]->id] = *any = true;
        dim = n->out[0]->shape.dim;
        if (dim[2] * dim[3] > a->tokens || dim[2] * dim[3] < a->tokens - LEAD_MAX)
            continue;
        set_grid(a, dim[2], dim[3]);
        found = true;
    }
    return found;
}

/* Without such an array: tokens in the shape of the picture, after as few others as possible. */
static bool grid_of_picture(const kx_planner *p, kx_attention *a)
{
    const kx_shape *s = &p->options.input->shape;

    for (int32_t n = a->tokens; s->rank == 4 && n > 0 && n >= a->tokens - LEAD_MAX; n--)
        for (int32_t h = 1; h <= n; h++)
            if (n % h == 0 && h * s->dim[3] == n / h * s->dim[2]) {
                set_grid(a, h, n / h);
                return true;
            }
    return false;
}

static kldve_status find_grid(kx_planner *p, kx_attention *a)
{
    bool *plane = kx_scratch(p, (size_t)p->g->nvalue, sizeof *plane), any;

    if (!plane)
        return kx_plan_nomem(p);
    if (grid_of_plane(p, a, plane, &any) || (!any && grid_of_picture(p, a)))
        return KLDVE_OK;
    return kx_refuse_in(p->ctx, a->node,
                        "its %d tokens are no grid over the picture: it mixes channels, or only "
                        "some of the tokens",
                        (int)a->tokens);
}

/* ---- one attention ---- */

/* All dimensions before the last two but the heads' own, [batch][..][heads], are 1. */
static kldve_status read_shape(kx_planner *p, kx_attention *a)
{
    const kx_shape *s = &a->node->out[0]->shape;
    int64_t queries = s->dim[s->rank - 2], keys = s->dim[s->rank - 1];
    int64_t windows = s->rank > 3 ? kx_span(s, 0, s->rank - 3) : 1;

    if (windows != 1)
        return kx_refuse_in(
            p->ctx, a->node,
            "it is an attention within %lld windows of %lld tokens: what passes "
            "between windows is not in it, so a product of attentions means nothing",
            (long long)windows, (long long)keys);
    if (queries != keys)
        return kx_refuse_in(p->ctx, a->node,
                            "it is an attention of %lld queries over %lld keys, and a product of "
                            "attentions needs as many of both",
                            (long long)queries, (long long)keys);
    a->tokens = (int32_t)keys;
    a->heads = (int32_t)(s->rank > 2 ? s->dim[s->rank - 3] : 1);
    return KLDVE_OK;
}

/* ---- all of them, one behind the other ---- */

/* The last attention, by number from 1, that a node depends on; `last` says it of values, by id. */
static int32_t last_before(const int32_t *last, const kx_node *n)
{
    int32_t most = 0;

    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && last[n->in[i]->id] > most)
            most = last[n->in[i]->id];
    return most;
}

/* Further attentions are about the same tokens as the first. */
static kldve_status follow(kx_planner *p, kx_attention *a, int32_t before)
{
    const kx_attention *first = p->plan->attention;

    if (a->tokens != first->tokens)
        return kx_refuse_in(p->ctx, a->node,
                            "its %d tokens are not the %d of the attention '%.60s', and a product "
                            "of attentions needs as many",
                            (int)a->tokens, (int)first->tokens, first->node->name);
    if (before != p->plan->nattention)
        return kx_refuse_in(p->ctx, a->node,
                            "it does not build on the attention '%.60s', and a product of "
                            "attentions needs one behind the other",
                            a[-1].node->name);
    a->lead = first->lead;
    a->height = first->height;
    a->width = first->width;
    return KLDVE_OK;
}

/* before: the last attention, by number from 1, that the node depends on. */
static kldve_status add(kx_planner *p, const kx_node *n, int32_t before)
{
    kx_plan *plan = p->plan;
    kx_attention *a = &plan->attention[plan->nattention];
    kldve_status st;

    a->node = n;
    if ((st = read_shape(p, a)) < 0 ||
        (st = plan->nattention == 0 ? find_grid(p, a) : follow(p, a, before)) < 0)
        return st;
    plan->nattention++;
    kx_place_of(p, n->out[0])->keep = true;
    return KLDVE_OK;
}

kldve_status kx_attentions_find(kx_planner *p)
{
    const kx_graph *g = p->g;
    kx_plan *plan = p->plan;
    int32_t *last = kx_scratch(p, (size_t)g->nvalue, sizeof *last);
    kldve_status st;

    plan->attention = kx_plan_alloc(p, (size_t)g->nnode, sizeof *plan->attention);
    if (!last || !plan->attention)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        int32_t number = last_before(last, n);

        if (is_attention(p, n)) {
            if ((st = add(p, n, number)) < 0)
                return st;
            number = plan->nattention;
        }
        for (int32_t k = 0; k < n->nout; k++)
            if (n->out[k])
                last[n->out[k]->id] = number;
    }
    if (plan->nattention == 0)
        return kldve_ctx_fail(p->ctx, KLDVE_E_UNSUPPORTED,
                              "the network has no attention: no softmax along a last axis weighs "
                              "the rows of a matrix product");
    p->options.layer = plan->attention[0].node->out[0];
    return KLDVE_OK;
}

/* ---- steps ---- */

static kldve_status visit(kx_planner *p, const kx_unit *u, const kx_attention *a)
{
    const kx_value *v = a->node->out[0];
    bool nearest = a == &p->plan->attention[p->plan->nattention - 1];
    kx_attend_step s = {.attention = a, .weights = -1, .gradient = -1, .read = -1};
    kx_grad g = kx_grad_of(p, v);
    kldve_status st;

    if (g.buffer < 0)
        return kx_refuse_in(p->ctx, a->node, "no gradient of the logits reaches it");
    if ((st = kx_grad_in(p, u, v, NULL, &g)) < 0 ||
        (st = kx_value_in(p, u, v, NULL, &s.weights)) < 0 ||
        (nearest && (st = kx_buffer_new(p, (size_t)a->tokens * sizeof(float), &s.read)) < 0))
        return st;
    s.gradient = g.buffer;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_ATTEND, .as.attend = s});
}

kldve_status kx_visit_attentions(kx_planner *p, const kx_unit *u)
{
    for (int32_t i = 0; i < p->plan->nattention; i++)
        for (int32_t k = 0; k < u->nout; k++)
            if (p->plan->attention[i].node->out[0] == u->out[k])
                return visit(p, u, &p->plan->attention[i]);
    return KLDVE_OK;
}

/* relevance.c - see relevance.h. */
#include "relevance.h"

#include "relevance_linear.h"
#include "relevance_steps.h"
#include "relevance_traits.h"

/* ---- other units ---- */

static kldve_status through_window(kx_planner *p, kx_unit *u, kx_grad r)
{
    const int32_t z[2] = {kx_place_of(p, u->out[0])->copy[0].buffer, -1};
    kx_grad total = {-1, NULL, false};
    kldve_status st;

    if (u->pool.kind == KX_POOL_MAX)
        return (st = kx_window_vjp(p, u, r, &total)) < 0 ? st : kx_give(p, u, u->in[0], total);
    if ((st = kx_add_share(p, u, z, 1, r, &r)) < 0 || (st = kx_window_vjp(p, u, r, &r)) < 0)
        return st;
    if ((st = kx_add_take(p, u, u->in[0], kx_whole(), r, &total)) < 0)
        return st;
    return kx_give(p, u, u->in[0], total);
}

/* A linear operator by its own VJP: every operand takes x VJP(R / <z>). */
static kldve_status through_sum(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_node *n = u->node;
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &u->out[0]->shape);
    int32_t z[2] = {-1, -1}, dout[KX_MAX_OUT];
    kldve_status st;

    if (!plain)
        return kx_plan_nomem(p);
    if ((st = kx_grad_in(p, u, u->out[0], plain, &r)) < 0 ||
        (st = kx_value_in(p, u, u->out[0], plain, &z[0])) < 0 ||
        (st = kx_add_share(p, u, z, 1, r, &r)) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++)
        dout[i] = i == 0 ? r.buffer : -1;
    for (int32_t i = 0; i < n->nin; i++) {
        kx_grad d, total = {-1, NULL, false};

        if (!n->in[i] || n->in[i]->raw || !kx_place_of(p, n->in[i])->active)
            continue;
        if ((st = kx_node_vjp(p, u, dout, i, &d)) < 0 ||
            (st = kx_add_take(p, u, n->in[i], kx_whole(), d, &total)) < 0 ||
            (st = kx_give(p, u, n->in[i], total)) < 0)
            return st;
    }
    return KLDVE_OK;
}

/* A sum of two arrays of one shape. */
static kldve_status through_add(kx_planner *p, kx_unit *u, kx_grad r)
{
    const int32_t z[2] = {kx_place_of(p, u->out[0])->copy[0].buffer, -1};
    kx_grad s, x = {-1, NULL, false}, y = {-1, NULL, false};
    kldve_status st = kx_add_share(p, u, z, 1, r, &s);

    s.shared = true; /* the other operand's turn comes yet */
    if (st < 0 || (st = kx_add_take(p, u, u->in[0], kx_whole(), s, &x)) < 0 ||
        (st = kx_give(p, u, u->in[0], x)) < 0)
        return st;
    s.shared = false;
    if ((st = kx_add_take(p, u, u->in[1], kx_whole(), s, &y)) < 0)
        return st;
    return kx_give(p, u, u->in[1], y);
}

static int certainty(uint8_t traits)
{
    return traits & KX_GATE ? 2 : traits & KX_BOUNDED ? 1 : 0;
}

/* A product: all to the signal.  The gate is a sigmoid or its like, else the smaller operand. */
static kldve_status through_product(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_value *a = u->node->in[0], *b = u->node->in[1], *signal;
    int of_a = a->raw ? 3 : certainty(kx_place_of(p, a)->traits);
    int of_b = b->raw ? 3 : certainty(kx_place_of(p, b)->traits);

    if (of_a == of_b && a->count == b->count)
        return kx_refuse_in(p->ctx, u->node,
                            "relevance propagation cannot tell which operand is the gate");
    signal = of_a != of_b ? of_a < of_b ? a : b : a->count < b->count ? b : a;
    if (signal->count != u->out[0]->count)
        return kx_refuse_in(p->ctx, u->node,
                            "relevance propagation needs a signal of the result's size");
    return kx_give(p, u, signal, r);
}

static kldve_status through_quotient(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_value *signal = u->node->in[0];

    if (signal->raw || signal->count != u->out[0]->count)
        return kx_refuse_in(p->ctx, u->node,
                            "relevance propagation needs a numerator of the result's "
                            "size that is not constant");
    return kx_give(p, u, signal, r);
}

static kldve_status through_binary(kx_planner *p, kx_unit *u, kx_grad r)
{
    if (u->binary == KX_BINARY_MUL)
        return through_product(p, u, r);
    if (u->binary == KX_BINARY_DIV)
        return through_quotient(p, u, r);
    return u->binary == KX_BINARY_ADD && u->in[0]->count == u->in[1]->count ? through_add(p, u, r)
                                                                            : through_sum(p, u, r);
}

/* ---- operators that run as themselves ---- */

static int32_t varying_operands(const kx_node *n)
{
    int32_t count = 0;

    for (int32_t i = 0; i < n->nin; i++)
        count += n->in[i] && !n->in[i]->raw;
    return count;
}

static bool by_contribution(kx_planner *p, const kx_node *n)
{
    bool dense = n->op->traits.mixing == KX_MIXING_DENSE;

    return varying_operands(n) == 1 &&
           (p->options.rule == KLDVE_RULE_LRP_EPSILON ||
            (dense && p->options.rule == KLDVE_RULE_LRP_COMPOSITE &&
             kx_place_of(p, n->in[0]->raw ? n->in[1] : n->in[0])->traits & KX_DEEP));
}

static kldve_status through_node(kx_planner *p, kx_unit *u)
{
    const kx_node *n = u->node;
    kx_effect how = n->op->traits.effect;
    bool any = false;

    for (int32_t i = 0; i < n->nout; i++)
        any = any || (n->out[i] && kx_place_of(p, n->out[i])->grad >= 0);
    if (!any) /* a gate: no relevance goes there */
        return KLDVE_OK;
    if (how == KX_EFFECT_MOVES)
        return kx_give_operands(p, u);
    if (how == KX_EFFECT_MULTIPLIES)
        return through_product(p, u, kx_grad_of(p, u->out[0]));
    if (how == KX_EFFECT_DIVIDES)
        return through_quotient(p, u, kx_grad_of(p, u->out[0]));
    if (how == KX_EFFECT_ACTIVATES)
        return kx_give(p, u, n->in[0], kx_grad_of(p, u->out[0]));
    if (how == KX_EFFECT_ADDS || (how == KX_EFFECT_WEIGHS && by_contribution(p, n)))
        return through_sum(p, u, kx_grad_of(p, u->out[0]));
    return kx_refuse_in(p->ctx, n, "relevance propagation has no rule for it%s",
                        how == KX_EFFECT_WEIGHS ? ", except epsilon with constant weights" : "");
}

kldve_status kx_relevance_unit(kx_planner *p, kx_unit *u)
{
    kx_grad r;

    if (u->kind == KX_UNIT_NODE)
        return through_node(p, u);
    r = kx_grad_of(p, u->out[0]);
    if (r.buffer < 0)
        return KLDVE_OK;
    switch (u->kind) {
    case KX_UNIT_CONV:
    case KX_UNIT_DENSE:
        return kx_relevance_linear(p, u, r);
    case KX_UNIT_AFFINE:
        return kx_relevance_affine(p, u, r);
    case KX_UNIT_POOL:
        return through_window(p, u, r);
    case KX_UNIT_ACT:
        if (u->act.kind == KX_ACT_ERF || u->act.kind == KX_ACT_EXP || u->act.kind == KX_ACT_POW)
            return kx_refuse_in(p->ctx, u->node, "relevance propagation has no rule for it");
        return kx_give(p, u, u->in[0], r);
    case KX_UNIT_LRN:
        return kx_give(p, u, u->in[0], r);
    case KX_UNIT_BINARY:
        return through_binary(p, u, r);
    case KX_UNIT_CONCAT:
        return kx_concat_vjp(p, u, r);
    case KX_UNIT_VIEW:
        return kx_view_vjp(p, u, r);
    case KX_UNIT_PRODUCT: /* not made for relevance, like the next two */
    case KX_UNIT_PERMUTED:
    case KX_UNIT_ROWS:
    case KX_UNIT_NODE:
        break;
    }
    return KLDVE_OK;
}

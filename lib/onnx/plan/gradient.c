/* gradient.c - see gradient.h. */
#include "gradient.h"

#include <string.h>

#include "bias.h"
#include "flow.h"
#include "packed.h"
#include "matrices.h"

/* dy -> dx through an activation, in place where the buffer is nobody else's.  `seen` is the
 * buffer of y, or of x for the activations that need it, in g's layout. */
static kldve_status through_act(kx_planner *p, const kx_unit *u, int32_t seen, kx_grad *g)
{
    kx_act_step s = {u->act, kx_layout_bytes(g->layout) / sizeof(float), seen, g->buffer,
                     g->buffer};
    kldve_status st;

    if (u->act.kind == KX_ACT_NONE)
        return KLDVE_OK;
    if (g->shared && (st = kx_buffer_new(p, kx_layout_bytes(g->layout), &s.to)) < 0)
        return st;
    g->buffer = s.to;
    g->shared = false;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_ACT_VJP, .as.act = s});
}

/* ---- by kind of unit ---- */

static kldve_status backward_conv(kx_planner *p, kx_unit *u, kx_grad g)
{
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    if (kx_place_of(p, u->in[0])->active) {
        kx_grad d = g;

        kx_unbound(bind);
        if ((st = kx_accel_conv_vjp(p->plan->accel, &u->conv, &prim)) < 0 ||
            (st = kx_grad_in(p, u, u->out[0], kx_prim_layout(prim, KX_DIFF_DST), &d)) < 0 ||
            (st = kx_pack(p, u, kx_whole(), kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) <
                0)
            return st;
        bind[KX_DIFF_DST] = d.buffer;
        if ((st = kx_step_prim(p, u, prim, bind)) < 0 ||
            (st = kx_give(p, u, u->in[0],
                          (kx_grad){bind[KX_DIFF_SRC], kx_prim_layout(prim, KX_DIFF_SRC), false})) <
                0)
            return st;
    }
    return u->nin > 1 ? kx_give(p, u, u->in[1], g) : KLDVE_OK;
}

/* g times an array that broadcasts over it. */
static kldve_status times(kx_planner *p, const kx_unit *u, kx_grad g, int32_t factor,
                          const kx_layout *layout, kx_grad *out)
{
    static const kx_act none = {KX_ACT_NONE, 0, 0};
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    kx_unbound(bind);
    if ((st = kx_accel_binary(p->plan->accel, KX_BINARY_MUL, g.layout, layout, NULL, none, &prim)) <
        0)
        return st;
    bind[KX_SRC] = g.buffer;
    bind[KX_SRC1] = factor;
    if ((st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    *out = (kx_grad){bind[KX_DST], kx_prim_layout(prim, KX_DST), false};
    return KLDVE_OK;
}

static kldve_status backward_affine(kx_planner *p, kx_unit *u, kx_grad g)
{
    const kx_layout *channels = kx_channel_layout(p, u->in[0]);
    int32_t scale;
    kx_grad d;
    kldve_status st;

    if (!channels)
        return kx_plan_nomem(p);
    if ((st = kx_buffer_fixed(p, u->scale, &scale)) < 0 ||
        (st = times(p, u, g, scale, channels, &d)) < 0)
        return st;
    return kx_give(p, u, u->in[0], d);
}

static kldve_status backward_binary(kx_planner *p, kx_unit *u, kx_grad g)
{
    bool active[2] = {kx_place_of(p, u->in[0])->active, kx_place_of(p, u->in[1])->active};
    bool same = u->in[0]->count == u->in[1]->count;
    kx_grad d;
    kldve_status st;

    if (u->binary == KX_BINARY_ADD && same) {
        g.shared = g.shared || (active[0] && active[1]);
        return (st = kx_give(p, u, u->in[0], g)) < 0 ? st : kx_give(p, u, u->in[1], g);
    }
    for (int i = 0; i < 2; i++) {
        const kx_value *other = u->in[1 - i];

        if (!active[i])
            continue;
        if (u->binary == KX_BINARY_ADD && i == 0) {
            d = g;
            d.shared = true; /* the other operand's turn comes yet */
        } else if (u->binary == KX_BINARY_MUL && (i == 0 || same)) {
            const kx_layout *layout =
                same ? g.layout : kx_layout_plain(p->plan->accel, &other->shape);
            int32_t factor;

            if (!layout)
                return kx_plan_nomem(p);
            if ((st = kx_value_in(p, u, other, layout, &factor)) < 0 ||
                (st = times(p, u, g, factor, layout, &d)) < 0)
                return st;
        } else { /* sums over what was broadcast, quotients: the operator's own kernel */
            kx_grad plain = g;
            int32_t which = u->in[0] == u->in[1] ? i : u->node->in[0] == u->in[i] ? 0 : 1;

            if ((st = kx_grad_in(p, u, u->out[0], NULL, &plain)) < 0 ||
                (st = kx_node_vjp(p, u, &plain.buffer, which, &d)) < 0)
                return st;
        }
        if ((st = kx_give(p, u, u->in[i], d)) < 0)
            return st;
    }
    return KLDVE_OK;
}

static kldve_status backward_dense(kx_planner *p, kx_unit *u, kx_grad g)
{
    const kx_dense *d = &u->dense;
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &u->in[0]->shape);
    int32_t bind[KX_SLOTS];
    kx_dense_step s = {*d, u->act, kx_whole(), g.buffer, -1, -1};
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if (d->m > KX_DENSE_ROWS) {
        const kx_dense back = {d->m, d->n, d->k, !d->transposed, d->weights, NULL};

        kx_unbound(bind);
        bind[KX_SRC] = g.buffer;
        if ((st = kx_dense_prim(p, u, &back, true, bind)) < 0)
            return st;
        return kx_give(p, u, u->in[0], (kx_grad){bind[KX_DST], layout, false});
    }
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0 ||
        (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_DENSE_VJP, .as.dense = s})) < 0)
        return st;
    return kx_give(p, u, u->in[0], (kx_grad){s.to, layout, false});
}

static kldve_status backward_product(kx_planner *p, kx_unit *u, kx_grad g)
{
    for (int32_t i = 0; i < 2; i++) {
        kx_grad d, plain = g;
        kldve_status st;

        if (!kx_place_of(p, u->in[i])->active)
            continue;
        st = kx_product_vjp(p, u, g, i, &d);
        if (st == KLDVE_E_UNSUPPORTED &&
            (st = kx_grad_in(p, u, u->out[0], NULL, &plain)) == KLDVE_OK)
            st = kx_node_vjp(p, u, &plain.buffer, i, &d);
        if (st < 0 || (st = kx_give(p, u, u->in[i], d)) < 0)
            return st;
    }
    return KLDVE_OK;
}

/* The other way round: where the result lies like the operand, no step either. */
static kldve_status backward_permuted(kx_planner *p, kx_unit *u, kx_grad g)
{
    int32_t back[KX_MAX_RANK];

    for (int32_t i = 0; i < u->out[0]->shape.rank; i++)
        back[u->perm[i]] = i;
    if (!(g.layout = kx_layout_permuted(p->plan->accel, g.layout, back)))
        return kx_plan_nomem(p);
    return kx_give(p, u, u->in[0], g);
}

static kldve_status backward_rows(kx_planner *p, kx_unit *u, kx_grad g)
{
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &u->in[0]->shape);
    const kx_value *seen = u->rows.kind == KX_ROWS_NORM ? u->in[0] : u->out[0];
    kx_rows_step s = {u->rows, -1, -1, -1};
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if (p->options.biases && u->rows.bias)
        return kx_refuse_in(p->ctx, u->node, "it adds a bias whose gradient cannot be computed");
    if ((st = kx_grad_in(p, u, u->out[0], NULL, &g)) < 0 ||
        (u->rows.kind != KX_ROWS_MEAN && (st = kx_value_in(p, u, seen, NULL, &s.seen)) < 0))
        return st;
    s.from = g.buffer;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0 ||
        (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_ROWS_VJP, .as.rows = s})) < 0)
        return st;
    return kx_give(p, u, u->in[0], (kx_grad){s.to, layout, false});
}

/* A constant that the kernels of the node add, or may add for all that its operator declares. */
static bool has_hidden_bias(const kx_node *n)
{
    bool constant = false;

    switch (n->op->traits.bias) {
    case KX_BIAS_NONE:
        return false;
    case KX_BIAS_OPERAND:
        for (int32_t i = 0; i < n->nin; i++)
            constant = constant || (n->in[i] && n->in[i]->raw);
        return constant;
    case KX_BIAS_UNDECLARED:
    case KX_BIAS_OWN:
        break;
    }
    return true;
}

static kldve_status backward_node(kx_planner *p, kx_unit *u)
{
    if (p->options.biases && has_hidden_bias(u->node))
        return kx_refuse_in(p->ctx, u->node, "it may add a bias whose gradient cannot be computed");
    return kx_give_operands(p, u);
}

kldve_status kx_gradient_unit(kx_planner *p, kx_unit *u)
{
    const kx_place *out;
    int32_t seen;
    kx_grad g;
    kldve_status st;

    if (u->kind == KX_UNIT_NODE)
        return backward_node(p, u);
    out = kx_place_of(p, u->out[0]);
    if (out->grad < 0)
        return KLDVE_OK;
    g = kx_grad_of(p, u->out[0]);
    seen = out->copy[0].buffer;
    if (u->kind == KX_UNIT_ACT && !kx_act_from_output(u->act) &&
        (st = kx_value_in(p, u, u->in[0], g.layout, &seen)) < 0)
        return st;
    if ((st = u->kind == KX_UNIT_ACT && p->options.biases ? kx_visit_bias(p, u, g) : KLDVE_OK) <
            0 ||
        (st = through_act(p, u, seen, &g)) < 0 ||
        (st = u->kind != KX_UNIT_ACT && p->options.biases ? kx_visit_bias(p, u, g) : KLDVE_OK) < 0)
        return st;
    switch (u->kind) {
    case KX_UNIT_CONV:
        return backward_conv(p, u, g);
    case KX_UNIT_AFFINE:
        return backward_affine(p, u, g);
    case KX_UNIT_POOL:
    case KX_UNIT_LRN:
        return (st = kx_window_vjp(p, u, g, &g)) < 0 ? st : kx_give(p, u, u->in[0], g);
    case KX_UNIT_ACT:
        return kx_give(p, u, u->in[0], g);
    case KX_UNIT_BINARY:
        return backward_binary(p, u, g);
    case KX_UNIT_CONCAT:
        return kx_concat_vjp(p, u, g);
    case KX_UNIT_DENSE:
        return backward_dense(p, u, g);
    case KX_UNIT_PRODUCT:
        return backward_product(p, u, g);
    case KX_UNIT_PERMUTED:
        return backward_permuted(p, u, g);
    case KX_UNIT_ROWS:
        return backward_rows(p, u, g);
    case KX_UNIT_VIEW:
        return kx_view_vjp(p, u, g);
    case KX_UNIT_NODE:
        break;
    }
    return KLDVE_OK;
}

/* backward.c - units -> the steps of the vector-Jacobian product, from the last unit to the first.
 *
 * Every value on a path from `to` to the logits has one cotangent ("grad"), in the layout in which
 * the forward pass made the value.  A unit takes the cotangent of its output and gives one to each
 * of its operands; what a value is given more than once is added up. */
#include "plan.h"

#include <string.h>

#include "ops/params.h"

/* ---- who is concerned
 * -------------------------------------------------------------------------------- */

static bool unit_reads_active(kx_planner *p, const kx_unit *u)
{
    if (u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT) {
        for (int32_t i = 0; i < u->node->nin; i++)
            if (u->node->in[i] && kx_place_of(p, u->node->in[i])->active)
                return true;
        return false;
    }
    return kx_place_of(p, u->x)->active || (u->y && kx_place_of(p, u->y)->active);
}

kldve_status kx_mark_active(kx_planner *p, const kx_value *to)
{
    for (int32_t i = 0; i < p->g->nvalue; i++)
        p->place[i].active = false;
    kx_place_of(p, to)->active = true;
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        kx_unit *u = &p->plan->unit[i];

        u->active = unit_reads_active(p, u);
        if (!u->active)
            continue;
        if (u->kind != KX_UNIT_NODE) {
            kx_place_of(p, u->out)->active = u->out->dtype == KX_F32;
            continue;
        }
        u->active = false; /* a comparison reads what is active, but passes nothing back */
        for (int32_t k = 0; k < u->node->nout; k++)
            if (u->node->out[k] && u->node->out[k]->dtype == KX_F32) {
                u->active = true;
                if (!u->node->op->vjp)
                    return kx_refuse(p->g, u->node,
                                     "the operator has no derivative, but lies between '%.60s' "
                                     "and the logits",
                                     to->name);
                kx_place_of(p, u->node->out[k])->active = true;
            }
    }
    if (!kx_place_of(p, p->options.logits)->active)
        return kldve_ctx_failf(p->ctx, KLDVE_E_ARG, "the logits '%.60s' do not depend on '%.60s'",
                               p->options.logits->name, to->name);
    return KLDVE_OK;
}

/* ---- cotangents
 * ---------------------------------------------------------------------------------------- */

kx_grad kx_grad_of(kx_planner *p, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);

    return (kx_grad){at->grad, at->copy[0].layout, at->grad_shared};
}

kldve_status kx_grad_in(kx_planner *p, const kx_unit *u, const kx_value *v, const kx_layout *layout,
                        kx_grad *g)
{
    kldve_status st;

    if (!layout && !(layout = kx_layout_plain(p->plan->accel, &v->shape)))
        return kx_plan_nomem(p);
    if (!kx_layout_equal(layout, g->layout)) {
        if ((st = kx_reorder(p, u, g->buffer, g->layout, layout, &g->buffer)) < 0)
            return st;
        g->layout = layout;
        g->shared = false;
    }
    return KLDVE_OK;
}

kldve_status kx_give(kx_planner *p, const kx_unit *u, const kx_value *v, kx_grad g)
{
    kx_place *at = kx_place_of(p, v);
    kx_step *s;
    kldve_status st;

    if (!at->active)
        return KLDVE_OK;
    if ((st = kx_grad_in(p, u, v, at->copy[0].layout, &g)) < 0)
        return st;
    if (at->grad < 0) {
        at->grad = g.buffer;
        at->grad_shared = g.shared;
        return KLDVE_OK;
    }
    if ((st = kx_step_new(p, KX_STEP_ADD, u, &s)) < 0)
        return st;
    s->buf[KX_SRC] = at->grad;
    s->buf[KX_SRC1] = g.buffer;
    s->buf[KX_DST] = at->grad;
    s->count = kx_layout_bytes(g.layout) / sizeof(float);
    if (at->grad_shared && (st = kx_buffer_new(p, kx_layout_bytes(g.layout), &s->buf[KX_DST])) < 0)
        return st;
    at->grad = s->buf[KX_DST];
    at->grad_shared = false;
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* dy -> dx through an activation, in place where the buffer is nobody else's.  `seen` is the
 * buffer of y, or of x for the activations that need it, in g's layout. */
static kldve_status through_act(kx_planner *p, const kx_unit *u, int32_t seen, kx_grad *g)
{
    kx_step *s;
    kldve_status st;

    if (u->act.kind == KX_ACT_NONE)
        return KLDVE_OK;
    if ((st = kx_step_new(p, KX_STEP_ACT_VJP, u, &s)) < 0)
        return st;
    s->act = u->act;
    s->buf[KX_SRC] = seen;
    s->buf[KX_DIFF_DST] = g->buffer;
    s->buf[KX_DIFF_SRC] = g->buffer;
    s->count = kx_layout_bytes(g->layout) / sizeof(float);
    if (g->shared && (st = kx_buffer_new(p, kx_layout_bytes(g->layout), &s->buf[KX_DIFF_SRC])) < 0)
        return st;
    g->buffer = s->buf[KX_DIFF_SRC];
    g->shared = false;
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* ---- by kind of unit
 * --------------------------------------------------------------------------------------- */

static void unbound(int32_t bind[KX_SLOTS])
{
    for (int i = 0; i < KX_SLOTS; i++)
        bind[i] = -1;
}

static kldve_status backward_conv(kx_planner *p, kx_unit *u, kx_grad g)
{
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    if (kx_place_of(p, u->x)->active) {
        kx_grad d = g;

        unbound(bind);
        if ((st = kx_accel_conv_vjp(p->plan->accel, &u->conv, &prim)) < 0 ||
            (st = kx_grad_in(p, u, u->out, kx_prim_layout(prim, KX_DIFF_DST), &d)) < 0 ||
            (st = kx_pack(p, u, kx_whole(), kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) <
                0)
            return st;
        bind[KX_DIFF_DST] = d.buffer;
        if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0 ||
            (st = kx_give(
                 p, u, u->x,
                 (kx_grad){s->buf[KX_DIFF_SRC], kx_prim_layout(prim, KX_DIFF_SRC), false})) < 0)
            return st;
    }
    return u->y ? kx_give(p, u, u->y, g) : KLDVE_OK;
}

/* g times an array that broadcasts over it. */
static kldve_status times(kx_planner *p, const kx_unit *u, kx_grad g, int32_t factor,
                          const kx_layout *layout, kx_grad *out)
{
    static const kx_act none = {KX_ACT_NONE, 0, 0};
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    unbound(bind);
    if ((st = kx_accel_binary(p->plan->accel, KX_BINARY_MUL, g.layout, layout, NULL, none, &prim)) <
        0)
        return st;
    bind[KX_SRC] = g.buffer;
    bind[KX_SRC1] = factor;
    if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    *out = (kx_grad){s->buf[KX_DST], kx_prim_layout(prim, KX_DST), false};
    return KLDVE_OK;
}

static kldve_status backward_affine(kx_planner *p, kx_unit *u, kx_grad g)
{
    const kx_layout *channels = kx_channel_layout(p, u->x);
    int32_t scale;
    kx_grad d;
    kldve_status st;

    if (!channels)
        return kx_plan_nomem(p);
    if ((st = kx_buffer_fixed(p, u->scale, &scale)) < 0 ||
        (st = times(p, u, g, scale, channels, &d)) < 0)
        return st;
    return kx_give(p, u, u->x, d);
}

kldve_status kx_window_vjp(kx_planner *p, kx_unit *u, kx_grad g, kx_grad *out)
{
    const kx_layout *dst = kx_prim_layout(u->forward, KX_DST);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    unbound(bind);
    if (u->out->shape.rank != 4) { /* [N][C] is [N][C][1][1] */
        const kx_shape full = {4, {u->pool.batch, u->pool.channels, 1, 1}};

        if ((st = kx_grad_in(p, u, u->out, NULL, &g)) < 0)
            return st;
        if (!(g.layout = kx_layout_plain(p->plan->accel, &full)))
            return kx_plan_nomem(p);
    }
    if ((st = kx_grad_in(p, u, u->out, dst, &g)) < 0)
        return st;
    if (u->kind == KX_UNIT_POOL)
        st = kx_accel_pool_vjp(p->plan->accel, &u->pool, u->forward, &prim);
    else
        st = kx_accel_lrn_vjp(p->plan->accel, &u->lrn, u->forward, &prim);
    if (st < 0)
        return st;
    bind[KX_DIFF_DST] = g.buffer;
    bind[KX_WORKSPACE] = u->workspace;
    if (u->kind == KX_UNIT_LRN &&
        (st = kx_value_in(p, u, u->x, kx_prim_layout(u->forward, KX_SRC), &bind[KX_SRC])) < 0)
        return st;
    if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    *out = (kx_grad){s->buf[KX_DIFF_SRC], kx_prim_layout(prim, KX_DIFF_SRC), false};
    if (u->kind == KX_UNIT_LRN) { /* in and out have one layout, that of x */
        s->response = true;
        s->count = kx_layout_bytes(out->layout) / sizeof(float);
    }
    return KLDVE_OK;
}

static kldve_status backward_binary(kx_planner *p, kx_unit *u, kx_grad g)
{
    kx_value *operand[2] = {u->x, u->y};
    bool active[2] = {kx_place_of(p, u->x)->active, kx_place_of(p, u->y)->active};
    bool same = u->x->count == u->y->count;
    kx_grad d;
    kldve_status st;

    if (u->binary == KX_BINARY_ADD && same) {
        g.shared = g.shared || (active[0] && active[1]);
        return (st = kx_give(p, u, u->x, g)) < 0 ? st : kx_give(p, u, u->y, g);
    }
    for (int i = 0; i < 2; i++) {
        const kx_value *other = operand[1 - i];

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
            int32_t which = u->x == u->y ? i : u->node->in[0] == operand[i] ? 0 : 1;

            if ((st = kx_grad_in(p, u, u->out, NULL, &plain)) < 0 ||
                (st = kx_node_vjp(p, u, &plain.buffer, which, &d)) < 0)
                return st;
        }
        if ((st = kx_give(p, u, operand[i], d)) < 0)
            return st;
    }
    return KLDVE_OK;
}

kldve_status kx_concat_vjp(kx_planner *p, kx_unit *u, kx_grad g)
{
    int64_t from = 0;
    kldve_status st;

    for (int32_t i = 0; i < u->node->nin; i++) {
        const kx_value *v = u->node->in[i];
        const kx_layout *slice, *like = kx_place_of(p, v)->copy[0].layout;
        int64_t n = v->shape.dim[u->axis];
        kx_grad part = {-1, like, false};

        if (kx_place_of(p, v)->active) {
            if ((st = kx_layout_slice(p->plan->accel, g.layout, u->axis, from, n, &slice)) < 0)
                return kx_plan_nomem(p);
            if (!slice) { /* from here on plain, which can be cut anywhere */
                if ((st = kx_grad_in(p, u, u->out, NULL, &g)) < 0)
                    return st;
                if ((st = kx_layout_slice(p->plan->accel, g.layout, u->axis, from, n, &slice)) < 0)
                    return kx_plan_nomem(p);
            }
            if (!slice)
                return kx_refuse(p->g, u->node, "its cotangent cannot be cut at %lld",
                                 (long long)from);
            if ((st = kx_reorder(p, u, g.buffer, slice, like, &part.buffer)) < 0 ||
                (st = kx_give(p, u, v, part)) < 0)
                return st;
        }
        from += n;
    }
    return KLDVE_OK;
}

kldve_status kx_view_vjp(kx_planner *p, kx_unit *u, kx_grad g)
{
    kldve_status st = kx_grad_in(p, u, u->out, NULL, &g);

    if (st < 0)
        return st;
    if (!(g.layout = kx_layout_plain(p->plan->accel, &u->x->shape)))
        return kx_plan_nomem(p);
    return kx_give(p, u, u->x, g);
}

static kldve_status backward_dense(kx_planner *p, kx_unit *u, kx_grad g)
{
    const struct kx_dense *d = &u->dense;
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &u->x->shape);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if (d->m > KX_DENSE_ROWS) {
        const kx_dense back = {d->m, d->n, d->k, !d->transposed, d->weights, NULL};
        static const kx_act none = {KX_ACT_NONE, 0, 0};

        unbound(bind);
        if ((st = kx_accel_matmul(p->plan->accel, &back, none, &prim)) < 0 ||
            (st = kx_buffer_fixed(p, d->weights, &bind[KX_WEIGHTS])) < 0)
            return st;
        bind[KX_SRC] = g.buffer;
        if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0)
            return st;
        return kx_give(p, u, u->x, (kx_grad){s->buf[KX_DST], layout, false});
    }
    if ((st = kx_step_new(p, KX_STEP_DENSE_VJP, u, &s)) < 0)
        return st;
    s->buf[KX_DIFF_DST] = g.buffer;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s->buf[KX_DIFF_SRC])) < 0)
        return st;
    kx_step_done(p, s);
    return kx_give(p, u, u->x, (kx_grad){s->buf[KX_DIFF_SRC], layout, false});
}

kldve_status kx_node_vjp(kx_planner *p, kx_unit *u, const int32_t *dout, int32_t which,
                         kx_grad *out)
{
    const kx_node *n = u->node;
    const kx_value *v = n->in[which];
    size_t slots = (size_t)n->nin + 2 * (size_t)n->nout;
    size_t scratch = n->op->scratch_size ? n->op->scratch_size(n) : 0;
    int32_t *list = kx_new(p->g, slots, sizeof *list);
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &v->shape);
    kx_step *s;
    kldve_status st;

    if (!list || !layout)
        return kx_plan_nomem(p);
    for (size_t i = 0; i < slots; i++)
        list[i] = -1;
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && (n->op->vjp_needs & KX_NEEDS_IN(i)) &&
            (st = kx_value_in(p, u, n->in[i], NULL, &list[i])) < 0)
            return st;
    for (int32_t i = 0; i < n->nout; i++) {
        if (n->out[i] && (n->op->vjp_needs & KX_NEEDS_OUT) &&
            kx_place_of(p, n->out[i])->ncopy > 0 &&
            (st = kx_value_in(p, u, n->out[i], NULL, &list[n->nin + i])) < 0)
            return st;
        list[n->nin + n->nout + i] = dout[i];
    }
    if ((st = kx_step_new(p, KX_STEP_ZERO, u, &s)) < 0)
        return st;
    s->count = v->count * sizeof(float);
    if ((st = kx_buffer_new(p, s->count, &s->buf[KX_DST])) < 0)
        return st;
    *out = (kx_grad){s->buf[KX_DST], layout, false};
    kx_step_done(p, s);
    if ((st = kx_step_new(p, KX_STEP_NODE_VJP, u, &s)) < 0)
        return st;
    s->list = list;
    s->which = which;
    s->buf[KX_DIFF_SRC] = out->buffer;
    if (n->op->traits.response) {
        s->response = true;
        s->count = v->count;
        s->buf[KX_DIFF_DST] = dout[0];
    }
    if (scratch && (st = kx_buffer_new(p, scratch, &s->buf[KX_SCRATCH])) < 0)
        return st;
    kx_step_done(p, s);
    return KLDVE_OK;
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
    const kx_node *n = u->node;
    int32_t dout[KX_MAX_OUT];
    kldve_status st;

    if (p->options.biases && has_hidden_bias(n))
        return kx_refuse(p->g, n, "the gradient at its bias is not to be had");

    for (int32_t i = 0; i < n->nout; i++) {
        dout[i] = -1;
        if (n->out[i] && kx_place_of(p, n->out[i])->grad >= 0) {
            kx_grad g = kx_grad_of(p, n->out[i]);

            if ((st = kx_grad_in(p, u, n->out[i], NULL, &g)) < 0)
                return st;
            dout[i] = g.buffer;
        }
    }
    for (int32_t i = 0; i < n->nin; i++) {
        kx_grad d;

        if (!n->in[i] || n->in[i]->raw || !kx_place_of(p, n->in[i])->active)
            continue;
        if ((st = kx_node_vjp(p, u, dout, i, &d)) < 0 || (st = kx_give(p, u, n->in[i], d)) < 0)
            return st;
    }
    return KLDVE_OK;
}

/* ---- gradients at biases
 * ------------------------------------------------------------------------------ */

/* A constant for each map, or one for all, as an array of them. */
static kldve_status fill_bias(kx_planner *p, const kx_unit *u, int32_t *out)
{
    size_t maps = (size_t)u->out->shape.dim[1];
    float *bias = kx_new(p->g, maps, sizeof *bias);

    if (!bias)
        return kx_plan_nomem(p);
    for (size_t c = 0; c < maps; c++)
        bias[c] = u->act.b;
    return kx_buffer_fixed(p, bias, out);
}

/* Which constant a unit adds; *out -1: none. */
static kldve_status bias_of(kx_planner *p, const kx_unit *u, int32_t *out)
{
    const kx_shape *s = &u->out->shape;
    bool conv = u->kind == KX_UNIT_CONV && (kx_has(u->node, 2) || u->shift);
    bool number = u->kind == KX_UNIT_ACT && u->act.kind == KX_ACT_LINEAR && u->act.b != 0;

    *out = -1;
    if (u->kind == KX_UNIT_DENSE)
        return u->dense.bias ? kx_buffer_fixed(p, u->dense.bias, out) : KLDVE_OK;
    if (!conv && !number && u->kind != KX_UNIT_AFFINE)
        return KLDVE_OK;
    if (s->rank < 2 || s->dim[0] != 1)
        return kx_refuse(p->g, u->node, "the gradient at its bias is not [maps][height][width]");
    return conv     ? kx_pack_bias(p, u, kx_whole(), out)
           : number ? fill_bias(p, u, out)
                    : kx_buffer_fixed(p, u->shift, out);
}

/* Hand out the gradient at what a unit adds to its operands, before the activation. */
static kldve_status visit_bias(kx_planner *p, const kx_unit *u, kx_grad g)
{
    kx_step *s;
    int32_t bias;
    kldve_status st = bias_of(p, u, &bias);

    if (st < 0 || bias < 0)
        return st;
    if ((st = kx_grad_in(p, u, u->out, NULL, &g)) < 0 ||
        (st = kx_step_new(p, KX_STEP_VISIT, u, &s)) < 0)
        return st;
    s->buf[KX_SRC] = g.buffer;
    s->buf[KX_BIAS] = bias;
    if (u->kind == KX_UNIT_DENSE && u->dense.m > 1 &&
        (st = kx_buffer_new(p, u->out->count * sizeof(float), &s->buf[KX_DST])) < 0)
        return st;
    kx_step_done(p, s);
    return KLDVE_OK;
}

static bool needs_x(kx_act act)
{
    return act.kind == KX_ACT_SWISH || act.kind == KX_ACT_HARDSWISH;
}

static kldve_status backward_unit(kx_planner *p, kx_unit *u)
{
    const kx_place *out;
    int32_t seen;
    kx_grad g;
    kldve_status st;

    if (u->kind == KX_UNIT_NODE)
        return backward_node(p, u);
    out = kx_place_of(p, u->out);
    if (out->grad < 0)
        return KLDVE_OK;
    g = kx_grad_of(p, u->out);
    seen = out->copy[0].buffer;
    if (u->kind == KX_UNIT_ACT && needs_x(u->act) &&
        (st = kx_value_in(p, u, u->x, g.layout, &seen)) < 0)
        return st;
    if ((st = u->kind == KX_UNIT_ACT && p->options.biases ? visit_bias(p, u, g) : KLDVE_OK) < 0 ||
        (st = through_act(p, u, seen, &g)) < 0 ||
        (st = u->kind != KX_UNIT_ACT && p->options.biases ? visit_bias(p, u, g) : KLDVE_OK) < 0)
        return st;
    switch (u->kind) {
    case KX_UNIT_CONV:
        return backward_conv(p, u, g);
    case KX_UNIT_AFFINE:
        return backward_affine(p, u, g);
    case KX_UNIT_POOL:
    case KX_UNIT_LRN:
        return (st = kx_window_vjp(p, u, g, &g)) < 0 ? st : kx_give(p, u, u->x, g);
    case KX_UNIT_ACT:
        return kx_give(p, u, u->x, g);
    case KX_UNIT_BINARY:
        return backward_binary(p, u, g);
    case KX_UNIT_CONCAT:
        return kx_concat_vjp(p, u, g);
    case KX_UNIT_DENSE:
        return backward_dense(p, u, g);
    case KX_UNIT_VIEW:
        return kx_view_vjp(p, u, g);
    case KX_UNIT_NODE:
        break;
    }
    return KLDVE_OK;
}

/* Forget what an earlier backward pass left: copies of forward values that only it makes, grads. */
static void forget(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++) {
        kx_place *at = &p->place[i];
        int n = 0;

        for (int k = 0; k < at->ncopy; k++) {
            const kx_buffer *b = &p->plan->buffer[at->copy[k].buffer];

            if (b->fixed || b->first < p->plan->forward)
                at->copy[n++] = at->copy[k];
        }
        at->ncopy = n;
        at->grad = -1;
        at->grad_shared = false;
    }
}

kldve_status kx_plan_backward(kx_planner *p, kx_value *to, kx_port *from, kx_port *port)
{
    kx_plan *plan = p->plan;
    const kx_value *logits = p->options.logits;
    const kx_layout *plain = kx_layout_plain(plan->accel, &logits->shape);
    bool lrp = kx_rule_is_lrp(p->options.rule);
    kldve_status st = kx_mark_active(p, to);
    kx_grad g;

    if (st < 0)
        return st;
    if (!plain)
        return kx_plan_nomem(p);
    forget(p);
    if (lrp)
        kx_lrp_mark(p);
    from->count = logits->count;
    if ((st = kx_buffer_new(p, logits->count * sizeof(float), &from->buffer)) < 0 ||
        (st = kx_give(p, NULL, logits, (kx_grad){from->buffer, plain, false})) < 0)
        return st;
    for (int32_t i = plan->nunit - 1; i >= 0; i--)
        if (plan->unit[i].active &&
            (st = lrp ? kx_lrp_unit(p, &plan->unit[i]) : backward_unit(p, &plan->unit[i])) < 0)
            return st == KLDVE_E_UNSUPPORTED && !*kldve_ctx_message(p->ctx)
                       ? kx_refuse(p->g, plan->unit[i].node, "oneDNN has no backward pass for it")
                       : st;
    g = kx_grad_of(p, to);
    if (g.buffer < 0) {
        return kldve_ctx_failf(p->ctx, KLDVE_E_ARG, "the logits '%.60s' do not depend on '%.60s'",
                               logits->name, to->name);
    }
    if ((st = kx_grad_in(p, NULL, to, NULL, &g)) < 0)
        return st;
    port->buffer = g.buffer;
    port->count = to->count;
    plan->buffer[g.buffer].last = plan->nstep;
    return KLDVE_OK;
}

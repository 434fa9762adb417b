/* flow.c - see flow.h. */
#include "flow.h"

#include <string.h>

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
    kx_add_step s;
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
    s = (kx_add_step){kx_layout_bytes(g.layout) / sizeof(float), at->grad, g.buffer, at->grad};
    if (at->grad_shared && (st = kx_buffer_new(p, kx_layout_bytes(g.layout), &s.to)) < 0)
        return st;
    at->grad = s.to;
    at->grad_shared = false;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_ADD, .as.add = s});
}

kldve_status kx_window_vjp(kx_planner *p, kx_unit *u, kx_grad g, kx_grad *out)
{
    const kx_layout *dst = kx_prim_layout(u->forward, KX_DST);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    kx_unbound(bind);
    if (u->out[0]->shape.rank != 4) { /* [N][C] is [N][C][1][1] */
        const kx_shape full = {4, {u->pool.batch, u->pool.channels, 1, 1}};

        if ((st = kx_grad_in(p, u, u->out[0], NULL, &g)) < 0)
            return st;
        if (!(g.layout = kx_layout_plain(p->plan->accel, &full)))
            return kx_plan_nomem(p);
    }
    if ((st = kx_grad_in(p, u, u->out[0], dst, &g)) < 0)
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
        (st = kx_value_in(p, u, u->in[0], kx_prim_layout(u->forward, KX_SRC), &bind[KX_SRC])) < 0)
        return st;
    if ((st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    *out = (kx_grad){bind[KX_DIFF_SRC], kx_prim_layout(prim, KX_DIFF_SRC), false};
    if (u->kind == KX_UNIT_LRN) { /* in and out have one layout, that of x */
        kx_step *last = &p->plan->step[p->plan->nstep - 1];

        last->passed.count = kx_layout_bytes(out->layout) / sizeof(float);
        last->passed.from = bind[KX_DIFF_DST];
        last->passed.to = bind[KX_DIFF_SRC];
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
                if ((st = kx_grad_in(p, u, u->out[0], NULL, &g)) < 0)
                    return st;
                if ((st = kx_layout_slice(p->plan->accel, g.layout, u->axis, from, n, &slice)) < 0)
                    return kx_plan_nomem(p);
            }
            if (!slice)
                return kx_refuse_in(p->ctx, u->node,
                                    "its cotangent cannot be split at channel %lld",
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
    kldve_status st = kx_grad_in(p, u, u->out[0], NULL, &g);

    if (st < 0)
        return st;
    if (!(g.layout = kx_layout_plain(p->plan->accel, &u->in[0]->shape)))
        return kx_plan_nomem(p);
    return kx_give(p, u, u->in[0], g);
}

kldve_status kx_node_vjp(kx_planner *p, kx_unit *u, const int32_t *dout, int32_t which,
                         kx_grad *out)
{
    const kx_node *n = u->node;
    const kx_value *v = n->in[which];
    size_t slots = (size_t)n->nin + 2 * (size_t)n->nout;
    size_t scratch = n->op->scratch_size ? n->op->scratch_size(n) : 0;
    int32_t *list = kx_plan_alloc(p, slots, sizeof *list);
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &v->shape);
    kx_step s = {.kind = KX_STEP_NODE_VJP};
    kx_zero_step zero;
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
    zero.bytes = v->count * sizeof(float);
    if ((st = kx_buffer_new(p, zero.bytes, &zero.to)) < 0 ||
        (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_ZERO, .as.zero = zero})) < 0)
        return st;
    *out = (kx_grad){zero.to, layout, false};
    s.as.node_kernel = (kx_node_step){list, -1, which, zero.to};
    if (n->op->traits.response) {
        s.passed.count = v->count;
        s.passed.from = dout[0];
        s.passed.to = zero.to;
    }
    if (scratch && (st = kx_buffer_new(p, scratch, &s.as.node_kernel.scratch)) < 0)
        return st;
    return kx_step_add(p, u, s);
}

kldve_status kx_give_operands(kx_planner *p, kx_unit *u)
{
    const kx_node *n = u->node;
    int32_t dout[KX_MAX_OUT];
    kldve_status st;

    for (int32_t i = 0; i < n->nout; i++) {
        kx_grad g;

        dout[i] = -1;
        if (!n->out[i] || kx_place_of(p, n->out[i])->grad < 0)
            continue;
        g = kx_grad_of(p, n->out[i]);
        if ((st = kx_grad_in(p, u, n->out[i], NULL, &g)) < 0)
            return st;
        dout[i] = g.buffer;
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

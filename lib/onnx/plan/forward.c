/* forward.c - see forward.h. */
#include "forward.h"

#include "byte_steps.h"
#include "join.h"
#include "matrices.h"
#include "residual.h"

/* ---- the input, and what is handed out ---- */

static kldve_status forward_given(kx_planner *p, const kx_value *v, kx_given *given)
{
    bool whole = v->dtype == KX_I64;
    const kx_layout *plain = whole ? NULL : kx_layout_plain(p->plan->accel, &v->shape);
    kldve_status st;

    if (!whole && !plain)
        return kx_plan_nomem(p);
    *given = (kx_given){-1, v->count, whole};
    if ((st = kx_buffer_new(p, v->count * kx_dtype_size(v->dtype), &given->buffer)) < 0)
        return st;
    p->plan->given_count += v->count;
    kx_remember(kx_place_of(p, v), plain, given->buffer);
    return KLDVE_OK;
}

kldve_status kx_forward_given(kx_planner *p)
{
    bool head = p->options.ngiven > 0;
    int32_t count = head ? p->options.ngiven : 1;
    kldve_status st;

    if (!(p->plan->given = kx_plan_alloc(p, (size_t)count, sizeof *p->plan->given)))
        return kx_plan_nomem(p);
    for (; p->plan->ngiven < count; p->plan->ngiven++)
        if ((st = forward_given(p, head ? p->options.given[p->plan->ngiven] : p->options.input,
                                &p->plan->given[p->plan->ngiven])) < 0)
            return st;
    return KLDVE_OK;
}

kldve_status kx_forward_output(kx_planner *p, const kx_value *v, kx_port *port)
{
    kldve_status st = kx_value_in(p, NULL, v, NULL, &port->buffer);

    port->count = v->count;
    kx_touch(p, port->buffer);
    return st;
}

/* ---- forward steps, by kind of unit ---- */

static kldve_status forward_affine(kx_planner *p, kx_unit *u)
{
    const struct kx_copy *x = kx_primary(p, u->in[0]);
    const kx_layout *channels = kx_channel_layout(p, u->in[0]);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    if (!channels)
        return kx_plan_nomem(p);
    if ((st = kx_accel_binary(p->plan->accel, KX_BINARY_MUL, x->layout, channels, channels, u->act,
                              &prim)) < 0)
        return st;
    kx_unbound(bind);
    bind[KX_SRC] = x->buffer;
    if ((st = kx_buffer_fixed(p, u->scale, &bind[KX_SRC1])) < 0 ||
        (st = kx_buffer_fixed(p, u->shift, &bind[KX_ADDEND])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), kx_prim_layout(prim, KX_DST), bind[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_window(kx_planner *p, kx_unit *u)
{
    const struct kx_copy *x = kx_primary(p, u->in[0]);
    int32_t bind[KX_SLOTS], buffer;
    const kx_layout *layout;
    kx_prim *prim;
    kldve_status st;

    if (u->kind == KX_UNIT_POOL)
        st = kx_accel_pool(p->plan->accel, &u->pool, x->layout,
                           u->active && u->pool.kind == KX_POOL_MAX, &prim);
    else
        st = kx_accel_lrn(p->plan->accel, &u->lrn, x->layout, u->active, &prim);
    if (st < 0)
        return st;
    kx_unbound(bind);
    bind[KX_SRC] = x->buffer;
    if ((st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    u->forward = prim;
    u->workspace = bind[KX_WORKSPACE];
    layout = kx_prim_layout(prim, KX_DST);
    buffer = bind[KX_DST];
    if (u->out[0]->shape.rank != 4) { /* ReduceMean without keepdims: [N][C][1][1] -> [N][C] */
        const kx_shape full = {4, {u->pool.batch, u->pool.channels, 1, 1}};
        const kx_layout *plain = kx_layout_plain(p->plan->accel, &full);

        if (!plain)
            return kx_plan_nomem(p);
        if (!kx_layout_equal(plain, layout) &&
            (st = kx_reorder(p, u, buffer, layout, plain, &buffer)) < 0)
            return st;
        if (!(layout = kx_layout_plain(p->plan->accel, &u->out[0]->shape)))
            return kx_plan_nomem(p);
    }
    kx_remember(kx_place_of(p, u->out[0]), layout, buffer);
    return KLDVE_OK;
}

/* By our own kernel, which knows all of them.  It fills the padding of blocked layouts, too, which
 * has to stay 0: plain then. */
static kldve_status forward_own_act(kx_planner *p, kx_unit *u)
{
    struct kx_copy x = *kx_primary(p, u->in[0]);
    kx_act_step s = {u->act, u->in[0]->count, -1, -1, -1};
    kldve_status st;

    if (kx_layout_bytes(x.layout) != s.count * sizeof(float)) {
        if (!(x.layout = kx_layout_plain(p->plan->accel, &u->in[0]->shape)))
            return kx_plan_nomem(p);
        if ((st = kx_value_in(p, u, u->in[0], x.layout, &x.buffer)) < 0)
            return st;
    }
    s.from = x.buffer;
    if ((st = kx_buffer_new(p, kx_layout_bytes(x.layout), &s.to)) < 0 ||
        (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_ACT, .as.act = s})) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), x.layout, s.to);
    return KLDVE_OK;
}

static kldve_status forward_act(kx_planner *p, kx_unit *u)
{
    const struct kx_copy *x = kx_primary(p, u->in[0]);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st = kx_accel_act(p->plan->accel, u->act, x->layout, &prim);

    if (st == KLDVE_E_UNSUPPORTED)
        return forward_own_act(p, u);
    if (st < 0)
        return st;
    kx_unbound(bind);
    bind[KX_SRC] = x->buffer;
    if ((st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), x->layout, bind[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_concat(kx_planner *p, kx_unit *u)
{
    const kx_layout *layout[KX_MAX_IN] = {NULL};
    int32_t bind[KX_SLOTS];
    bool done;
    kx_prim *prim;
    kldve_status st;

    kx_unbound(bind);
    for (int32_t i = 0; i < u->node->nin; i++) {
        layout[i] = kx_primary(p, u->node->in[i])->layout;
        bind[KX_MULTI + i] = kx_primary(p, u->node->in[i])->buffer;
    }
    if ((st = kx_join_parts(p, u, layout, bind + KX_MULTI, &done)) < 0 || done)
        return st;
    if ((st = kx_accel_concat(p->plan->accel, u->node->nin, layout, u->axis, &prim)) < 0 ||
        (st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), kx_prim_layout(prim, KX_DST), bind[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_dense(kx_planner *p, kx_unit *u)
{
    const kx_dense *d = &u->dense;
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &u->out[0]->shape);
    int32_t bind[KX_SLOTS];
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    kx_unbound(bind);
    if ((st = kx_value_in(p, u, u->in[0], NULL, &bind[KX_SRC])) < 0)
        return st;
    if (d->m > KX_DENSE_ROWS) {
        if ((st = kx_dense_prim(p, u, d, false, bind)) < 0)
            return st;
    } else {
        kx_dense_step s = {*d, u->act, kx_whole(), bind[KX_SRC], -1, -1};

        if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0 ||
            (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_DENSE, .as.dense = s})) < 0)
            return st;
        bind[KX_DST] = s.to;
    }
    kx_remember(kx_place_of(p, u->out[0]), layout, bind[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_view(kx_planner *p, kx_unit *u)
{
    const kx_layout *layout = NULL;
    int32_t buffer;
    kldve_status st = kx_value_in(p, u, u->in[0], NULL, &buffer);

    if (st < 0)
        return st;
    if (u->out[0]->dtype == KX_F32 &&
        !(layout = kx_layout_plain(p->plan->accel, &u->out[0]->shape)))
        return kx_plan_nomem(p);
    if (u->out[0] == p->options.layer && /* feature maps from outside go there, and there only */
        (st = kx_reorder(p, u, buffer, layout, layout, &buffer)) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), layout, buffer);
    return KLDVE_OK;
}

static kldve_status forward_rows(kx_planner *p, kx_unit *u)
{
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &u->out[0]->shape);
    kx_rows_step s = {u->rows, -1, -1, -1};
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if ((st = kx_value_in(p, u, u->in[0], NULL, &s.from)) < 0 ||
        (st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0 ||
        (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_ROWS, .as.rows = s})) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), layout, s.to);
    return KLDVE_OK;
}

/* No step at all: the same memory, read in another order. */
static kldve_status forward_permuted(kx_planner *p, kx_unit *u)
{
    const kx_value *v = u->out[0];
    const struct kx_copy *x;
    const kx_layout *layout;
    int32_t buffer;
    kldve_status st;

    if (u->in[0]->raw && (st = kx_value_in(p, u, u->in[0], NULL, &buffer)) < 0)
        return st;
    x = kx_primary(p, u->in[0]);
    buffer = x->buffer;
    if (!(layout = kx_layout_permuted(p->plan->accel, x->layout, u->perm)))
        return kx_plan_nomem(p);
    if (v == p->options.layer) { /* feature maps from outside go there, and there only */
        const kx_layout *plain = kx_layout_plain(p->plan->accel, &v->shape);

        if (!plain)
            return kx_plan_nomem(p);
        if ((st = kx_reorder(p, u, buffer, layout, plain, &buffer)) < 0)
            return st;
        layout = plain;
    }
    kx_remember(kx_place_of(p, v), layout, buffer);
    return KLDVE_OK;
}

static kldve_status forward_node(kx_planner *p, kx_unit *u)
{
    const kx_node *n = u->node;
    size_t scratch = n->op->scratch_size ? n->op->scratch_size(n) : 0;
    size_t slots = (size_t)n->nin + 2 * (size_t)n->nout;
    int32_t *list = kx_plan_alloc(p, slots, sizeof *list);
    kx_node_step s = {list, -1, 0, -1};
    kldve_status st;

    if (!list)
        return kx_plan_nomem(p);
    for (size_t i = 0; i < slots; i++)
        list[i] = -1;
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && (st = kx_value_in(p, u, n->in[i], NULL, &list[i])) < 0)
            return st;
    if (scratch && (st = kx_buffer_new(p, scratch, &s.scratch)) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++) {
        const kx_value *v = n->out[i];
        const kx_layout *layout = NULL;

        if (!v)
            continue;
        if (v->dtype == KX_F32 && !(layout = kx_layout_plain(p->plan->accel, &v->shape)))
            return kx_plan_nomem(p);
        if ((st = kx_buffer_new(p, v->count * kx_dtype_size(v->dtype), &list[n->nin + i])) < 0)
            return st;
        kx_remember(kx_place_of(p, v), layout, list[n->nin + i]);
    }
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_NODE, .as.node_kernel = s});
}

kldve_status kx_forward_unit(kx_planner *p, kx_unit *u)
{
    static kldve_status (*const forward[])(kx_planner *,
                                           kx_unit *) = {[KX_UNIT_NODE] = forward_node,
                                                         [KX_UNIT_VIEW] = forward_view,
                                                         [KX_UNIT_CONV] = kx_conv_forward,
                                                         [KX_UNIT_AFFINE] = forward_affine,
                                                         [KX_UNIT_POOL] = forward_window,
                                                         [KX_UNIT_LRN] = forward_window,
                                                         [KX_UNIT_ACT] = forward_act,
                                                         [KX_UNIT_BINARY] = kx_arith_forward,
                                                         [KX_UNIT_CONCAT] = forward_concat,
                                                         [KX_UNIT_DENSE] = forward_dense,
                                                         [KX_UNIT_PRODUCT] = kx_product_forward,
                                                         [KX_UNIT_PERMUTED] = forward_permuted,
                                                         [KX_UNIT_ROWS] = forward_rows};
    kldve_status st = u->bytes ? kx_byte_forward(p, u) : forward[u->kind](p, u);

    if (u->bytes)
        return st;

    /* Units of one node can always run as that node. */
    if (st == KLDVE_E_UNSUPPORTED &&
        (u->kind == KX_UNIT_POOL || u->kind == KX_UNIT_LRN || u->kind == KX_UNIT_CONCAT ||
         u->kind == KX_UNIT_PRODUCT || (u->kind == KX_UNIT_BINARY && u->act.kind == KX_ACT_NONE))) {
        u->kind = KX_UNIT_NODE;
        st = forward_node(p, u);
    }
    return st == KLDVE_E_UNSUPPORTED ? kx_plan_failed(p, u, st) : st;
}

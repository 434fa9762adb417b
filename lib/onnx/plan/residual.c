/* residual.c - see residual.h. */
#include "residual.h"

#include <string.h>

#include "levels.h"
#include "packed.h"
#include "tiled.h"

static kldve_status conv_alone(kx_planner *p, kx_unit *u, kx_join join, const kx_layout *like,
                               int32_t bind[KX_SLOTS])
{
    kx_prim *prim;
    kldve_status st = kx_accel_conv(p->plan->accel, &u->conv, join, like, &prim);

    if (st < 0)
        return st;
    if ((st = kx_value_in(p, u, u->in[0], kx_prim_layout(prim, KX_SRC), &bind[KX_SRC])) < 0 ||
        (st = kx_pack(p, u, kx_whole(), kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0 ||
        (st = kx_pack_bias(p, u, kx_whole(), &bind[KX_BIAS])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), kx_prim_layout(prim, KX_DST), bind[KX_DST]);
    return KLDVE_OK;
}

static bool unit_reads(const kx_unit *u, const kx_value *v)
{
    for (int32_t i = 0; i < u->nin; i++)
        if (u->in[i] == v)
            return true;
    return false;
}

static bool shares_memory(const kx_unit *u)
{
    return u->kind == KX_UNIT_VIEW || u->kind == KX_UNIT_PERMUTED;
}

/* May the convolution add into the residual's own memory?  Only if nobody reads the residual later,
 * in a VJP and in the steps from the layer on when they run again neither, and its buffer is
 * nobody else's (a view, a constant). */
static bool may_overwrite(kx_planner *p, const kx_unit *u, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);
    const kx_unit *maker = at->producer >= 0 ? &p->unit[at->producer] : NULL;

    if (!maker || shares_memory(maker) || maker->kind == KX_UNIT_NODE || at->keep || at->active ||
        at->last_use > u->order || at->ncopy == 0 || at->after != u->after ||
        u->in[0] == v) /* it is read while the sum is written */
        return false;
    for (int32_t i = 0; i < p->nunit; i++) {
        const kx_unit *reader = &p->unit[i];

        if (reader != u && unit_reads(reader, v) &&
            (shares_memory(reader) || reader->active || reader->after != u->after))
            return false;
    }
    return true;
}

/* u's output = act(x op u's y) in the layout of x, or plainly where oneDNN cannot do that. */
static kldve_status combine(kx_planner *p, kx_unit *u, const kx_value *v, kx_arith kind)
{
    struct kx_copy x = *kx_primary(p, v);
    bool same = memcmp(v->shape.dim, u->in[1]->shape.dim,
                       (size_t)v->shape.rank * sizeof v->shape.dim[0]) == 0;
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &v->shape);
    const kx_layout *second = same ? x.layout : kx_layout_plain(p->plan->accel, &u->in[1]->shape);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    if (!plain || !second)
        return kx_plan_nomem(p);
    st = kx_accel_binary(p->plan->accel, kind, x.layout, second, NULL, u->act, &prim);
    if (st == KLDVE_E_UNSUPPORTED && same && !kx_layout_equal(x.layout, plain)) {
        if ((st = kx_value_in(p, u, v, plain, &x.buffer)) < 0)
            return st;
        second = plain;
        st = kx_accel_binary(p->plan->accel, kind, plain, plain, NULL, u->act, &prim);
    }
    if (st < 0)
        return st;
    kx_unbound(bind);
    bind[KX_SRC] = x.buffer;
    if ((st = kx_value_in(p, u, u->in[1], second, &bind[KX_SRC1])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    kx_place_of(p, u->out[0])->ncopy = 0; /* v may be that */
    kx_remember(kx_place_of(p, u->out[0]), kx_prim_layout(prim, KX_DST), bind[KX_DST]);
    return KLDVE_OK;
}

kldve_status kx_conv_forward(kx_planner *p, kx_unit *u)
{
    const kx_layout *like;
    kx_conv_desc whole = u->conv;
    kx_unit bare;
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    if ((st = kx_forward_levels(p, u)) != KLDVE_E_UNSUPPORTED)
        return st;
    kx_unbound(bind);
    u->conv.act = u->act;
    if (u->nin < 2) {
        st = kx_tiled_forward(p, u);
        return st == KLDVE_E_UNSUPPORTED ? conv_alone(p, u, KX_JOIN_NONE, NULL, bind) : st;
    }
    /* The layout that the convolution would choose decides that of the sum. */
    if ((st = kx_accel_conv(p->plan->accel, &whole, KX_JOIN_NONE, NULL, &prim)) < 0)
        return st;
    like = kx_prim_layout(prim, KX_DST);
    if (may_overwrite(p, u, u->in[1])) {
        if ((st = kx_value_in(p, u, u->in[1], like, &bind[KX_DST])) < 0)
            return st;
        st = p->plan->buffer[bind[KX_DST]].joined
                 ? KLDVE_E_UNSUPPORTED /* it is also part of a concatenation */
                 : conv_alone(p, u, KX_JOIN_SUM, like, bind);
        if (st != KLDVE_E_UNSUPPORTED)
            return st;
        kx_unbound(bind);
    }
    if ((st = kx_value_in(p, u, u->in[1], like, &bind[KX_ADDEND])) < 0)
        return st;
    st = conv_alone(p, u, KX_JOIN_ADDEND, like, bind);
    if (st != KLDVE_E_UNSUPPORTED)
        return st;
    /* oneDNN has no such post-op here: convolution, then sum and activation. */
    bare = *u;
    bare.conv.act = (kx_act){KX_ACT_NONE, 0, 0};
    kx_unbound(bind);
    if ((st = conv_alone(p, &bare, KX_JOIN_NONE, NULL, bind)) < 0)
        return st;
    return combine(p, u, u->out[0], KX_BINARY_ADD);
}

kldve_status kx_arith_forward(kx_planner *p, kx_unit *u)
{
    return combine(p, u, u->in[0], u->binary);
}

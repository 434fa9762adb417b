/* bias.c - see bias.h. */
#include "bias.h"

#include "packed.h"

/* A constant for each map, or one for all, as an array of them. */
static kldve_status fill_bias(kx_planner *p, const kx_unit *u, int32_t *out)
{
    size_t maps = (size_t)u->out[0]->shape.dim[1];
    float *bias = kx_plan_alloc(p, maps, sizeof *bias);

    if (!bias)
        return kx_plan_nomem(p);
    for (size_t c = 0; c < maps; c++)
        bias[c] = u->act.b;
    return kx_buffer_fixed(p, bias, out);
}

/* Which constant a unit adds; *out -1: none. */
static kldve_status bias_of(kx_planner *p, const kx_unit *u, int32_t *out)
{
    const kx_shape *s = &u->out[0]->shape;
    bool conv = u->kind == KX_UNIT_CONV && (kx_has(u->node, 2) || u->shift);
    bool number = u->kind == KX_UNIT_ACT && u->act.kind == KX_ACT_LINEAR && u->act.b != 0;

    *out = -1;
    if (u->kind == KX_UNIT_DENSE)
        return u->dense.bias ? kx_buffer_fixed(p, u->dense.bias, out) : KLDVE_OK;
    if (!conv && !number && u->kind != KX_UNIT_AFFINE)
        return KLDVE_OK;
    if (s->rank < 2 || s->dim[0] != 1)
        return kx_refuse_in(p->ctx, u->node, "the gradient at its bias is not [maps][height][width]");
    return conv     ? kx_pack_bias(p, u, kx_whole(), out)
           : number ? fill_bias(p, u, out)
                    : kx_buffer_fixed(p, u->shift, out);
}

/* Hand out the gradient at what a unit adds to its operands, before the activation. */
kldve_status kx_visit_bias(kx_planner *p, const kx_unit *u, kx_grad g)
{
    kx_step *s;
    int32_t bias;
    kldve_status st = bias_of(p, u, &bias);

    if (st < 0 || bias < 0)
        return st;
    if ((st = kx_grad_in(p, u, u->out[0], NULL, &g)) < 0 ||
        (st = kx_step_new(p, KX_STEP_VISIT, u, &s)) < 0)
        return st;
    s->buf[KX_SRC] = g.buffer;
    s->buf[KX_BIAS] = bias;
    if (u->kind == KX_UNIT_DENSE && u->dense.m > 1 &&
        (st = kx_buffer_new(p, u->out[0]->count * sizeof(float), &s->buf[KX_DST])) < 0)
        return st;
    kx_step_done(p, s);
    return KLDVE_OK;
}

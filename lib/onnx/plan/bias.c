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
        return kx_refuse_in(p->ctx, u->node,
                            "the gradient at its bias is not [maps][height][width]");
    return conv     ? kx_pack_bias(p, u, kx_whole(), out)
           : number ? fill_bias(p, u, out)
                    : kx_buffer_fixed(p, u->shift, out);
}

/* A matrix product has its maps last; a convolution of one cell is still one. */
static kx_visit_step visit_of(const kx_unit *u)
{
    const kx_shape *shape = &u->out[0]->shape;
    bool dense = u->kind == KX_UNIT_DENSE && u->node->op->traits.mixing == KX_MIXING_DENSE;
    int32_t maps = (int32_t)(dense ? u->dense.n : shape->dim[1]);
    int32_t frames = (int32_t)(!dense && shape->rank == 5 ? shape->dim[2] : 1);
    int32_t rows = (int32_t)(!dense && shape->rank >= 4 ? shape->dim[shape->rank - 2] : 1);
    int32_t height = frames * rows;

    return (kx_visit_step){.dense = dense,
                           .maps = maps,
                           .frames = frames,
                           .height = height,
                           .width = (int32_t)(u->out[0]->count / (size_t)maps / (size_t)height),
                           .bias = -1,
                           .gradient = -1,
                           .turned = -1};
}

kldve_status kx_visit_bias(kx_planner *p, const kx_unit *u, kx_grad g)
{
    kx_visit_step s = {0};
    int32_t bias;
    kldve_status st = bias_of(p, u, &bias);

    if (st < 0 || bias < 0)
        return st;
    if ((st = kx_grad_in(p, u, u->out[0], NULL, &g)) < 0)
        return st;
    s = visit_of(u);
    s.bias = bias;
    s.gradient = g.buffer;
    if (u->kind == KX_UNIT_DENSE && u->dense.m > 1 &&
        (st = kx_buffer_new(p, u->out[0]->count * sizeof(float), &s.turned)) < 0)
        return st;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_VISIT, .as.visit = s});
}

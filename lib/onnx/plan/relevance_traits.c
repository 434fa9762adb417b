/* relevance_traits.c - see relevance_traits.h. */
#include "relevance_traits.h"

#include <math.h>

static uint8_t traits_of_act(kx_act act, uint8_t x)
{
    switch (act.kind) {
    case KX_ACT_NONE:
        return x;
    case KX_ACT_RELU:
        return KX_NONNEGATIVE;
    case KX_ACT_CLIP:
        return act.a < 0 || !isfinite(act.b) ? act.a < 0 ? 0 : KX_NONNEGATIVE
               : act.b <= 1                  ? KX_NONNEGATIVE | KX_BOUNDED | KX_GATE
                                             : KX_NONNEGATIVE | KX_BOUNDED;
    case KX_ACT_SIGMOID:
    case KX_ACT_HARDSIGMOID:
        return KX_NONNEGATIVE | KX_BOUNDED | KX_GATE;
    case KX_ACT_LINEAR:
        return x & KX_BOUNDED ? KX_BOUNDED | KX_GATE : 0;
    case KX_ACT_ROUND8:
    case KX_ACT_ROUND16:
        return act.b >= 0 ? KX_NONNEGATIVE | KX_BOUNDED : KX_BOUNDED;
    case KX_ACT_LEVEL:
    case KX_ACT_LEAKY:
    case KX_ACT_TANH:
    case KX_ACT_ELU:
    case KX_ACT_SWISH:
    case KX_ACT_HARDSWISH:
    case KX_ACT_GELU:
    case KX_ACT_GELU_TANH:
    case KX_ACT_ERF:
        break;
    case KX_ACT_EXP:
        return KX_NONNEGATIVE;
    case KX_ACT_POW:
        return act.a == 2 ? KX_NONNEGATIVE : x & KX_NONNEGATIVE;
    }
    return 0;
}

static uint8_t traits_of_node(const kx_node *n)
{
    return n->op->traits.unit_interval ? KX_NONNEGATIVE | KX_BOUNDED | KX_GATE : 0;
}

void kx_relevance_mark(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++)
        p->place[i].traits = 0;
    for (int32_t i = 0; i < p->nunit; i++) {
        const kx_unit *u = &p->unit[i];
        uint8_t traits = u->nin > 0 ? kx_place_of(p, u->in[0])->traits : 0;
        uint8_t all = KX_NONNEGATIVE, deep = 0;

        for (int32_t k = 0; k < u->nin; k++) {
            all &= kx_place_of(p, u->in[k])->traits;
            deep |= kx_place_of(p, u->in[k])->traits & KX_DEEP;
        }
        switch (u->kind) {
        case KX_UNIT_CONV:
        case KX_UNIT_DENSE:
        case KX_UNIT_AFFINE:
            if (u->kind != KX_UNIT_AFFINE)
                deep = KX_DEEP;
            traits = deep | traits_of_act(u->act, 0);
            break;
        case KX_UNIT_ACT:
            traits = deep | traits_of_act(u->act, traits);
            break;
        case KX_UNIT_BINARY:
            if (u->binary != KX_BINARY_ADD && u->binary != KX_BINARY_MUL)
                all = 0;
            traits = deep | traits_of_act(u->act, all);
            break;
        case KX_UNIT_CONCAT:
            traits = deep | all;
            break;
        case KX_UNIT_NODE:
            traits = deep | traits_of_node(u->node);
            if (u->node->op->traits.mixing != KX_MIXING_NONE)
                traits |= KX_DEEP;
            break;
        case KX_UNIT_POOL:
        case KX_UNIT_LRN:
        case KX_UNIT_VIEW:
        case KX_UNIT_PRODUCT: /* not made for relevance, like the next two */
        case KX_UNIT_PERMUTED:
        case KX_UNIT_ROWS:
            break;
        }
        for (int32_t k = 0; k < u->nout; k++)
            kx_place_of(p, u->out[k])->traits = traits;
    }
}

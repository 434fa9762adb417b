/* choose_quantised.c - what everyone who sees the maps of a quantised network should know.
 *
 * Rounding has no derivative.  The kernels of quantisers take it for the identity where the value
 * fitted the type, and for a constant where it was clipped (ops/quantise.c). */
#include "choose_parts.h"
#include "read/proto.h"

static bool has_quantiser(const kx_graph *g, const kx_choice *c)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];

        if (n->op->traits.rounds && n->out[0] && c->ways.on[n->out[0]->id])
            return true;
    }
    return false;
}

static bool holds_levels(const kx_value *v)
{
    return v->onnx_type == KX_ONNX_UINT8 || v->onnx_type == KX_ONNX_INT8 ||
           v->onnx_type == KX_ONNX_UINT16 || v->onnx_type == KX_ONNX_INT16;
}

kldve_status kx_choose_quantised(const kx_graph *g, kx_choice *c)
{
    kldve_status st = KLDVE_OK;

    c->straight_through = has_quantiser(g, c);
    if (c->straight_through)
        st = kx_say(&c->notes,
                    "the network is quantised: its gradient is a straight-through one, which takes "
                    "rounding for the identity, and for 0 where a value was clipped");
    if (st == KLDVE_OK && c->layer && holds_levels(c->layer))
        st = kx_say(&c->notes,
                    "layer '%.80s' holds integers, whose zero point shifts the map: what "
                    "dequantises it is the better layer",
                    c->layer->name);
    return st < 0 ? kx_nomem(g) : KLDVE_OK;
}

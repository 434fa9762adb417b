/* quantise_emit.c - quantisers as parts of expansions. */
#include <string.h>

#include "quantise.h"

enum { NEARBY = 256 /* nodes: branches are not further apart */ };

static const char dequantise[] = "DequantizeLinear";

/* With one scale, when the axis does not matter. */
static kx_value *find_dequantised(const kx_expander *e, const kx_value *q, const kx_value *scale,
                                  const kx_value *zero)
{
    for (int32_t i = e->g->nnode - 1; i >= 0 && i >= e->g->nnode - NEARBY; i--) {
        const kx_node *n = &e->g->node[i];

        if (n->nin >= 2 && n->in[0] == q && n->in[1] == scale && scale->count == 1 &&
            (n->nin > 2 ? n->in[2] : NULL) == zero && strcmp(n->type, dequantise) == 0)
            return n->out[0];
    }
    return NULL;
}

static kx_value *emit(kx_expander *e, const char *type, kx_value *x, kx_value *scale,
                      kx_value *zero, int32_t axis)
{
    const kx_attr attr = kx_attr_of_int("axis", axis);

    return kx_emit(e, type, (kx_value *[]){x, scale, zero}, zero ? 3 : 2, &attr, 1);
}

kx_value *kx_emit_dequantised(kx_expander *e, kx_value *q, kx_value *scale, kx_value *zero,
                              int32_t axis)
{
    kx_value *known;

    if (e->status < 0)
        return NULL;
    known = find_dequantised(e, q, scale, zero);
    return known ? known : emit(e, dequantise, q, scale, zero, axis);
}

kx_value *kx_emit_quantised(kx_expander *e, kx_value *x, kx_value *scale, kx_value *zero,
                            int32_t axis)
{
    return e->status < 0 ? NULL : emit(e, "QuantizeLinear", x, scale, zero, axis);
}

kx_value *kx_emit_dynamic(kx_expander *e, kx_value *x)
{
    kx_value *out[KX_MAX_OUT] = {NULL};

    e->emit(e, &(kx_emitted){.type = "DynamicQuantizeLinear", .in = &x, .nin = 1, .nout = 3}, out);
    return kx_emit_dequantised(e, out[0], out[1], out[2], 0);
}

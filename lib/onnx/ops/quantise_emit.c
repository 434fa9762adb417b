/* quantise_emit.c - quantisers as parts of expansions. */
#include "quantise.h"

static bool dequantises(const kx_rewrite *r, const kx_value *real, const kx_value *q,
                        const kx_value *scale, const kx_value *zero)
{
    const kx_node *n = real->producer >= 0 ? &r->g->node[real->producer] : NULL;

    return n && scale && scale->count == 1 && n->nin >= 2 && n->in[0] == q && n->in[1] == scale &&
           (n->nin > 2 ? n->in[2] : NULL) == zero;
}

kx_value *kx_emit_dequantised(kx_rewrite *r, kx_value *q, kx_value *scale, kx_value *zero,
                              int32_t axis)
{
    const kx_attr attr = kx_int_attr("axis", axis);
    const char *name = kx_emit_name(r, q->name, "dequantised");
    kx_value *known = name ? r->find(r, name) : NULL;

    if (r->st < 0)
        return NULL;
    /* one scale: the axis does not matter */
    if (known && dequantises(r, known, q, scale, zero))
        return known;
    return kx_emit(r, (kx_part){.type = "DequantizeLinear",
                                .in = {q, scale, zero},
                                .nin = 3,
                                .attr = &attr,
                                .nattr = 1,
                                .name = known ? NULL : name});
}

void kx_emit_quantised(kx_rewrite *r, kx_value *x, kx_value *scale, kx_value *zero, int32_t axis,
                       kx_value *out)
{
    const kx_attr attr = kx_int_attr("axis", axis);

    kx_emit(r, (kx_part){.type = "QuantizeLinear",
                         .in = {x, scale, zero},
                         .nin = 3,
                         .attr = &attr,
                         .nattr = 1,
                         .out = out});
}

kx_value *kx_emit_dynamic(kx_rewrite *r, kx_value *x)
{
    kx_value *more[2] = {NULL, NULL};
    kx_value *q = kx_emit(
        r,
        (kx_part){.type = "DynamicQuantizeLinear", .in = {x}, .nin = 1, .more = more, .nmore = 2});

    return kx_emit_dequantised(r, q, more[0], more[1], 0);
}

/* quantise.h - between the files of quantised operators. */
#ifndef KLDVE_ONNX_OPS_QUANTISE_H
#define KLDVE_ONNX_OPS_QUANTISE_H

#include "basic.h"
#include "graph/expand.h"

/** What a quantised type can hold; lo == hi: no such type. */
typedef struct kx_levels {
    int32_t lo, hi;
} kx_levels;

kx_levels kx_levels_of(int32_t onnx_type);

/** Is v of integers as quantised networks have them: narrow ones, whatever holds them here? */
bool kx_is_quantised(const kx_value *v);

/** How scales and zero points lie along x [outer][n][inner]: element (o, i, j) has number
 *  ((o * blocks + i / block) * inner + j) if blocked, else i if there are several, else 0. */
typedef struct kx_quant_params {
    kx_levels levels; /**< of the quantised side */
    int64_t outer, n, inner;
    bool by_axis, blocked;
    int64_t block, blocks;
    int32_t axis;
} kx_quant_params;

/** Of a constant scale: every number must be above 0 and finite. */
kldve_status kx_check_scale(kx_graph *g, kx_node *n, int32_t i);

/* ---- for expansions ---- */

/** The dequantised value of q, the same for all that ask for it nearby. */
kx_value *kx_emit_dequantised(kx_expander *e, kx_value *q, kx_value *scale, kx_value *zero,
                              int32_t axis);
/** x quantised; of type uint8 without a zero point. */
kx_value *kx_emit_quantised(kx_expander *e, kx_value *x, kx_value *scale, kx_value *zero,
                            int32_t axis);
/** x quantised as it comes and dequantised again. */
kx_value *kx_emit_dynamic(kx_expander *e, kx_value *x);

#endif

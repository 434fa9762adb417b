/* contract.h - sums of products of arrays whose axes have numbers, as nodes of other operators. */
#ifndef KLDVE_ONNX_OPS_CONTRACT_H
#define KLDVE_ONNX_OPS_CONTRACT_H

#include "graph/expand.h"

/** Axes are numbers below that. */
enum { KX_CONTRACT_AXES = 52 + KX_MAX_RANK };

typedef struct kx_axis_list {
    int32_t count;
    uint8_t axis[KX_MAX_RANK];
} kx_axis_list;

/** An array and the numbers of its axes.  A number that comes twice means the diagonal. */
typedef struct kx_operand {
    kx_value *v;
    kx_axis_list axes;
} kx_operand;

typedef struct kx_contract {
    const int64_t *dim; /**< [KX_CONTRACT_AXES], by number; an operand may have 1 instead */
    int32_t count;
    kx_operand operand[KX_MAX_IN];
} kx_contract;

/** y = sum over all axes but `out` of the product of all operands, which are overwritten.  Every
 *  axis of `out`, which has none twice, is one of an operand.
 *  @return KLDVE_OK, KLDVE_E_UNSUPPORTED (an intermediate result would have too many axes),
 *          KLDVE_E_NOMEM, with a message. */
kldve_status kx_contract_all(kx_expander *e, kx_contract *c, const kx_axis_list *out, kx_value **y);

#endif

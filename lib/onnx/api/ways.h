/* ways.h - the ways from the input to the logits on which a gradient flows back. */
#ifndef KLDVE_ONNX_WAYS_H
#define KLDVE_ONNX_WAYS_H

#include "graph/graph.h"

/** Whether operand k of a node passes a gradient back, as far as types and operators tell: shapes,
 *  comparisons, integers and booleans do not. */
bool kx_carries(const kx_node *n, int32_t k);

typedef struct kx_ways {
    const kx_value *input, *logits;
    const bool *on; /**< by value id: lies on a way; that of the input tells whether there is one */
    const bool *all; /**< by value id: every way passes it */
    bool any;        /**< no way carries a gradient, so that ways of any kind count */
} kx_ways;

/** @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_ways(const kx_graph *g, kx_arena *arena, const kx_value *input,
                          const kx_value *logits, kx_ways *out);

#endif

/* flow.h - what flows back, cotangents or relevance.
 *
 * Every value on a path from the logits back has one cotangent ("grad"), in the layout in which the
 * forward pass made the value.  What a value is given more than once is added up. */
#ifndef KLDVE_ONNX_FLOW_H
#define KLDVE_ONNX_FLOW_H

#include "planner.h"

/** A cotangent, or relevance, and whether others read its buffer. */
typedef struct kx_grad {
    int32_t buffer;
    const kx_layout *layout;
    bool shared;
} kx_grad;

/** What a value was given so far; buffer -1: nothing. */
kx_grad kx_grad_of(kx_planner *p, const kx_value *v);
/** The same in another layout (NULL: plain) of v's shape. */
kldve_status kx_grad_in(kx_planner *p, const kx_unit *u, const kx_value *v, const kx_layout *layout,
                        kx_grad *g);
/** Give to a value: the first is kept, others are added. */
kldve_status kx_give(kx_planner *p, const kx_unit *u, const kx_value *v, kx_grad g);
/** At the output of a unit -> at its x. */
kldve_status kx_window_vjp(kx_planner *p, kx_unit *u, kx_grad g, kx_grad *out);
/** ... given to the operands right away. */
kldve_status kx_concat_vjp(kx_planner *p, kx_unit *u, kx_grad g);
kldve_status kx_view_vjp(kx_planner *p, kx_unit *u, kx_grad g);
/** The operator's own VJP: dout [nout] plain (-1: none) -> a new plain buffer for in[which]. */
kldve_status kx_node_vjp(kx_planner *p, kx_unit *u, const int32_t *dout, int32_t which,
                         kx_grad *out);
/** ... of all outputs that were given something, for every operand that is to be given some. */
kldve_status kx_give_operands(kx_planner *p, kx_unit *u);

#endif

/* backward.h - units -> the steps of a backward pass, from the last unit to the first. */
#ifndef KLDVE_ONNX_BACKWARD_H
#define KLDVE_ONNX_BACKWARD_H

#include "planner.h"

/** Append the steps of the VJP, or of relevance propagation, from the logits to `to`: *from is
 * where the cotangent goes in, *port where the gradient comes out. */
kldve_status kx_plan_backward(kx_planner *p, const kx_value *to, kx_port *from, kx_port *port);

#endif

/* bias.h - gradients at what units add to their operands: biases. */
#ifndef KLDVE_ONNX_BIAS_H
#define KLDVE_ONNX_BIAS_H

#include "flow.h"
#include "planner.h"

/** Hand out the gradient at what a unit adds to its operands, before the activation. */
kldve_status kx_visit_bias(kx_planner *p, const kx_unit *u, kx_grad g);

#endif

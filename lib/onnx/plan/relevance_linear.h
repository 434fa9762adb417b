/* relevance_linear.h - relevance of convolutions, dense layers, and scales and shifts by channel.
 */
#ifndef KLDVE_ONNX_RELEVANCE_LINEAR_H
#define KLDVE_ONNX_RELEVANCE_LINEAR_H

#include "flow.h"
#include "planner.h"

/** Relevance r of the output of a CONV or DENSE unit -> its operand. */
kldve_status kx_relevance_linear(kx_planner *p, kx_unit *u, kx_grad r);
/** A scale and shift by channel as a convolution of each channel by itself. */
kldve_status kx_relevance_affine(kx_planner *p, kx_unit *u, kx_grad r);

#endif

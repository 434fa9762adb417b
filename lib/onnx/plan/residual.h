/* residual.h - a convolution and what is added to it; arithmetic of two arrays. */
#ifndef KLDVE_ONNX_RESIDUAL_H
#define KLDVE_ONNX_RESIDUAL_H

#include "planner.h"

/** act(convolution + residual), in one primitive where oneDNN can. */
kldve_status kx_conv_forward(kx_planner *p, kx_unit *u);
/** act(x op y), where y may broadcast over x.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED: not in oneDNN. */
kldve_status kx_arith_forward(kx_planner *p, kx_unit *u);

#endif

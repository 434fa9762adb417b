/* matrices.h - products of two arrays of matrices that both vary, forward and VJP: attention. */
#ifndef KLDVE_ONNX_MATRICES_H
#define KLDVE_ONNX_MATRICES_H

#include "flow.h"

/** KLDVE_E_UNSUPPORTED, without a message: the operator's own kernel has to do it. */
kldve_status kx_product_forward(kx_planner *p, kx_unit *u);
/** g at the output -> what input number `which` gets, plain; KLDVE_E_UNSUPPORTED as above. */
kldve_status kx_product_vjp(kx_planner *p, kx_unit *u, kx_grad g, int32_t which, kx_grad *out);

#endif

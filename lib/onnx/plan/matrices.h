/* matrices.h - matrix products: dense layers of many rows, and of two arrays that both vary, as in
 * attention. */
#ifndef KLDVE_ONNX_MATRICES_H
#define KLDVE_ONNX_MATRICES_H

#include "flow.h"

/** The step of a dense layer, bind[KX_SRC] [m][k] -> bind[KX_DST] [m][n].
 *  @param d     The unit's, or what its VJP computes,
 *  @param back  and whether it is that. */
kldve_status kx_dense_prim(kx_planner *p, kx_unit *u, const kx_dense *d, bool back,
                           int32_t bind[KX_SLOTS]);

/** KLDVE_E_UNSUPPORTED, without a message: the operator's own kernel has to do it. */
kldve_status kx_product_forward(kx_planner *p, kx_unit *u);
/** g at the output -> what input number `which` gets, plain; KLDVE_E_UNSUPPORTED as above. */
kldve_status kx_product_vjp(kx_planner *p, kx_unit *u, kx_grad g, int32_t which, kx_grad *out);

#endif

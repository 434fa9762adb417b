/* dense.h - dense layers of a few rows. */
#ifndef KLDVE_ONNX_DENSE_H
#define KLDVE_ONNX_DENSE_H

#include <stddef.h>

#include "accel/desc.h"

/** out[r] [n] = act(x[r] [k] W + bias), r < rows, at addresses of their own.  Weights are read
 * once, in the order of memory; rows of a [k][n] matrix that meet only zeros of x are not read. */
void kx_dense_forward(const kx_dense *d, kx_act act, size_t rows, const float *const *x,
                      float *const *out);
/** dx[r] [k] = dy[r] [n] W^T.  Rows of an [n][k] matrix that meet only zeros of dy are not read. */
void kx_dense_vjp(const kx_dense *d, size_t rows, const float *const *dy, float *const *dx);

#endif

/* rows.h - means, softmax and normalisation of rows: forward and VJP. */
#ifndef KLDVE_ONNX_ROWS_H
#define KLDVE_ONNX_ROWS_H

#include "accel/desc.h"

/** x [count][n] -> y [count][n], or [count] for KX_ROWS_MEAN. */
void kx_rows_forward(const kx_rows *r, const float *x, float *y);
/** dy like y -> dx [count][n], overwritten.
 *  @param seen  x for KX_ROWS_NORM, y for the softmaxes, not read for KX_ROWS_MEAN. */
void kx_rows_vjp(const kx_rows *r, const float *seen, const float *dy, float *dx);

#endif

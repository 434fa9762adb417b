/* elementwise.h - activations and sums on whole buffers, in any layout. */
#ifndef KLDVE_ONNX_ELEMENTWISE_H
#define KLDVE_ONNX_ELEMENTWISE_H

#include <stddef.h>

#include "accel/desc.h"

/** y = f(x), in place or not. */
void kx_act_forward(kx_act act, size_t n, const float *x, float *y);
/** dx = f' dy under a kldve_rule; seen is y, or x as kx_act_from_output() says.  In place or not.
 */
void kx_act_vjp(kx_act act, int32_t rule, size_t n, const float *seen, const float *dy, float *dx);
/** out = a + b, in place of either or not. */
void kx_add(size_t n, const float *a, const float *b, float *out);

#endif

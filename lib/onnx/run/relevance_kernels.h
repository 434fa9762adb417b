/* relevance_kernels.h - what relevance propagation computes between its VJPs, on whole buffers in
 * any layout, and dense layers with clamped weights. */
#ifndef KLDVE_ONNX_RELEVANCE_KERNELS_H
#define KLDVE_ONNX_RELEVANCE_KERNELS_H

#include <stddef.h>

#include "accel/desc.h"
#include "accel/range.h"

/** y = clamp(x), in place or not. */
void kx_clamp_all(kx_range range, size_t n, const float *x, float *y);

/** out = factor relevance / stabilise(z + z1), in place of `relevance` or not. */
typedef struct kx_share {
    size_t n;
    const float *relevance, *z;
    const float *z1; /**< or NULL */
    float factor;
    bool off; /**< 0 where z + z1 is 0: there is nothing to share */
    float *out;
} kx_share;
void kx_lrp_share(const kx_share *s);

/** out = clamp(x) g + addend; addend may be NULL.  In place of g or addend or not. */
void kx_lrp_take(kx_range range, size_t n, const float *x, const float *g, const float *addend,
                 float *out);

/** x [m][k] -> x clamp(W) + clamp(bias) [m][n], with a bias [n] that is not d's; it may be NULL. */
void kx_dense_part(const kx_dense *d, kx_range range, const float *bias, const float *x,
                   float *out);
/** dy [m][n] -> dy clamp(W)^T [m][k]. */
void kx_dense_part_vjp(const kx_dense *d, kx_range range, const float *dy, float *dx);

#endif

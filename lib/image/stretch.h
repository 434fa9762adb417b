/* stretch.h - one side of a map at another size: each output is a weighted sum of a few neighbours.
 */
#ifndef KLDVE_LIB_IMAGE_STRETCH_H
#define KLDVE_LIB_IMAGE_STRETCH_H

#include <stddef.h>
#include <stdint.h>

#include <kldve/common.h>

#include "interpolation.h"

/** out[i] = sum over t < count[i] of weight[i * most + t] in[first[i] + t] */
typedef struct kldve_taps {
    int32_t in, out;
    int32_t *first, *count; /**< [out] */
    float *weight;          /**< [out][most] */
    size_t most;
} kldve_taps;

/** The weights of a kernel; formula in stretch.c.  in, out: at least 1.
 *  @return KLDVE_OK, or KLDVE_E_NOMEM with a message; free them with kldve_taps_free() then, too.
 */
kldve_status kldve_taps_new(kldve_ctx *ctx, const kldve_kernel *kernel, int32_t in, int32_t out,
                            kldve_taps *taps);

/** Accepts what kldve_taps_new() left behind, and zeros. */
void kldve_taps_free(kldve_ctx *ctx, kldve_taps *taps);

/** Along a row: in [taps->in] -> outputs begin .. begin + count - 1, out [count]. */
void kldve_taps_along(const kldve_taps *taps, const float *in, int32_t begin, int32_t count,
                      float *out);

/** Across rows: out += share * output i.  in [taps->in][width], out [width]. */
void kldve_taps_across(const kldve_taps *taps, int32_t i, const float *in, int32_t width,
                       float share, float *out);

#endif

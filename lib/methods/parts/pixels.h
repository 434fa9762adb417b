/* pixels.h - from gradients at the pixels to a map.
 *
 * A gradient has channels, a map has none.  Simonyan et al. 2014 take the largest magnitude over
 * the channels, and so do all methods here that show a gradient.  That includes the guided ones,
 * whose values can be negative at the pixels because their rule ends at the first layer.  SIGNED
 * and POSITIVE give the value of that channel with its sign. */
#ifndef KLDVE_LIB_METHODS_PIXELS_H
#define KLDVE_LIB_METHODS_PIXELS_H

#include <stddef.h>

#include <kldve/method.h>

/** The channel with the largest |v_c| of pixel `i`, the first of equal ones.
 *  @param v  [channels][pixels], the gradient or a substitute for it. */
size_t kldve_pixels_strongest(const float *v, size_t channels, size_t pixels, size_t i);

/** E_i = |v_ci|, or v_ci if options.sign asks for signs, at the strongest channel c.
 *  v [in_channels][pixels], map [pixels]. */
void kldve_pixels_show(const kldve_job *job, const float *v, float *map);

/** The gradient at the pixels of sum(cotangent * logits) under `rule` (a kldve_rule), shown.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, or what the backend returned. */
kldve_status kldve_pixels_gradient(const kldve_job *job, const float *cotangent, int32_t rule,
                                   float *map);

/** Guided back-propagation of `cotangent` times a map of the layer, pixel by pixel:
 *
 *     E_i = shown guided gradient_i * up(ReLU(L))_i,    up: bilinear
 *
 *  @param coarse  Makes L, [height][width].
 *  @return As above, or what coarse() returned. */
kldve_status kldve_pixels_guided(const kldve_job *job, const float *cotangent,
                                 kldve_status (*coarse)(const kldve_job *job, float *map),
                                 float *map);

#endif

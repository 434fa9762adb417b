/* attend.h - an attention and its gradient, on the way to a visitor. */
#ifndef KLDVE_ONNX_ATTEND_H
#define KLDVE_ONNX_ATTEND_H

#include "plan/step_list.h"

/** A cotangent for a pass that only asks which tokens the scores read: no class like another. */
void kx_attend_probe(size_t n, float *cotangent);
/** read [tokens]: equal shares, adding up to 1, for the queries with a gradient in any head; where
 *  there is no gradient at all, for all of them.  gradient [heads][tokens][tokens]. */
void kx_attend_read(const kx_attention *a, const float *gradient, float *read);

#endif

/* target.h - which class is explained. */
#ifndef KLDVE_LIB_TARGET_H
#define KLDVE_LIB_TARGET_H

#include <stddef.h>

/** The class ranked `rank` (0 the first) by its logit; of equal ones the lower index comes first.
 *  k [n], finite; rank < n. */
size_t kldve_target_ranked(const float *k, size_t n, size_t rank);

/** Softmax of the logits at class c.  k [n], finite; c < n. */
double kldve_target_probability(const float *k, size_t n, size_t c);

#endif

/* target.h - which class is explained. */
#ifndef KLDVE_LIB_TARGET_H
#define KLDVE_LIB_TARGET_H

#include <stddef.h>

#include <kldve/method.h>

/** The class ranked `rank` (0 the first) by its logit; of equal ones the lower index comes first.
 *  k [n], finite; rank < n. */
size_t kldve_target_ranked(const float *k, size_t n, size_t rank);

/** The class that the options ask for; the best of a set stands for it.  k [n]; the options have
 *  passed kldve_target_check(). */
int32_t kldve_target_choose(const kldve_options *o, const float *k, size_t n);

/** The best class that is neither `target`, which kldve_target_choose() found, nor in the set. */
int32_t kldve_target_best_other(const kldve_options *o, int32_t target, const float *k, size_t n);

/** Softmax of the logits at class c.  k [n], finite; c < n. */
double kldve_target_probability(const float *k, size_t n, size_t c);

/** See that the classes that the options name exist, and each of a set only once; `rank` has been
 *  resolved by the caller.  Messages begin with `where`. */
kldve_status kldve_target_check(kldve_ctx *ctx, const char *where, const kldve_options *o,
                                int32_t classes);

/** What is explained as a weighted sum of class scores: 1 at the target; 1 / count at each of a
 *  set; 1 at the target and -1 at the rival.  weight [n]. */
void kldve_target_weights(const kldve_options *o, int32_t target, size_t n, double *weight);

/** What is explained as one number; `kind` is a kldve_score.  k [n]. */
double kldve_target_score(const kldve_options *o, int32_t target, const float *k, size_t n,
                          int32_t kind);

#endif

/* target.h - which class is explained. */
#ifndef KLDVE_LIB_TARGET_H
#define KLDVE_LIB_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include <kldve/method.h>

/** The class ranked `rank` (0 the first) by its logit; of equal ones the lower index comes first.
 *  k [n], finite; rank < n. */
size_t kldve_target_ranked(const float *k, size_t n, size_t rank);

/** The class that the options ask for; the best of a set stands for it; of a number the rank is the
 *  index.  k [classes]; the options have passed kldve_target_check(). */
int32_t kldve_target_choose(const kldve_options *o, const kldve_shape *s, const float *k);

/** The best class that is neither `target`, which kldve_target_choose() found, nor in the set. */
int32_t kldve_target_best_other(const kldve_options *o, int32_t target, const float *k, size_t n);

/** The probabilities of all classes, p [classes], from k [classes], finite.
 *  @return false for a number, which has none; p is not written then. */
bool kldve_target_probabilities(const kldve_shape *s, const float *k, double temperature,
                                double *p);
/** sigmoid(x). */
double kldve_target_sigmoid(double x);

/** See that the classes that the options name exist, and each of a set only once; `rank` has been
 *  resolved by the caller.  Messages begin with `where`. */
kldve_status kldve_target_check(kldve_ctx *ctx, const char *where, const kldve_options *o,
                                int32_t classes);

/** What is explained as a weighted sum of class scores: 1 at the target; 1 / count at each of a
 *  set; 1 at the target and -1 at the rival or, of one score, at the other class.  weight
 *  [classes]. */
void kldve_target_weights(const kldve_options *o, const kldve_shape *s, int32_t target,
                          double *weight);

/** What is explained as one number; `kind` is a kldve_score.  k [classes]. */
double kldve_target_score(const kldve_options *o, const kldve_shape *s, int32_t target,
                          const float *k, int32_t kind);

#endif

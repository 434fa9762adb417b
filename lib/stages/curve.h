/* curve.h - pixels changed one after the other in the order of a map, and what a score does
 * meanwhile: the parts of deletion and insertion curves.  Formulas in curve.c. */
#ifndef KLDVE_LIB_CURVE_H
#define KLDVE_LIB_CURVE_H

#include <stddef.h>
#include <stdint.h>

/** The pixels in falling order of their values.  Equal values are in a random order, which depends
 *  on `seed` and `count` alone and is therefore the same for every map.
 *  @param values  [count], finite; count at most INT32_MAX.
 *  @param order   [count], becomes indices of `values`.
 *  @param spare   [count], for working. */
void kldve_curve_order(const float *values, size_t count, uint64_t seed, uint32_t *order,
                       uint32_t *spare);

/** In how many steps a curve really goes: each of ceil(count / steps) pixels but for the last,
 * which may have fewer.
 *  @param steps  1 or more.
 *  @param each   Becomes the pixels of a step.
 *  @return 1..steps. */
int32_t kldve_curve_steps(size_t count, int32_t steps, size_t *each);

/** Give the pixels order[from] .. order[to - 1] of `input` the values that they have in `source`;
 *  both [channels][count]. */
void kldve_curve_change(const float *source, const uint32_t *order, size_t from, size_t to,
                        size_t channels, size_t count, float *input);

/** The area under scores [count] at equal distances over 0..1, by the trapezoid rule; of one score
 *  that score. */
double kldve_curve_area(const double *scores, size_t count);

#endif

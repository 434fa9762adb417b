/* reduce.h - from feature maps and their weights to one map. */
#ifndef KLDVE_LIB_REDUCE_H
#define KLDVE_LIB_REDUCE_H

#include <stddef.h>
#include <stdint.h>

#include "strided.h"

/** E = s * sum over c of a_c x_c with one gemv, where s = 1 / max |a| keeps E within float32 (a
 *  positive factor that the normalisation removes).  All a = 0 gives zeros.
 *  @param x        Plain maps go through one gemv, others are read where they are.
 *  @param a        [maps], finite.
 *  @param scratch  [maps].
 *  @param map      E, [cells]; overlaps nothing else.
 *  @return max |a|: what a value of E is to be multiplied by for the sum itself. */
double kldve_reduce(const kldve_strided *x, const double *a, float *scratch, float *map);

/** E = s * sum over c of |a_c| x_c. */
double kldve_reduce_magnitudes(const kldve_strided *x, const double *a, float *scratch, float *map);

/** E = sum over c of x_c: the same with every weight 1. */
void kldve_reduce_sum(const kldve_strided *x, float *scratch, float *map);

/** E = max(E, 0). */
void kldve_reduce_relu(float *map, size_t count);

#endif

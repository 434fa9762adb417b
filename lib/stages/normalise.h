/* normalise.h - scale a map of any range to 0..1. */
#ifndef KLDVE_LIB_NORMALISE_H
#define KLDVE_LIB_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/** Keep only what a kldve_sign counts: the positive part, or magnitudes; otherwise no change. */
void kldve_apply_sign(int32_t sign, float *map, size_t count);

/** Add what is above 0 in map [count] to *above, and the magnitude of what is below to *below. */
void kldve_add_by_sign(const float *map, size_t count, double *above, double *below);

/** In place; formulas in normalise.c.  map [count], finite; `sign` is a kldve_sign, of which only
 *  KLDVE_SIGN_SIGNED makes a difference.  *range gets the values
 *  that 0 and 1 stand for, twice the same for a constant map.  Returns 1 if the map was constant,
 * else 0. */
int32_t kldve_normalise(int32_t sign, float *map, size_t count, double range[2]);

#endif

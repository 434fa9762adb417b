/* normalise.h - a map of any range to 0..1. */
#ifndef KLDVE_LIB_NORMALISE_H
#define KLDVE_LIB_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/** In place; formula in normalise.c.  map [count], finite.  Returns 1 if the map was constant and
 *  is all zeros now, else 0. */
int32_t kldve_normalise(float *map, size_t count);

#endif

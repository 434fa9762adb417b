/* weigh.h - the transposed matrix times a vector, the one product of the core that BLAS has. */
#ifndef KLDVE_LIB_WEIGH_H
#define KLDVE_LIB_WEIGH_H

#include <stdint.h>

/** map_i = sum over c of a_c x_ci.  weigh_cblas.c or weigh_plain.c, as the build was configured
 *  (-Dblas): the same within rounding.  Allocates nothing, and the bits do not depend on the number
 *  of threads.
 *  @param x    [maps][cells], both 1 or more.
 *  @param a    [maps].
 *  @param map  [cells]; overlaps nothing else. */
void kldve_weigh(const float *x, int32_t maps, int32_t cells, const float *a, float *map);

#endif

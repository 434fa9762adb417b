/* component.h - the first principal component of feature maps. */
#ifndef KLDVE_LIB_METHODS_COMPONENT_H
#define KLDVE_LIB_METHODS_COMPONENT_H

#include <kldve/backend.h>

/** The first left singular vector of the matrix with one row for each cell and one column for each
 *  map, every column minus its mean: how the cells differ most.  Its sign is arbitrary but the same
 *  at every call.
 *  @param x  [maps][cells].
 *  @param u  [cells], of length 1; zeros if every map is constant.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_component_first(kldve_ctx *ctx, const float *x, size_t maps, size_t cells,
                                   double *u);

#endif

/* cut.h - the fewest tensors that every way from the input to the logits passes. */
#ifndef KLDVE_ONNX_CUT_H
#define KLDVE_ONNX_CUT_H

#include "ways.h"

enum { KX_CUT_MOST = 8 };

/** Of the smallest cuts among `may` the one nearest to the logits.
 *  @param may  by value id: may be part of the cut.
 *  @param cut  [KX_CUT_MOST], in the order of computation.
 *  @param count  their number; 0 where there is no cut, or none that small.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_cut(const kx_graph *g, kx_arena *arena, const kx_ways *ways, const bool *may,
                         kx_value **cut, int32_t *count);

#endif

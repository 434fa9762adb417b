/* tokens.h - whether the score still reads the cells of a layer, or a class token alone. */
#ifndef KLDVE_ONNX_BUILD_TOKENS_H
#define KLDVE_ONNX_BUILD_TOKENS_H

#include "follow.h"

/** Mark in *out [values] the tensors whose cells the logits depend on.  Where a class token stands
 *  before the cells and is all that is read later, the cells are not: their gradient is zero.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_read_cells(const kx_graph *g, kx_arena *arena, const kx_followed *followed,
                                const kx_value *logits, const bool **out);

#endif

/* reach.h - from how much of a tensor's cells one position of the scores is computed. */
#ifndef KLDVE_ONNX_REACH_H
#define KLDVE_ONNX_REACH_H

#include "choose.h"

/** Follow one position of the logits back through windows.  An estimate: it counts the cells
 *  between the first and the last that are read, and takes all where rows are mixed.
 *  @param out  by value id: the part of a side of the cells, 0..1; 0 for what the logits do not
 *              need.  Where the logits are no map, what their cells are made from counts as all.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_reach(const kx_graph *g, kx_arena *arena, const kx_choice *c,
                           const float **out);

#endif

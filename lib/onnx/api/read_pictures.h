/* read_pictures.h - which pictures of a batch the logits are computed from. */
#ifndef KLDVE_ONNX_READ_PICTURES_H
#define KLDVE_ONNX_READ_PICTURES_H

#include "build/follow.h"
#include "selection.h"

enum { KX_MOST_PICTURES = 64 }; /**< of a larger batch all count as read */

/** @param selection  what is selected in place of the logits; NULL: nothing.
 *  @param out        by value id: a bit for each picture of its batch that the logits depend on;
 *              all bits where a tensor has no batch, and where pictures are mixed.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_read_pictures(const kx_graph *g, kx_arena *arena, const kx_followed *followed,
                                   const kx_value *logits, const kx_selection *selection,
                                   const uint64_t **out);

#endif

/* taps.h - the tensors of a file that hold everything that its scores need of what lies in front of
 * the layer: what a head is fed with. */
#ifndef KLDVE_ONNX_TAPS_H
#define KLDVE_ONNX_TAPS_H

#include "choose.h"
#include "read/model.h"

enum { KX_TAPS_MOST = 16 };

typedef struct kx_taps {
    int32_t count;                 /**< 0: there is no head, for which `why` is the reason */
    kx_value *value[KX_TAPS_MOST]; /**< nodes of the file's main graph make them: the layer, or its
                                        members, then others */
    size_t numbers;                /**< of all of them */
    const char *why;
} kx_taps;

/** Find them in a graph that kx_choice_shape() has finished.
 *  @param m      the file, whose tensors they are.
 *  @param also   a tensor beside the logits that a head computes; NULL: none.
 *  @param arena  for the reason.
 *  @return KLDVE_OK; KLDVE_E_NOMEM. */
kldve_status kx_find_taps(const kx_graph *g, const kx_model *m, kx_arena *arena, const kx_choice *c,
                          const kx_value *also, kx_taps *out);

#endif

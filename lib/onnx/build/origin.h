/* origin.h - which element of which earlier tensor an element is, and the scores before a Sigmoid
 * or Softmax that it may stand behind. */
#ifndef KLDVE_ONNX_BUILD_ORIGIN_H
#define KLDVE_ONNX_BUILD_ORIGIN_H

#include "graph/graph.h"

/** An element of a tensor. */
typedef struct kx_element {
    int32_t value; /**< id of the tensor */
    int32_t at;    /**< row-major */
} kx_element;

/** Follow elements back through operators that only move them - Concat, Reshape, Transpose, Slice
 *  and the like - to where they are computed.  Where that would take more than 256 MiB, and where a
 *  tensor has more than 2^31 elements, they stay.
 *  @param e  [count].
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_follow_back(const kx_graph *g, kx_element *e, size_t count);

/** Follow class scores back, and pass a Sigmoid or Softmax that all of them stand behind.
 *  @param text    what selects them, for messages.
 *  @param e       [places][count]: `count` scores at each of several places.
 *  @param scores  a kldve_scores.
 *  @return KLDVE_OK; KLDVE_E_ARG (a Softmax mixes them with others, or some have no Sigmoid);
 *          KLDVE_E_NOMEM. */
kldve_status kx_scores_back(const kx_graph *g, const char *text, kx_element *e, size_t places,
                            size_t count, int32_t *scores);

/** The tensors that elements are of, as one: itself where there is one, else nodes that put all of
 *  them one behind the other become part of the graph.  The `at` of each element becomes that in
 *  *out.  A stage of building: before kx_choose().
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (more than KX_MAX_IN tensors); KLDVE_E_NOMEM. */
kldve_status kx_put_together(kx_graph *g, kx_element *e, size_t count, const char *name,
                             kx_value **out);

#endif

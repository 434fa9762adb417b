/* frontier.h - how far a model can be built whose last steps depend on the values: what is behind
 * NonMaxSuppression and the like has as many elements as the picture makes it have. */
#ifndef KLDVE_ONNX_BUILD_FRONTIER_H
#define KLDVE_ONNX_BUILD_FRONTIER_H

#include "graph/graph.h"
#include "read/model.h"

typedef struct kx_frontier {
    const char **name; /**< [count]: tensors with known shapes that such steps read; 0: there are
                            no such steps */
    int32_t count;
    const kx_proto_node *suppressor; /**< the first that keeps boxes by their scores; NULL: none */
    kx_proto_graph around;           /**< the graph that it is a node of: perhaps a branch */
    bool shifted; /**< something is added to the boxes that it compares: classes are moved apart */
    bool staged;  /**< behind it, weights are applied: boxes are proposals, scored in a second stage
                   */
    bool sorted;  /**< behind it, elements are picked by their size: the best come first */
} kx_frontier;

/** @param arena  for *out; names are the model's.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_frontier(kldve_ctx *ctx, kx_arena *arena, const kx_model *m, kx_frontier *out);

/** The operator of a node of the file; NULL: none is known. */
const kx_op *kx_file_op(const kx_model *m, const kx_proto_node *n);

/** Input i of the suppressor, where it is constant; else NULL. */
const kx_proto_tensor *kx_frontier_constant(const kx_frontier *f, int32_t i);

#endif

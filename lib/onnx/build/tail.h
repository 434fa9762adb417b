/* tail.h - what a network does to its scores at its end: a softmax, a sigmoid, by one node or by
 * hand. */
#ifndef KLDVE_ONNX_BUILD_TAIL_H
#define KLDVE_ONNX_BUILD_TAIL_H

#include "graph/graph.h"

typedef struct kx_tail {
    kx_value *scores; /**< what enters the softmax or sigmoid; else what was asked for */
    int32_t kind;     /**< a kldve_scores: SOFTMAX, SIGMOID or RAW */
    bool best;        /**< the output says which class is best; the scores are what it looks at */
    const kx_node *squashes; /**< scores that are RAW come from this node, which puts them into
                                  [0, 1] and is not undone; else NULL */
} kx_tail;

/** Go back from `output` to the scores, so that softmax(scores) or sigmoid(scores) is what the
 *  output prints: through casts, reshapes, logarithms, and clipping that keeps 0..1. */
void kx_find_tail(const kx_graph *g, kx_value *output, kx_tail *out);

#endif

/* fold.h - a node whose inputs are all constant becomes constants itself. */
#ifndef KLDVE_ONNX_BUILD_FOLD_H
#define KLDVE_ONNX_BUILD_FOLD_H

#include "graph/graph.h"

/** What folding has cost so far. */
typedef struct kx_fold_cost {
    size_t file;  /**< bytes of the model: its weights may take several times that */
    size_t bytes; /**< of all results */
    double work;  /**< kx_node_work() of their nodes */
} kx_fold_cost;

/** *folded: the outputs of n, whose infer() has run, are constants and nothing is left to run.
 *  What is too large or takes too long, all in all, is left for run time. */
kldve_status kx_fold(kx_graph *g, const kx_node *n, kx_fold_cost *spent, bool *folded);

#endif

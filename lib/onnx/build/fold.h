/* fold.h - a node whose inputs are all constant becomes constants itself. */
#ifndef KLDVE_ONNX_BUILD_FOLD_H
#define KLDVE_ONNX_BUILD_FOLD_H

#include "graph/graph.h"

/** *folded: the outputs of n, whose infer() has run, are constants and nothing is left to run.
 *  *spent counts the bytes of all results so far; what is too large is left for run time. */
kldve_status kx_fold(kx_graph *g, const kx_node *n, size_t *spent, bool *folded);

#endif

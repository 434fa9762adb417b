/* fold.h - a node whose inputs are all constant becomes constants itself. */
#ifndef KLDVE_ONNX_BUILD_FOLD_H
#define KLDVE_ONNX_BUILD_FOLD_H

#include "graph/graph.h"

/** Bytes of results of folding. */
typedef struct kx_folding {
    size_t each, sum; /**< limits; what passes them is left for run time */
    size_t spent;
} kx_folding;

/** The limits for a model of so many bytes. */
kx_folding kx_folding_of(size_t model_nbytes);
/** *folded: the outputs of n, whose infer() has run, are constants and nothing is left to run. */
kldve_status kx_fold(kx_graph *g, const kx_node *n, kx_folding *budget, bool *folded);

#endif

/* work.h - how much a node has to compute, before anything does. */
#ifndef KLDVE_ONNX_WORK_H
#define KLDVE_ONNX_WORK_H

#include "graph/graph.h"

/** Multiplications of the forward pass of a node, or elements that it touches if those are more,
 *  roughly.  Its infer() has run. */
double kx_node_work(const kx_node *n);

#endif

/* window_share.h - how far the windows of an operator reach. */
#ifndef KLDVE_ONNX_BUILD_WINDOW_SHARE_H
#define KLDVE_ONNX_BUILD_WINDOW_SHARE_H

#include "graph/graph.h"

/** What the windows of a node add to the part of a side that one result is computed from:
 *  (extent - stride) / cells, of the side where that is most.  A transposed convolution keeps the
 *  parameters of the convolution that it is the transpose of. */
float kx_window_share(const kx_node *n);

#endif

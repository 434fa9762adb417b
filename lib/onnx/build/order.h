/* order.h - which nodes of a graph its outputs need, in an order in which they can be computed. */
#ifndef KLDVE_ONNX_BUILD_ORDER_H
#define KLDVE_ONNX_BUILD_ORDER_H

#include "graph/graph.h"
#include "read/model.h"

/** order[count]: indices into p->node, each behind the producers of its inputs.  From g's arena.
 *  KLDVE_E_FORMAT for a cycle, and for two nodes with the same output. */
kldve_status kx_order(kx_graph *g, const kx_proto_graph *p, int32_t **order, int32_t *count);

#endif

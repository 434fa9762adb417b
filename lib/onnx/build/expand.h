/* expand.h - a node whose operator is written as other operators. */
#ifndef KLDVE_ONNX_EXPAND_H
#define KLDVE_ONNX_EXPAND_H

#include "builder.h"

/** Put other nodes in the place of n, which stands in g->node[g->nnode]. */
kldve_status kx_expand(kx_builder *b, const kx_node *n);
/** Most nodes, and most values, that come in the place of such a node with that many inputs. */
int32_t kx_expanded(int32_t nin);

#endif

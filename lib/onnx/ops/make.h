/* make.h - nodes that are not in the file: how the engine leads a tensor to another form and back.
 */
#ifndef KLDVE_ONNX_OPS_MAKE_H
#define KLDVE_ONNX_OPS_MAKE_H

#include "graph/graph.h"

/* Each makes of a node, whose inputs and outputs are set, one of a kind, and gives the outputs
 * their shapes.  The inputs of the file's operator that are constant are added. KLDVE_OK,
 * KLDVE_E_NOMEM; sizes are the caller's to check. */

/** Output axis i is input axis perm[i]; [rank of the input]. */
kldve_status kx_make_transpose(kx_graph *g, kx_node *n, const int32_t *perm);
kldve_status kx_make_reshape(kx_graph *g, kx_node *n, const kx_shape *to);
/** Elements [begin, end) of an axis. */
kldve_status kx_make_slice(kx_graph *g, kx_node *n, int32_t axis, int64_t begin, int64_t end);
/** Zeros before and behind each axis; [rank] each. */
kldve_status kx_make_pad(kx_graph *g, kx_node *n, const int64_t *before, const int64_t *after);
/** An axis backwards. */
kldve_status kx_make_flip(kx_graph *g, kx_node *n, int32_t axis);
kldve_status kx_make_concat(kx_graph *g, kx_node *n, int32_t axis);
/** Output i has size[i] of the axis; [outputs]. */
kldve_status kx_make_split(kx_graph *g, kx_node *n, int32_t axis, const int64_t *size);

#endif

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
kldve_status kx_make_negative(kx_graph *g, kx_node *n);
kldve_status kx_make_log(kx_graph *g, kx_node *n);
/** Inputs: x, the least and the largest value. */
kldve_status kx_make_clip(kx_graph *g, kx_node *n);
kldve_status kx_make_difference(kx_graph *g, kx_node *n);
kldve_status kx_make_product(kx_graph *g, kx_node *n);

/** A constant of that shape; NULL: out of memory. */
kx_value *kx_make_number(kx_graph *g, const kx_shape *shape, float value);

#endif

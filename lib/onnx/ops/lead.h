/* lead.h - nodes of a model that lead from one shape to another. */
#ifndef KLDVE_ONNX_OPS_LEAD_H
#define KLDVE_ONNX_OPS_LEAD_H

#include "read/model.h"

/* Each makes `out`; what the arguments point to outlives it. */

/** Give names[0] the dimensions in the tensor names[1], or repeat it to them, as names[2]. */
void kx_lead_reshape(const char **names, kx_proto_node *out);
void kx_lead_expand(const char **names, kx_proto_node *out);
/** Axis i of names[1] is axis perm[i] of names[0]; attr: room for one. */
void kx_lead_transpose(const char **names, int64_t *perm, int32_t rank, kx_proto_attr *attr,
                       kx_proto_node *out);
/** names[0] to names[count - 1] behind each other along the first axis, as names[count]. */
void kx_lead_concat(const char **names, int32_t count, kx_proto_attr *attr, kx_proto_node *out);

#endif

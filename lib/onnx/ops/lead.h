/* lead.h - nodes of a model that lead from one shape to another. */
#ifndef KLDVE_ONNX_OPS_LEAD_H
#define KLDVE_ONNX_OPS_LEAD_H

#include "read/model.h"

/** Give `in` the dimensions in the tensor `shape`, or repeat it to them.  The node reads names[0]
 * and names[1] and makes names[2]; `names` and what it points to outlive the node. */
void kx_lead_reshape(const char **names, kx_proto_node *out);
void kx_lead_expand(const char **names, kx_proto_node *out);

#endif

/* families.h - the lists of operators that table.c gathers; each ends with an entry without a type.
 */
#ifndef KLDVE_ONNX_OPS_FAMILIES_H
#define KLDVE_ONNX_OPS_FAMILIES_H

#include "../graph.h"

extern const kx_op kx_conv_ops[];
extern const kx_op kx_convtranspose_ops[];

#endif

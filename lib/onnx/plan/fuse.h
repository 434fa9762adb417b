/* fuse.h - merge a node into the unit that makes its input, where the result is the same
 * computation done at once:
 *
 *     Conv, BatchNormalization, Add/Mul by channel   W' = s W, b' = s b + t    (exact algebra)
 *     ... Add of an array                            residual join
 *     ... Relu, Clip, ...                            activation
 *     MatMul, Add by column                          dense layer with bias
 *
 * A value that must exist on its own (the layer, the logits, or read by two nodes) stops a merge.
 * Where nothing can be merged, the node becomes a unit of one of these kinds, or stays itself. */
#ifndef KLDVE_ONNX_FUSE_H
#define KLDVE_ONNX_FUSE_H

#include "planner.h"

/** Constant, or computed; float32; false for NULL. */
bool kx_constant_f32(const kx_value *v);
bool kx_varying_f32(const kx_value *v);
/** The elements of a constant, aligned; NULL: out of memory. */
const float *kx_constant_floats(kx_planner *p, const kx_value *v);

/** x, the operand of n, through an activation. */
kldve_status kx_fuse_act(kx_planner *p, kx_unit *u, const kx_node *n, const kx_value *x,
                         kx_act act);
/** A normalisation with constants. */
kldve_status kx_fuse_batchnorm(kx_planner *p, kx_unit *u, const kx_node *n, int unused);
/** A sum, difference, product or quotient: a kx_arith. */
kldve_status kx_fuse_binary(kx_planner *p, kx_unit *u, const kx_node *n, int which);

#endif

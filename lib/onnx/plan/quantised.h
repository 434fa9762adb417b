/* quantised.h - quantisers as parts of units. */
#ifndef KLDVE_ONNX_QUANTISED_H
#define KLDVE_ONNX_QUANTISED_H

#include "planner.h"

/** A DequantizeLinear: with the quantiser in front of it an activation that rounds, by itself a
 *  linear one. */
kldve_status kx_fuse_dequantiser(kx_planner *p, kx_unit *u, const kx_node *n, int unused);
/** Is n a quantiser to 8 or 16 bits with one constant scale and zero point?  *act is what it and a
 *  dequantiser behind it do. */
bool kx_quantiser_act(kx_planner *p, const kx_node *n, kx_act *act);

#endif

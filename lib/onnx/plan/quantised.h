/* quantised.h - quantisers as parts of units. */
#ifndef KLDVE_ONNX_QUANTISED_H
#define KLDVE_ONNX_QUANTISED_H

#include "planner.h"

/** A DequantizeLinear: with the quantiser in front of it an activation that rounds, by itself a
 *  linear one. */
kldve_status kx_fuse_dequantiser(kx_planner *p, kx_unit *u, const kx_node *n, int unused);

#endif

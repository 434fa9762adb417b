/* tiled.h - 3 x 3 convolutions by Winograd's transforms of our own, where oneDNN has none. */
#ifndef KLDVE_ONNX_TILED_H
#define KLDVE_ONNX_TILED_H

#include "planner.h"

/** Append the steps of a convolution without a residual.  KLDVE_E_UNSUPPORTED, without a message:
 *  its sums are as fast, or the processor or the caller wants those. */
kldve_status kx_tiled_forward(kx_planner *p, kx_unit *u);

#endif

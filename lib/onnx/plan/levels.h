/* levels.h - convolutions of integers. */
#ifndef KLDVE_ONNX_LEVELS_H
#define KLDVE_ONNX_LEVELS_H

#include "planner.h"

/** Forward steps of a quantised convolution whose result is quantised, too; KLDVE_E_UNSUPPORTED
 *  without a message where it is not one, or nothing is known to compute it. */
kldve_status kx_forward_levels(kx_planner *p, kx_unit *u);

#endif

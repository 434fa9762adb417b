/* gradient.h - the vector-Jacobian product, unit by unit.
 *
 * A unit takes the cotangent of its output and gives one to each of its operands. */
#ifndef KLDVE_ONNX_GRADIENT_H
#define KLDVE_ONNX_GRADIENT_H

#include "planner.h"

/** The steps that take the cotangent from a unit's output to its operands. */
kldve_status kx_gradient_unit(kx_planner *p, kx_unit *u);

#endif

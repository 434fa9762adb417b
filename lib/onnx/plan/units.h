/* units.h - graph -> units: what is computed together.
 *
 * Convolution, normalisation, residual sum and activation are one unit where nothing in between is
 * needed on its own.  The layer and the logits never disappear into a unit. */
#ifndef KLDVE_ONNX_UNITS_H
#define KLDVE_ONNX_UNITS_H

#include "planner.h"

/** Make the units of the needed nodes, sorted by when they can run. */
kldve_status kx_units_make(kx_planner *p);

#endif

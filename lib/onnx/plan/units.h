/* units.h - graph -> units. */
#ifndef KLDVE_ONNX_BOX_UNITS_H
#define KLDVE_ONNX_BOX_UNITS_H

#include "planner.h"

/** Make the units of the needed nodes, sorted by when they can run. */
kldve_status kx_units_make(kx_planner *p);

#endif

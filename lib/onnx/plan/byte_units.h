/* byte_units.h - which units work on integers of 8 bits. */
#ifndef KLDVE_ONNX_BYTE_UNITS_H
#define KLDVE_ONNX_BYTE_UNITS_H

#include "planner.h"

/** Marks them (kx_unit.bytes).  After kx_mark_active(). */
kldve_status kx_byte_units(kx_planner *p);

#endif

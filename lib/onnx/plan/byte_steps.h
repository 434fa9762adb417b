/* byte_steps.h - steps on integers of 8 bits. */
#ifndef KLDVE_ONNX_BYTE_STEPS_H
#define KLDVE_ONNX_BYTE_STEPS_H

#include "planner.h"

/** The steps of a unit that kx_byte_units() has marked. */
kldve_status kx_byte_forward(kx_planner *p, kx_unit *u);

#endif

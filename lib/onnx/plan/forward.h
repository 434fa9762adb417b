/* forward.h - units -> forward steps, and the layouts in which values are made. */
#ifndef KLDVE_ONNX_FORWARD_H
#define KLDVE_ONNX_FORWARD_H

#include "planner.h"

/** Where the picture goes in, or what is given instead of it. */
kldve_status kx_forward_given(kx_planner *p);
/** Append the steps of a unit. */
kldve_status kx_forward_unit(kx_planner *p, kx_unit *u);
/** Where a value is handed out: plain. */
kldve_status kx_forward_output(kx_planner *p, const kx_value *v, kx_port *port);

#endif

/* effort.h - how long a plan may take to run. */
#ifndef KLDVE_ONNX_EFFORT_H
#define KLDVE_ONNX_EFFORT_H

#include "planner.h"

/** Refuse a network whose forward pass is above KLDVE_LIMIT_WORK.  The units are made.
 *  @return KLDVE_OK, KLDVE_E_LIMIT. */
kldve_status kx_check_effort(kx_planner *p);

#endif

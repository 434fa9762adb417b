/* memory.h - buffers -> places in the memory of a state. */
#ifndef KLDVE_ONNX_MEMORY_H
#define KLDVE_ONNX_MEMORY_H

#include "planner.h"

/** Buffers that do not live at the same time share memory.  What the VJP reads of the forward pass
 *  lives to the end, because a VJP may be asked for again. */
kldve_status kx_plan_memory(kx_planner *p);

#endif

/* entry.h - from the layer on. */
#ifndef KLDVE_ONNX_ENTRY_H
#define KLDVE_ONNX_ENTRY_H

#include "planner.h"

/** Append the steps that put feature maps in the layer's place, and keep what the steps behind it
 * need to run by themselves.  `outputs`: the first of the steps that only hand out features and
 * logits.
 */
kldve_status kx_plan_entry(kx_planner *p, int32_t outputs);

#endif

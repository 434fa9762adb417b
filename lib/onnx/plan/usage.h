/* usage.h - which nodes are needed, who reads a value, what depends on what. */
#ifndef KLDVE_ONNX_USAGE_H
#define KLDVE_ONNX_USAGE_H

#include "planner.h"

/** Mark the nodes that layer and logits need, and count who reads a value. */
kldve_status kx_find_needed(kx_planner *p);
/** Refuse a size that no plan should even try, before oneDNN is asked for anything. */
kldve_status kx_check_sizes(kx_planner *p);
/** Which values a cotangent for `to` may flow to. */
void kx_mark_flow(kx_planner *p, const kx_value *to);
/** The last unit that reads each value. */
void kx_find_last_uses(kx_planner *p);
/** Which units and values depend on the layer. */
void kx_mark_after(kx_planner *p);
/** Which units and values a cotangent for `to` flows through. */
kldve_status kx_mark_active(kx_planner *p, const kx_value *to);

#endif

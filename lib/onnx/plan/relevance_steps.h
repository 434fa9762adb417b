/* relevance_steps.h - the elementwise steps around a VJP that make it relevance propagation. */
#ifndef KLDVE_ONNX_RELEVANCE_STEPS_H
#define KLDVE_ONNX_RELEVANCE_STEPS_H

#include "flow.h"
#include "planner.h"

/** range of a buffer, in a new one unless the range changes nothing. */
kldve_status kx_add_clamp(kx_planner *p, const kx_unit *u, int32_t x, const kx_layout *layout,
                          kx_range range, int32_t *out);
/** factor r / <z + z1>, all in r's layout; z1 -1: none. */
kldve_status kx_add_share(kx_planner *p, const kx_unit *u, const int32_t z[2], float factor,
                          kx_grad r, kx_grad *out);
/** range of v times g, added to what *total holds (buffer -1: nothing yet). */
kldve_status kx_add_take(kx_planner *p, const kx_unit *u, const kx_value *v, kx_range range,
                         kx_grad g, kx_grad *total);

#endif

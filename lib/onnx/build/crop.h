/* crop.h - behind the layer, only what the logits read is computed. */
#ifndef KLDVE_ONNX_BUILD_CROP_H
#define KLDVE_ONNX_BUILD_CROP_H

#include "graph/graph.h"

/** Where the logits read a part of what is computed behind the layer - the class token of a
 *  transformer above all -, append nodes that compute that part alone.  The file's own nodes stay,
 * for plans that hand out something of them; what a plan does not need costs it nothing.
 *
 *  A stage of building, after the choice of layer and logits and before the first plan.
 *  @param layer  NULL: nothing is done.
 *  @param out    the same numbers as `logits`, within rounding; `logits` where there is nothing to
 * gain.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_crop(kx_graph *g, const kx_value *layer, kx_value *logits, kx_value **out);

#endif

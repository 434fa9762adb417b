/* join.h - a concatenation whose parts are written where it wants them. */
#ifndef KLDVE_ONNX_JOIN_H
#define KLDVE_ONNX_JOIN_H

#include "planner.h"

/** Let the units that make the parts, n buffers in layouts, write them where the concatenation
 *  wants them: no step at all.  In a dense block, where the concatenations grow by a part each, all
 *  of them become one buffer.  *done is false where that cannot be. */
kldve_status kx_join_parts(kx_planner *p, kx_unit *u, const kx_layout *const *layout,
                           const int32_t *buffer, bool *done);

#endif

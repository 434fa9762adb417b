/* emit.h - small expansions that many operators need (graph/expand.h). */
#ifndef KLDVE_ONNX_OPS_EMIT_H
#define KLDVE_ONNX_OPS_EMIT_H

#include "graph/expand.h"

/** The same array again, under another name. */
kx_value *kx_emit_copy(kx_expander *e, kx_value *a);
/** Constants: one float, one integer, a list of integers. */
kx_value *kx_emit_float(kx_expander *e, float x);
kx_value *kx_emit_int(kx_expander *e, int64_t x);
kx_value *kx_emit_ints(kx_expander *e, const int64_t *x, size_t count);
/** Reshape to these dimensions, of which 0 keeps the operand's. */
kx_value *kx_emit_reshape(kx_expander *e, kx_value *a, const int64_t *dim, size_t rank);
kx_value *kx_emit_transpose(kx_expander *e, kx_value *a, const int64_t *perm, size_t rank);
/** All pieces one behind the other along an axis; `piece` is overwritten. */
kx_value *kx_emit_join(kx_expander *e, kx_value **piece, int64_t count, int64_t axis);
/** Elements begin .. end - 1 of an axis. */
kx_value *kx_emit_slice(kx_expander *e, kx_value *a, int32_t axis, int64_t begin, int64_t end);

#endif

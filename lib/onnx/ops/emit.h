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
/** A constant array of floats from the graph's arena, [product of the dimensions]. */
kx_value *kx_emit_floats(kx_expander *e, const float *x, const kx_shape *shape);
/** start, start + 1, ..., `count` integers. */
kx_value *kx_emit_range(kx_expander *e, int64_t start, int64_t count);
kx_value *kx_emit_cast(kx_expander *e, kx_value *a, int32_t onnx_type);
/** Reshape to these dimensions, of which 0 keeps the operand's. */
kx_value *kx_emit_reshape(kx_expander *e, kx_value *a, const int64_t *dim, size_t rank);
kx_value *kx_emit_transpose(kx_expander *e, kx_value *a, const int64_t *perm, size_t rank);
/** x sigmoid(alpha x). */
kx_value *kx_emit_swish(kx_expander *e, kx_value *x, float alpha);
/** The channels, axis 1, go behind all others, or come back from there. */
kx_value *kx_emit_channels(kx_expander *e, kx_value *x, bool to_last);
/** All pieces one behind the other along an axis; `piece` is overwritten. */
kx_value *kx_emit_join(kx_expander *e, kx_value **piece, int64_t count, int64_t axis);
/** Elements begin .. end - 1 of an axis. */
kx_value *kx_emit_slice(kx_expander *e, kx_value *a, int32_t axis, int64_t begin, int64_t end);

/** A node with all attributes of the one that is expanded, except those named; it refuses what it
 * does not know. */
kx_value *kx_emit_passing(kx_expander *e, const char *type, kx_value *const *in, int32_t nin,
                          const char *const *except, int32_t excepted);
/** Input i of the node that is expanded; NULL where it is omitted. */
kx_value *kx_input(const kx_expander *e, int32_t i);
/** Input i, which must be one constant number, of whatever type the file gave it. */
kldve_status kx_known_number(kx_expander *e, int32_t i, const char *what, double *out);
/** The same cut to an integer. */
kldve_status kx_known_int(kx_expander *e, int32_t i, const char *what, int64_t *out);
/** Whether the file gives the attribute: the getters do not tell a missing one from its default. */
bool kx_named(const kx_node *n, const char *attribute);

#endif

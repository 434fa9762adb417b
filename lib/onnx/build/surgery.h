/* surgery.h - nodes put into a graph that is not planned yet.
 *
 * Each call puts one node before node `at` and moves `at` behind it.  What it makes has the name
 * `name`.  Where the node would change nothing there is none, and *out is the input; of constants
 * there is none either, and *out is a constant.
 * All return KLDVE_OK or KLDVE_E_NOMEM. */
#ifndef KLDVE_ONNX_BUILD_SURGERY_H
#define KLDVE_ONNX_BUILD_SURGERY_H

#include "graph/graph.h"

typedef struct kx_surgery {
    kx_graph *g;
    const char *name; /**< outlives the graph */
    int32_t at;
} kx_surgery;

/** Output axis i is input axis perm[i]. */
kldve_status kx_put_transpose(kx_surgery *s, const int32_t *perm, kx_value *in, kx_value **out);
kldve_status kx_put_reshape(kx_surgery *s, const kx_shape *to, kx_value *in, kx_value **out);
/** `size` elements of an axis from `begin` on; none: *out is NULL. */
kldve_status kx_put_slice(kx_surgery *s, int32_t axis, int64_t begin, int64_t size, kx_value *in,
                          kx_value **out);
/** Zeros before and behind each axis; [rank of the input] each. */
kldve_status kx_put_pad(kx_surgery *s, const int64_t *before, const int64_t *after, kx_value *in,
                        kx_value **out);
/** An axis backwards. */
kldve_status kx_put_flip(kx_surgery *s, int32_t axis, kx_value *in, kx_value **out);
kldve_status kx_put_concat(kx_surgery *s, int32_t axis, int32_t count, kx_value *const *in,
                           kx_value **out);
/** `count` outputs, of size[i] along the axis. */
kldve_status kx_put_split(kx_surgery *s, int32_t axis, int32_t count, const int64_t *size,
                          kx_value *in, kx_value **out);

/** A constant, the same number everywhere. */
kldve_status kx_put_number(kx_surgery *s, const kx_shape *shape, float value, kx_value **out);
kldve_status kx_put_negative(kx_surgery *s, kx_value *in, kx_value **out);
kldve_status kx_put_log(kx_surgery *s, kx_value *in, kx_value **out);
/** low <= out <= high. */
kldve_status kx_put_clip(kx_surgery *s, float low, float high, kx_value *in, kx_value **out);
/** a - b, of one shape. */
kldve_status kx_put_difference(kx_surgery *s, kx_value *a, kx_value *b, kx_value **out);

/** factor * in. */
kldve_status kx_put_scaled(kx_surgery *s, float factor, kx_value *in, kx_value **out);

/** Let the nodes from number `from` on that read `old` read `now`. */
void kx_rewire(kx_graph *g, int32_t from, const kx_value *old, kx_value *now);

#endif

/* layout.h - how an array lies in memory: in one of oneDNN's blocked formats, or plain row-major.
 *
 * A layout belongs to the kx_accel it was made from and is immutable. */
#ifndef KLDVE_ONNX_LAYOUT_H
#define KLDVE_ONNX_LAYOUT_H

#include "graph/graph.h"

typedef struct kx_accel kx_accel;
typedef struct kx_layout kx_layout;

/** Row-major float32; a scalar counts as [1].  NULL: out of memory. */
const kx_layout *kx_layout_plain(kx_accel *a, const kx_shape *shape);
/** The same of rank 4 with the channels, axis 1, innermost. */
const kx_layout *kx_layout_channels_last(kx_accel *a, const kx_shape *shape);
/** The same of rank 4 in blocks of 8 channels, which make up all of them: [C/8][height][width][8]
 *  of each picture. */
const kx_layout *kx_layout_blocks(kx_accel *a, const kx_shape *shape);
bool kx_layout_equal(const kx_layout *x, const kx_layout *y);
/** Bytes of an array, with the padding of a blocked layout. */
size_t kx_layout_bytes(const kx_layout *x);

/** The part of `whole` that starts at index `from` of `axis` and has `n` indices; *out is NULL
 *  where the blocks of the layout cannot be cut there. */
kldve_status kx_layout_slice(kx_accel *a, const kx_layout *whole, int32_t axis, int64_t from,
                             int64_t n, const kx_layout **out);

/** The same memory with the axes in another order: axis i is axis perm[i] of `from`.  NULL: out of
 *  memory. */
const kx_layout *kx_layout_permuted(kx_accel *a, const kx_layout *from, const int32_t *perm);

/** The layout of a concatenation in which the parts lie whole, one behind another.
 *  @param out  NULL: in no layout that is known here.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_layout_join(kx_accel *a, int32_t n, const kx_layout *const *part, int32_t axis,
                            const kx_layout **out);

#endif

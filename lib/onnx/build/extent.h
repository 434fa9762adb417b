/* extent.h - which part of its operands a part of a result is computed from. */
#ifndef KLDVE_ONNX_BUILD_EXTENT_H
#define KLDVE_ONNX_BUILD_EXTENT_H

#include "graph/graph.h"

typedef enum kx_extent_kind { KX_EXTENT_NONE, KX_EXTENT_PART, KX_EXTENT_ALL } kx_extent_kind;

/** Nothing of a tensor, [begin, end) of one axis, or all of it. */
typedef struct kx_extent {
    kx_extent_kind kind;
    int32_t axis;
    int64_t begin, end;
} kx_extent;

extern const kx_extent kx_extent_all;

/** What contains both. */
kx_extent kx_extent_join(kx_extent a, kx_extent b);

/** The part of operand k that a part of result o of node n is computed from.
 *  @param part  PART, of an axis longer than 1.
 *  @return false: n does not compute a part from parts. */
bool kx_extent_operand(const kx_node *n, int32_t o, kx_extent part, int32_t k, kx_extent *in);

/** What a node that takes a part of operand 0 - a Slice, Split or Gather - takes for the whole of
 *  result o; ALL of every other node.
 *  @param arena  for constant indices. */
kx_extent kx_extent_taken(const kx_node *n, int32_t o, kx_arena *arena);

#endif

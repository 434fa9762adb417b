/* channels.h - which axis of a tensor holds the channels, and how to have them first. */
#ifndef KLDVE_ONNX_BUILD_CHANNELS_H
#define KLDVE_ONNX_BUILD_CHANNELS_H

#include "graph/graph.h"

/** An axis of a tensor of rank 4, as the file has it. */
enum { KX_CHANNELS_NOWHERE = 0, KX_CHANNELS_FIRST = 1, KX_CHANNELS_LAST = 3 };
/** Nodes and values that may be added to a graph: three by kx_channels_first(), some for each tensor
 *  that kx_put_together() joins, twice. */
enum { KX_SPARE = 3 + 2 * (KX_MAX_IN + 1) };

/** The axis of the channels by value id, KX_CHANNELS_...: right for what is computed from `input`,
 * of rank 4, and has rank 4 itself.  First where the graph does not tell; nowhere where rows and
 * columns have changed places. */
kldve_status kx_channel_axes(const kx_graph *g, kx_arena *arena, const kx_value *input,
                             int8_t **out);
/** The last stage of building, after which the graph is immutable: where the input or the layer has
 *  its channels last, *input or *layer becomes a value with channels first, and Transposes lead to
 *  the file's.  At most once for a graph. */
kldve_status kx_channels_first(kx_graph *g, const int8_t *axis, kx_value **input, kx_value **layer);

#endif

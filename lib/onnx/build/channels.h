/* channels.h - which axis of a tensor holds the channels, and how to have them first. */
#ifndef KLDVE_ONNX_BUILD_CHANNELS_H
#define KLDVE_ONNX_BUILD_CHANNELS_H

#include "graph/graph.h"

/** An axis of a tensor of rank 4, as the file has it. */
enum { KX_CHANNELS_NOWHERE = 0, KX_CHANNELS_FIRST = 1, KX_CHANNELS_LAST = 3 };
/** Nodes and values that the two functions below may add, once each. */
enum { KX_SPARE = 3 };

/** The axis of the channels by value id, KX_CHANNELS_...: right for what is computed from `input`,
 * of rank 4, and has rank 4 itself.  First where the graph does not tell; nowhere where rows and
 * columns have changed places. */
kldve_status kx_channel_axes(kx_graph *g, const kx_value *input, int8_t **out);
/** Replace an input with channels last by one with channels first, followed by a Transpose. */
kldve_status kx_channels_first_input(kx_graph *g, kx_value **input);
/** Lead a value with channels last through channels first and back: *value becomes the former. */
kldve_status kx_channels_first(kx_graph *g, kx_value **value);

#endif

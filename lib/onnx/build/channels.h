/* channels.h - whether the picture has its channels last, and how to have them first. */
#ifndef KLDVE_ONNX_BUILD_CHANNELS_H
#define KLDVE_ONNX_BUILD_CHANNELS_H

#include "follow.h"

/** Follow `input`, of rank 4, through the graph, as [1][channels][height][width] or as
 *  [1][height][width][channels]: as the graph treats it.  *last says which. */
kldve_status kx_follow_picture(const kx_graph *g, kx_arena *arena, const kx_value *input,
                               kx_followed *out, bool *last);

/** Replace an input with channels last by one with channels first, followed by a Transpose to the
 *  file's.  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_input_first(kx_graph *g, kx_value **input);

#endif

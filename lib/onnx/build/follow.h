/* follow.h - the picture followed through a graph. */
#ifndef KLDVE_ONNX_BUILD_FOLLOW_H
#define KLDVE_ONNX_BUILD_FOLLOW_H

#include "meaning.h"

/** What is known about the tensors of a graph, by value id. */
typedef struct kx_followed {
    const kx_meaning *meaning;
    bool first; /**< an operator that wants channels first got other axes there */
    bool moved; /**< channels that were last were brought to the first place */
} kx_followed;

/** Follow the axes of the input through the graph.
 *  @param axes  what the axes of `input` are, a letter for each: N pictures, C channels, T frames,
 *               H rows, W columns, else unknown. */
kldve_status kx_follow(const kx_graph *g, kx_arena *arena, const kx_value *input, const char *axes,
                       kx_followed *out);

#endif

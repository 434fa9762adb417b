/* picked.h - the scores of a selection: read out of its tensor, and cotangents brought back. */
#ifndef KLDVE_ONNX_PICKED_H
#define KLDVE_ONNX_PICKED_H

#include "selection.h"

/** The places that an explanation is about, and arrays of the tensor's size. */
typedef struct kx_picked kx_picked;

/** At first the first place is picked.
 *  @param s      outlives it.
 *  @param batch  inputs that run at once; their arrays are made when they are first used. */
kldve_status kx_picked_new(kldve_ctx *ctx, const kx_selection *s, int32_t batch, kx_picked **out);
void kx_picked_free(kx_picked *p);

/** Room for the tensors of `count` inputs, 1 or the batch; NULL: out of memory, with a message. */
float *kx_picked_room(kx_picked *p, int32_t count);
/** Pick the place at x, y, in parts of the map's width and height, 0 to below 1. */
void kx_picked_at(kx_picked *p, float x, float y);
/** Pick places by the weights [height][width] of the input's pixels, whose sum is 1. */
void kx_picked_over(kx_picked *p, const float *weight, int32_t height, int32_t width);
/** Pick a row. */
void kx_picked_row(kx_picked *p, int32_t row);
/** Tensors in that room -> scores [count][scores]. */
void kx_picked_read(const kx_picked *p, int32_t count, float *scores);
/** Cotangents at the scores [count][scores] -> at the tensors, [count][elements], borrowed; valid
 *  until the next call.  NULL: out of memory, with a message. */
const float *kx_picked_spread(kx_picked *p, int32_t count, const float *cotangents);
/** The same for relevance: each place gets its share by what it contributed to the mean in the last
 *  forward pass of one input, as the epsilon rule of a linear layer says. */
const float *kx_picked_share(kx_picked *p, const float *relevance);

#endif

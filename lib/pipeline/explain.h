/* explain.h - the pipeline. */
#ifndef KLDVE_LIB_EXPLAIN_H
#define KLDVE_LIB_EXPLAIN_H

#include "run.h"

/** What a host asks for: explanations of inputs or of pictures, with the same options. */
typedef struct kldve_call {
    kldve_explainer *ex;
    const kldve_options *options;
    const float *inputs;                /**< [n][in_channels][in_height][in_width], or what a head
                                             takes; NULL: */
    const kldve_image *const *pictures; /**< [n][in_frames] */
    const float *logits;      /**< of inputs, one call: what they should be; may be NULL */
    const kldve_frame *frame; /**< of inputs: the picture that they come from; NULL: they
                                   are the picture */
} kldve_call;

/** Explain `count` of the inputs from number `first` on together: 1 of them or, where the explainer
 *  has the room, as many as its network runs at once.
 *  @param last    The heat maps are appended to this chain (kldve_heatmap.before), in order; left
 *               as it is on failure.
 *  @param failed  On failure the input that it is about, from 0 on; -1: all of them. */
kldve_status kldve_explain_together(const kldve_call *call, int32_t first, int32_t count,
                                    kldve_heatmap **last, int32_t *failed);

/** The pipeline behind the forward pass, which arrays share: logits and feature maps, which are set
 *  in the jobs -> the maps and their records. */
kldve_status kldve_explain_passed(kldve_batch *batch);

#endif

/* passes.h - what metrics ask of an explainer: forward passes and maps of changed inputs of a
 * picture that was explained before. */
#ifndef KLDVE_LIB_PASSES_H
#define KLDVE_LIB_PASSES_H

#include <kldve/kldve.h>

#include "stages/frame.h"

kldve_ctx *kldve_explainer_ctx(const kldve_explainer *ex);
const kldve_shape *kldve_explainer_shape_of(const kldve_explainer *ex);
const kldve_input_spec *kldve_explainer_spec_of(const kldve_explainer *ex);

/** kldve_explainer_forward() of inputs that come from a picture: places that the options pick are
 *  pixels of it.
 *  @param frame   The picture; NULL: the inputs are it.
 *  @param inputs  [count][in_channels][in_height][in_width].
 *  @param logits  [count][classes]. */
kldve_status kldve_explainer_pass(kldve_explainer *ex, const kldve_frame *frame,
                                  const float *inputs, int32_t count, const kldve_options *options,
                                  float *logits);

/** The same of more inputs: what the last kldve_explainer_pass() picked is not picked again. */
kldve_status kldve_explainer_pass_again(kldve_explainer *ex, const float *inputs, int32_t count,
                                        float *logits);

/** kldve_explain_input() of the same. */
kldve_status kldve_explainer_explain(kldve_explainer *ex, const kldve_frame *frame,
                                     const float *input, const kldve_options *options,
                                     kldve_heatmap **out);

#endif

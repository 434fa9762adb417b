/* steps.h - the stages as steps: which buffer goes into which function.  explain.c says in which
 * order they run.  Each step reads what those before it left in the job, the buffers and the heat
 * map. */
#ifndef KLDVE_LIB_STEPS_H
#define KLDVE_LIB_STEPS_H

#include "run.h"
#include "stages/preprocess.h"

/** Values of the map. */
static inline size_t kldve_run_cells(const kldve_run *run)
{
    return (size_t)run->map->record.height * (size_t)run->map->record.width;
}

/* Steps of one input. */

/** Make the heat map run->map, which the caller takes over, also after a failure. */
kldve_status kldve_run_begin(kldve_run *run);
/** Pictures, one for each frame, -> input [in_channels][in_height][in_width]. */
kldve_status kldve_run_picture(kldve_run *run, const kldve_image *const *pictures,
                               const kldve_input_spec *spec, float *input);
/** The same of an input that is there already. */
void kldve_run_frame(kldve_run *run, const kldve_frame *frame);
/** See that the scores of the forward pass are the caller's [classes] (one, if the network has
 * one), up to what another program's rounding can change.  KLDVE_E_ARG if not. */
kldve_status kldve_run_same_scores(kldve_run *run, const float *logits);
/** Logits, options -> the class to explain, the best class beside it. */
kldve_status kldve_run_target(kldve_run *run);
/** Logits -> the part of the divergence that does not depend on the class. */
kldve_status kldve_run_scores(kldve_run *run);
/** Class -> z, KL, alpha. */
kldve_status kldve_run_divergence(kldve_run *run, kldve_subject subject);
/** Alpha -> the method's cotangent. */
kldve_status kldve_run_cotangent(kldve_run *run, kldve_subject subject);
/** Gradient, feature maps -> one weight for each map. */
kldve_status kldve_run_weights(kldve_run *run, kldve_subject subject);
/** Weights, feature maps -> map, in 0..1. */
kldve_status kldve_run_map(kldve_run *run, kldve_subject subject);
/** Map of the target, map of the other class -> class sensitivity. */
kldve_status kldve_run_compare(kldve_run *run);

/* Steps of all inputs at once: calls of the network. */

/** Inputs -> logits, feature maps. */
kldve_status kldve_batch_forward(kldve_batch *batch);
/** Cotangents -> gradients at the layer. */
kldve_status kldve_batch_vjp(kldve_batch *batch, kldve_subject subject);

/* Augmentation smoothing of one input: smooth_steps.c. */

/** Room for a changed input, and behind it for the sum of the maps, zeros; release *changed. */
kldve_status kldve_run_smooth_begin(const kldve_run *run, float **changed, float **sum);
/** Input -> changed form number `variant`. */
void kldve_run_smooth_input(const kldve_run *run, const float *input, int32_t variant,
                            float *changed);
/** Add the map of that form to the sum. */
void kldve_run_smooth_add(const kldve_run *run, int32_t variant, float *sum);
/** Sum -> the normalised mean as the map of `input` itself. */
void kldve_run_smooth_end(kldve_run *run, const float *sum);

#endif

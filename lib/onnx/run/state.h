/* state.h - a state: the memory of one run of a plan, and its primitives bound to that memory. */
#ifndef KLDVE_ONNX_STATE_H
#define KLDVE_ONNX_STATE_H

#include "plan/step_list.h"

typedef struct kx_state kx_state;

/** @param plan  Immutable, outlives the state. */
kldve_status kx_state_new(kldve_ctx *ctx, const kx_plan *plan, kx_state **out);
void kx_state_free(kx_state *s);
kldve_status kx_state_forward(kx_state *s, const float *input, float *logits, float *features);
/** From the layer on; what reaches the logits around it stays that of the last forward pass. */
kldve_status kx_state_forward_features(kx_state *s, const float *features, float *logits);
/** KLDVE_OK, or why the plan has no VJP to there. */
kldve_status kx_state_has_vjp(const kx_state *s, kx_target to);
/** rule: a kldve_rule, for activations. */
kldve_status kx_state_vjp(kx_state *s, kx_target to, int32_t rule, const float *cotangent,
                          float *gradient);
/** To the input of a plan with `biases`. */
kldve_status kx_state_vjp_biases(kx_state *s, const float *cotangent, float *gradient,
                                 kldve_bias_fn visit, void *opaque);

/** Of a plan with `attentions`: all of them, and the gradients there of a cotangent (NULL: none).
 */
kldve_status kx_state_attentions(kx_state *s, const float *cotangent, kldve_attention_fn visit,
                                 void *opaque);

/* ---- for batch.c: a pass in pieces ---- */

/** Take over an input; a cotangent.  Then come the steps. */
void kx_state_begin_forward(kx_state *s, const float *input);
kldve_status kx_state_begin_vjp(kx_state *s, kx_target to, int32_t rule, const float *cotangent);
/** Steps with OpenMP's threads as they are; *at: the one that failed. */
kldve_status kx_state_steps(kx_state *s, kx_step_range range, int32_t *at);
/** Describe the failure. */
kldve_status kx_state_failed(const kx_state *s, int32_t at, kldve_status st);
/** Hand out what came; NULL: not wanted. */
void kx_state_end_forward(kx_state *s, float *logits, float *features);
void kx_state_end_vjp(const kx_state *s, kx_target to, float *gradient);

#endif

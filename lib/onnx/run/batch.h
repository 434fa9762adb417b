/* batch.h - several inputs of one plan at once. */
#ifndef KLDVE_ONNX_BATCH_H
#define KLDVE_ONNX_BATCH_H

#include "plan/step_list.h"

/** The states of several inputs of one plan, which run at the same time. */
typedef struct kx_many kx_many;

/** @param plan     With one thread for a run.
 *  @param threads  That share the inputs. */
kldve_status kx_many_new(kldve_ctx *ctx, const kx_plan *plan, int32_t count, int threads,
                         kx_many **out);
void kx_many_free(kx_many *m);
/** How many weights a batch reads once for all its inputs, where each input alone would read them
 *  from memory: those of large dense layers. */
size_t kx_many_shared(const kx_plan *plan);
/** [count] of what kx_state_forward() takes, one behind the other; features may be NULL. */
kldve_status kx_many_forward(kx_many *m, const float *inputs, float *logits, float *features);
/** To the layer. */
kldve_status kx_many_vjp(kx_many *m, const float *cotangents, float *gradients);

#endif

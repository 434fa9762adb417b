/* step.h - one step of a plan on the memory of a state: for state.c and batch.c. */
#ifndef KLDVE_ONNX_STEP_H
#define KLDVE_ONNX_STEP_H

#include "accel/team.h"
#include "accel/call.h"
#include "run/state.h"

struct kx_state {
    kldve_ctx *ctx;
    const kx_plan *plan;
    kx_home home;
    unsigned char *memory;
    kx_call **call; /* [nstep], NULL for steps without a primitive */
    int32_t rule;
    kldve_bias_fn visit;       /* of the VJP under way, or NULL */
    kldve_attention_fn attend; /* as well */
    bool probing;              /* its cotangent is the engine's own */
    void *opaque;              /* of the visitor */
    bool ran;                  /* a forward pass is there for a VJP to look back on */
    bool passed;               /* a forward pass has been, from the input */
};

/** The memory of a buffer of the plan; NULL for a negative one: there is none. */
void *kx_state_at(const kx_state *s, int32_t buffer);

/** Run step i, under the rule and with the visitors that are set.
 *  @return KLDVE_OK; KLDVE_E_BACKEND (oneDNN failed); what a visitor returned. */
kldve_status kx_step_run(kx_state *s, int32_t i);

/** The operand and the result of a KX_STEP_DENSE or KX_STEP_DENSE_VJP as rows. */
size_t kx_state_dense_rows(const kx_state *s, const kx_step *step, const float **from, float **to);
/** The step itself, on rows of one or several states. */
void kx_run_dense_rows(const kx_step *step, size_t rows, const float *const *from,
                       float *const *to);

#endif

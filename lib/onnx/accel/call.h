/* call.h - a primitive bound to memory: one for each state that runs it. */
#ifndef KLDVE_ONNX_CALL_H
#define KLDVE_ONNX_CALL_H

#include "accel/accel.h"

typedef struct kx_call kx_call;

/** @param p       Outlives the call.
 *  @param memory  For each slot the address of its array; not read where the primitive has no such
 *                 operand. */
kldve_status kx_call_new(const kldve_ctx *ctx, const kx_prim *p, void *const memory[KX_SLOTS],
                         kx_call **out);
kldve_status kx_call_run(kx_call *c);
void kx_call_free(kx_call *c);

#endif

/* extra.h - a backward pass that is not always wanted. */
#ifndef KLDVE_ONNX_EXTRA_H
#define KLDVE_ONNX_EXTRA_H

#include "run/state.h"

/** A plan and a state of its own for one kind of backward pass, made when it is first asked for. */
typedef struct kx_extra kx_extra;

/** @param g  Shared with other plans and threads; only read. */
kldve_status kx_extra_new(kldve_ctx *ctx, const kx_graph *g, const kx_plan_options *options,
                          kx_extra **out);
void kx_extra_free(kx_extra *e);
kx_state *kx_extra_state(kx_extra *e);

#endif

/* plan.h - from graph to plan.  plan.c is the table of contents of this folder; what its files
 * share is in planner.h. */
#ifndef KLDVE_ONNX_PLAN_H
#define KLDVE_ONNX_PLAN_H

#include "step_list.h"

/** @param g  Outlives the plan. */
kldve_status kx_plan_new(kldve_ctx *ctx, const kx_graph *g, const kx_plan_options *options,
                         kx_plan **out);
void kx_plan_free(kx_plan *plan);

#endif

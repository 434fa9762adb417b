/* attention.h - attentions: shares of tokens that weigh rows of a matrix product. */
#ifndef KLDVE_ONNX_ATTENTION_H
#define KLDVE_ONNX_ATTENTION_H

#include "planner.h"

/** Find the attentions that the logits need, in the order of computation, and keep them out of
 *  units: p->plan->attention.  The VJP ends at the first, which becomes the layer of the plan.
 *  KLDVE_E_UNSUPPORTED where there is none, and where one does not see all tokens or does not build
 *  on the one before it. */
kldve_status kx_attentions_find(kx_planner *p);
/** Where the unit makes an attention: hand it out, now that its cotangent is complete. */
kldve_status kx_visit_attentions(kx_planner *p, const kx_unit *u);

#endif

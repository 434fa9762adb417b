/* ctx.h - what only the library itself uses of a context. */
#ifndef KLDVE_LIB_CTX_H
#define KLDVE_LIB_CTX_H

#include <kldve/method.h>
#include <kldve/metrics.h>

/** The host's methods and metrics by number from 0; NULL past the last, and for ctx NULL. */
const kldve_method *kldve_ctx_method(const kldve_ctx *ctx, int32_t index);
const kldve_metric *kldve_ctx_metric(const kldve_ctx *ctx, int32_t index);

/** Append a copy.  KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_ctx_add_method(kldve_ctx *ctx, const kldve_method *method);
kldve_status kldve_ctx_add_metric(kldve_ctx *ctx, const kldve_metric *metric);

/** A short public call begins: the message of the last one is gone.  Calls that can be stopped do
 * that by kldve_ctx_enter().  Accepts NULL. */
void kldve_ctx_clear(kldve_ctx *ctx);

/** Of a call within a budget that is closed (budget.h): no memory, because that was refused, is
 *  KLDVE_E_LIMIT. */
kldve_status kldve_ctx_over_budget(kldve_ctx *ctx, kldve_status status);

/** What the calls on a new context may do: anything. */
void kldve_control_init(kldve_ctx *ctx);

#endif

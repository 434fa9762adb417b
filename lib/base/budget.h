/* budget.h - how much an explainer takes: KLDVE_LIMIT_WORKING_MEMORY for each of its inputs, with
 * the state of its backend, its arrays, and what methods take for their sums and batches. */
#ifndef KLDVE_LIB_BUDGET_H
#define KLDVE_LIB_BUDGET_H

#include <kldve/common.h>

/** Until kldve_budget_close() the objects of the context may take what `inputs` are allowed less
 *  `taken` bytes, which they have already. */
void kldve_budget_open(kldve_ctx *ctx, int32_t inputs, size_t taken);

/** @param status  Of what ran in between.
 *  @return `status`; KLDVE_E_LIMIT where memory was refused, with its message. */
kldve_status kldve_budget_close(kldve_ctx *ctx, kldve_status status);

/** A backend is called, which has limits of its own: what it takes does not count.
 *  @return What kldve_budget_resume() needs. */
size_t kldve_budget_pause(kldve_ctx *ctx);
void kldve_budget_resume(kldve_ctx *ctx, size_t room);

#endif

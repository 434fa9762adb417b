/* reason.c - see reason.h. */
#include "reason.h"

#include <string.h>

#include "base/budget.h"

void kldve_reason_begin(kldve_ctx *ctx, kldve_reason *reason)
{
    reason->room = kldve_budget_pause(ctx);
    strncpy(reason->message, kldve_ctx_message(ctx), KLDVE_REASON_SIZE - 1);
    reason->message[KLDVE_REASON_SIZE - 1] = 0;
    kldve_ctx_fail(ctx, KLDVE_OK, "");
}

kldve_status kldve_reason_end(kldve_ctx *ctx, kldve_reason *reason, const char *name,
                              const char *step, kldve_status st)
{
    kldve_budget_resume(ctx, reason->room);
    if (st == KLDVE_OK) {
        kldve_ctx_fail(ctx, KLDVE_OK, reason->message);
        return KLDVE_OK;
    }
    strncpy(reason->message, kldve_ctx_message(ctx), KLDVE_REASON_SIZE - 1);
    if (st > 0)
        return kldve_ctx_failf(ctx, KLDVE_E_BACKEND, "%s: %s: returned %d, which is not a status",
                               name, step, (int)st);
    if (!*reason->message)
        return kldve_ctx_failf(ctx, st, "%s: %s: %s", name, step, kldve_status_name(st));
    return kldve_ctx_failf(ctx, st, "%s: %s: %s", name, step, reason->message);
}

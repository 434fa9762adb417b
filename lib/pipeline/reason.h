/* reason.h - why a call of the host's table failed, told from the reason of an older failure. */
#ifndef KLDVE_LIB_REASON_H
#define KLDVE_LIB_REASON_H

#include <kldve/backend.h>

enum { KLDVE_REASON_SIZE = 512 };

/** The context's message, set aside during a call. */
typedef struct kldve_reason {
    char message[KLDVE_REASON_SIZE];
    size_t room; /* of the budget, kldve_budget_pause() */
} kldve_reason;

/** Before the call: the context has no message. */
void kldve_reason_begin(kldve_ctx *ctx, kldve_reason *reason);
/** After the call, which returned `st`.  A success puts the older message back; a failure becomes
 *  "NAME: STEP: reason", the reason being the backend's own or the status's name.
 *  @return st, or KLDVE_E_BACKEND where it is not a status. */
kldve_status kldve_reason_end(kldve_ctx *ctx, kldve_reason *reason, const char *name,
                              const char *step, kldve_status st);

#endif

/* float_env.h - the floating-point environment of the caller, put aside while the library computes.
 *
 * A host may round upwards, flush small numbers to zero, compute in short x87 precision or trap on
 * overflow.  The library computes in the default environment (IEEE 754: to the nearest, gradual
 * underflow, nothing traps), so that results do not depend on the host, and gives the host its own
 * back, with its exception flags as they were. */
#ifndef KLDVE_LIB_FLOAT_ENV_H
#define KLDVE_LIB_FLOAT_ENV_H

#include <fenv.h>

#include <kldve/common.h>

/** Keep the environment of this thread in *host and take the default one.  In short public calls;
 *  those that can be stopped do it by kldve_ctx_enter(). */
void kldve_float_env_enter(fenv_t *host);

/** Take *host back.
 *  @return `status`, so that a call can end with it. */
kldve_status kldve_float_env_leave(const fenv_t *host, kldve_status status);

/** What a call under way has for itself, and must not share with calls that a callback makes. */
typedef struct kldve_own {
    struct kldve_scratch *scratch;
    size_t room; /**< of kldve_budget_pause() */
    int32_t hosted;
} kldve_own;

/** Around calls of the host's own functions, from within a call of the library: they find the
 *  environment in which the host made that call, and may change it; what they allocate is theirs.
 *  Calls that they make compute as outermost ones do.  The environment stays outside of
 *  kldve_ctx_enter(). */
kldve_own kldve_ctx_to_host(kldve_ctx *ctx);
void kldve_ctx_from_host(kldve_ctx *ctx, const kldve_own *own);

#endif

/* float_env.c - see float_env.h. */
#include "float_env.h"

#include "budget.h"
#include "ctx_struct.h"

void kldve_float_env_enter(fenv_t *host)
{
    feholdexcept(host); /* first: no trap in between */
    fesetenv(FE_DFL_ENV);
}

kldve_status kldve_float_env_leave(const fenv_t *host, kldve_status status)
{
    fesetenv(host);
    return status;
}

kldve_own kldve_ctx_to_host(kldve_ctx *ctx)
{
    kldve_own own = {ctx->held->scratch, kldve_budget_pause(ctx), ctx->control.hosted};

    ctx->held->scratch = NULL;
    if (ctx->control.depth > 0) {
        ctx->control.hosted = ctx->control.depth;
        fesetenv(&ctx->control.host);
    }
    return own;
}

void kldve_ctx_from_host(kldve_ctx *ctx, const kldve_own *own)
{
    if (ctx->control.depth > 0)
        kldve_float_env_enter(&ctx->control.host);
    ctx->control.hosted = own->hosted;
    ctx->held->scratch = own->scratch;
    kldve_budget_resume(ctx, own->room);
}

/* float_env.c - see float_env.h. */
#include "float_env.h"

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

void kldve_ctx_to_host(kldve_ctx *ctx)
{
    if (ctx->control.depth > 0)
        fesetenv(&ctx->control.host);
}

void kldve_ctx_from_host(kldve_ctx *ctx)
{
    if (ctx->control.depth > 0)
        kldve_float_env_enter(&ctx->control.host);
}

/* checks.c - what every call of the divergence asks first: scores, a target, finite numbers. */
#include "divergence.h"
#include "base/ctx.h"

#include <math.h>

kldve_status kldve_divergence_ready(const kldve_divergence *d, const char *what)
{
    if (!d)
        return KLDVE_E_ARG;
    if (!d->ready)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG,
                               "%s: no scores are set, call kldve_divergence_set_scores() first",
                               what);
    kldve_ctx_clear(d->ctx);
    return KLDVE_OK;
}

kldve_status kldve_divergence_ready_for(const kldve_divergence *d, const char *what, int32_t target)
{
    kldve_status st = kldve_divergence_ready(d, what);

    if (st == KLDVE_OK && (target < 0 || (size_t)target >= d->n))
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "%s: target %d is not among the %zu classes",
                               what, (int)target, d->n);
    return st;
}

kldve_status kldve_check_finite(kldve_ctx *ctx, const char *what, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return kldve_ctx_failf(ctx, KLDVE_E_NUMERIC, "%s: entry %zu is %s", what, i,
                                   isnan(x[i]) ? "not a number" : "infinite");
    return KLDVE_OK;
}

/* finite.c - NaN and infinity end an explanation with a message that says where they came from. */
#include "finite.h"

#include <kldve/backend.h>

kldve_status kldve_finite_check(kldve_ctx *ctx, const char *where, const char *what,
                                const float *value, size_t n)
{
    size_t bad = kldve_finite(value, n);

    if (bad == n)
        return KLDVE_OK;
    return kldve_ctx_failf(ctx, KLDVE_E_NUMERIC, "%s: %s %zu of %zu is %s", where, what, bad, n,
                           kldve_finite_name((double)value[bad]));
}

/* agreement_arrays.c - the metrics of agreement for arrays of a host. */
#include <math.h>

#include "base/ctx.h"
#include "base/finite.h"
#include "base/float_env.h"
#include "metrics.h"
#include "parts/agreement.h"
#include "parts/metric_options.h"

static kldve_status check_maps(kldve_ctx *ctx, const float *const maps[2], int32_t height,
                               int32_t width)
{
    static const char *const what[2] = {"value of the first map,", "value of the second map,"};
    kldve_status st = KLDVE_OK;

    if (height < 1 || width < 1 || (int64_t)height * width > INT32_MAX)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "agreement: maps of %d x %d: each side must be at least 1, and there "
            "can be 2147483647 values",
            (int)height, (int)width);
    for (int i = 0; st == KLDVE_OK && i < 2; i++)
        st = kldve_finite_check(ctx, "agreement", what[i], maps[i], (size_t)height * (size_t)width);
    return st;
}

static kldve_status find(kldve_ctx *ctx, const char *name, const kldve_metric **metric)
{
    *metric = kldve_metric_named(ctx, name);
    if (!*metric)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "unknown metric \"%s\"; kldve_metric_at() lists the metrics", name);
    if ((*metric)->compute != kldve_agreement_compute)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "agreement: the metric %s does not compare two arrays", name);
    return KLDVE_OK;
}

kldve_status kldve_agreement(kldve_ctx *ctx, const char *name, const float *const maps[2],
                             int32_t height, int32_t width, const kldve_metric_options *options,
                             double *value)
{
    const kldve_agreement_kind *kind;
    const kldve_metric *metric;
    kldve_metric_options o;
    double found = (double)NAN;
    fenv_t host;
    kldve_status st;

    kldve_ctx_clear(ctx);
    if (!ctx || !name || !maps || !maps[0] || !maps[1] || !value)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "agreement: the %s is NULL",
                               !name                           ? "name"
                               : !maps || !maps[0] || !maps[1] ? "map"
                                                               : "result");
    kldve_float_env_enter(&host);
    if ((st = find(ctx, name, &metric)) < 0 || (st = check_maps(ctx, maps, height, width)) < 0 ||
        (st = kldve_metric_options_load(ctx, metric, options, &o)) < 0)
        return kldve_float_env_leave(&host, st);
    kind = metric->opaque;
    st = kind->measure(&(kldve_pair){ctx, maps[0], maps[1], (size_t)height, (size_t)width, o.part},
                       &found);
    if (st == KLDVE_OK)
        *value = found;
    return kldve_float_env_leave(&host, st);
}

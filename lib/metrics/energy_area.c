/* energy_area.c - how small is the salient area?
 *
 *     v_1 >= v_2 >= ... >= v_n >= 0    the values in falling order
 *     area = min { m : v_1 + ... + v_m >= part * (v_1 + ... + v_n) } / n
 *
 *     S(t) = sum of all v >= t,   v_m = the largest t with S(t) >= part * S(0)
 *
 * level.c finds v_m.  What lies above it is counted in full, of those equal to it as many as are
 * still needed.
 *
 * H. K. Bashier Babiker and R. Goebel, arXiv:1711.06431, compare methods by how small the area is
 * that they show; the paper has no formula, this one is ours. */
#include "metrics.h"

#include <math.h>

#include "base/ctx.h"
#include "base/finite.h"
#include "base/float_env.h"
#include "stages/level.h"

static kldve_status check(kldve_ctx *ctx, const float *values, size_t count, double part)
{
    size_t bad;

    if (count == 0)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "energy area: there are no values");
    if (!(part > 0 && part <= 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "energy area: part is %g, it must be above 0 and at most 1", part);
    bad = kldve_finite(values, count);
    if (bad < count)
        return kldve_ctx_failf(ctx, KLDVE_E_NUMERIC, "energy area: value %zu is %s", bad,
                               kldve_finite_name((double)values[bad]));
    for (size_t i = 0; i < count; i++)
        if (values[i] < 0)
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "energy area: value %zu is negative, it must be at least 0", i);
    return KLDVE_OK;
}

static kldve_status energy_area(kldve_ctx *ctx, const float *values, size_t count, double part,
                                double *area)
{
    const kldve_values all = {values, count, false};
    double need, sum_above;
    size_t above;
    float level;
    kldve_status st;

    if ((st = check(ctx, values, count, part)) < 0)
        return st;
    need = part * kldve_sum_from(&all, 0, &above, &sum_above);
    if (need == 0) {
        *area = (double)NAN;
        return KLDVE_OK;
    }
    level = kldve_level_of_sum(&all, part);
    kldve_sum_from(&all, level, &above, &sum_above);
    if (level > 0) /* at part 1 rounding may leave nothing between the values and `need` */
        above += (size_t)fmax(ceil((need - sum_above) / (double)level), 0);
    *area = (double)(above < count ? above : count) / (double)count;
    return KLDVE_OK;
}

kldve_status kldve_metric_energy_area(kldve_ctx *ctx, const float *values, int32_t count,
                                      double part, double *area)
{
    fenv_t host;

    kldve_ctx_clear(ctx);
    if (!ctx || !values || !area)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "energy area: %s is NULL",
                               values ? "the result" : "the map");
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(
        &host, energy_area(ctx, values, count > 0 ? (size_t)count : 0, part, area));
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    return energy_area(job->ctx, job->values, (size_t)job->height * (size_t)job->width, 0.5, value);
}

const kldve_metric kldve_energy_area_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "energy_area",
    .title = "Half the energy",
    .summary = "share of the picture that holds half of the map's energy",
    .source = "this library, after Bashier Babiker and Goebel 2017, arXiv:1711.06431",
    .unit = "of the area",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_LOWER,
    .compute = compute,
    .family = "concentration",
};

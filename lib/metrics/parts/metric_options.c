/* metric_options.c - the options of a metric: possible, read by it, and its own where not given. */
#include "metric_options.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"

static kldve_status check_range(kldve_ctx *ctx, const kldve_metric_options *o)
{
    if (o->steps < 0 || o->samples < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric options: %s is %d, it must be at least 1",
                               o->steps < 0 ? "steps" : "samples",
                               (int)(o->steps < 0 ? o->steps : o->samples));
    if (!(o->part >= 0 && o->part <= 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "metric options: part is %g, it must be above 0 and at most 1",
                               o->part);
    if (!(o->noise >= 0 && o->noise < (double)INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric options: noise is %g, it must be above 0",
                               o->noise);
    if (!(o->tolerance >= 0 && o->tolerance < (double)INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "metric options: tolerance is %g, it must be 0 or more",
                               o->tolerance);
    if (o->baseline < KLDVE_BASELINE_DEFAULT || o->baseline > KLDVE_BASELINE_WHITE)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric options: unknown baseline %d",
                               (int)o->baseline);
    if (o->normalise < 0 || o->normalise > 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "metric options: normalise is %d, it must be 0 or 1",
                               (int)o->normalise);
    return KLDVE_OK;
}

/* An option that would change nothing is a mistake. */
static kldve_status check_read(kldve_ctx *ctx, const kldve_metric *metric,
                               const kldve_metric_options *o)
{
    const struct {
        bool set;
        uint64_t option;
        const char *name;
    } given[] = {
        {o->steps != 0, KLDVE_METRIC_OPTION_STEPS, "steps"},
        {o->samples != 0, KLDVE_METRIC_OPTION_SAMPLES, "samples"},
        {o->seed != 0, KLDVE_METRIC_OPTION_SEED, "seed"},
        {o->part > 0, KLDVE_METRIC_OPTION_PART, "part"},
        {o->noise > 0, KLDVE_METRIC_OPTION_NOISE, "noise"},
        {o->baseline != 0, KLDVE_METRIC_OPTION_BASELINE, "baseline"},
        {o->normalise != 0, KLDVE_METRIC_OPTION_NORMALISE, "normalise"},
        {o->tolerance > 0, KLDVE_METRIC_OPTION_TOLERANCE, "tolerance"},
    };

    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].set && !(metric->options & given[i].option))
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "metric options: %s is set, but the metric %s does not read it: "
                                   "leave it at 0",
                                   given[i].name, metric->name);
    return KLDVE_OK;
}

static void fill_in(kldve_metric_options *o, const kldve_metric_options *defaults)
{
    if (o->steps == 0)
        o->steps = defaults->steps;
    if (o->samples == 0)
        o->samples = defaults->samples;
    if (o->seed == 0)
        o->seed = defaults->seed;
    if (o->part == 0)
        o->part = defaults->part;
    if (o->noise == 0)
        o->noise = defaults->noise;
    if (o->baseline == 0)
        o->baseline = defaults->baseline;
    if (o->normalise == 0)
        o->normalise = defaults->normalise;
    if (o->tolerance == 0)
        o->tolerance = defaults->tolerance;
}

kldve_status kldve_metric_options_load(kldve_ctx *ctx, const kldve_metric *metric,
                                       const kldve_metric_options *from, kldve_metric_options *out)
{
    kldve_metric_options defaults;
    kldve_status st;

    if ((st = kldve_struct_load(ctx, "kldve_metric_options", from, out, sizeof *out)) < 0 ||
        (st = check_range(ctx, out)) < 0 || (st = check_read(ctx, metric, out)) < 0 ||
        (st = kldve_struct_load(ctx, "kldve_metric_options", metric->defaults, &defaults,
                                sizeof defaults)) < 0)
        return st;
    fill_in(out, &defaults);
    return KLDVE_OK;
}

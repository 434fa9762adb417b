/* metrics.c - the metrics by name and number, those that a host registers, and one of them applied
 * to a heat map. */
#include "metrics.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "heatmap/heatmap.h"

static const kldve_metric *const metrics[] = {
    &kldve_energy_area_metric,
};

enum { METRICS = sizeof metrics / sizeof *metrics };

static const kldve_metric *number(const kldve_ctx *ctx, int32_t index)
{
    if (index < 0)
        return NULL;
    return index < METRICS ? metrics[index] : kldve_ctx_metric(ctx, index - METRICS);
}

static const kldve_metric *named(const kldve_ctx *ctx, const char *name)
{
    const kldve_metric *metric = NULL;

    for (int32_t i = 0; (metric = number(ctx, i)) != NULL; i++)
        if (strcmp(metric->name, name) == 0)
            break;
    return metric;
}

static kldve_status hand_out(const kldve_metric *metric, const kldve_metric **out)
{
    if (!metric)
        return KLDVE_E_NOT_FOUND;
    *out = metric;
    return KLDVE_OK;
}

kldve_status kldve_metric_at(const kldve_ctx *ctx, int32_t index, const kldve_metric **out)
{
    return out ? hand_out(number(ctx, index), out) : KLDVE_E_ARG;
}

kldve_status kldve_metric_find(const kldve_ctx *ctx, const char *name, const kldve_metric **out)
{
    return name && out ? hand_out(named(ctx, name), out) : KLDVE_E_ARG;
}

kldve_status kldve_metric_register(kldve_ctx *ctx, const kldve_metric *metric)
{
    kldve_metric known;
    const char *name;
    kldve_status st;

    if (!ctx || !metric)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "register: the %s is NULL",
                               ctx ? "metric" : "context");
    st = kldve_struct_load(ctx, "kldve_metric", metric, &known, sizeof known);
    if (st < 0)
        return st;
    name = known.name;
    if (!name || !*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the metric name \"%s\" is not [a-z0-9_]+",
                               name ? name : "");
    if (named(ctx, name))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: a metric \"%s\" already exists, choose another name",
                               name);
    if (!known.compute)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "register: the metric %s has no compute()", name);
    if (!(known.low < known.high))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the metric %s: set low below high, not %g and %g", name,
                               known.low, known.high);
    if (known.better < KLDVE_BETTER_NEITHER || known.better > KLDVE_BETTER_HIGHER)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the metric %s: `better` is %d, not a kldve_better", name,
                               (int)known.better);
    return kldve_ctx_add_metric(ctx, &known);
}

/* The map at the size at which all maps are measured; for a map with signs its distance from 0. */
static kldve_status draw_out(kldve_ctx *ctx, const kldve_heatmap *map, float *values)
{
    size_t count = (size_t)map->view_width * (size_t)map->view_height;
    kldve_status st =
        kldve_heatmap_upsample(ctx, map, map->view_width, map->view_height, 0, values);

    assert(map->view_width > 0 && map->view_height > 0);
    if (st == KLDVE_OK && map->record.sign == KLDVE_SIGN_SIGNED)
        for (size_t i = 0; i < count; i++)
            values[i] = fabsf(values[i] - 0.5f);
    return st;
}

static kldve_status compute(const kldve_metric *metric, const kldve_metric_job *job, double *value)
{
    double found = (double)NAN;
    kldve_status st = metric->compute(job, &found);

    if (st != KLDVE_OK)
        return st;
    if (found < metric->low || found > metric->high)
        return kldve_ctx_failf(job->ctx, KLDVE_E_NUMERIC,
                               "metric %s: %g is outside its range, %g to %g", metric->name, found,
                               metric->low, metric->high);
    *value = found;
    return KLDVE_OK;
}

kldve_status kldve_metric_compute(kldve_ctx *ctx, const kldve_heatmap *map, const char *name,
                                  double *value)
{
    const kldve_metric *metric;
    kldve_metric_job job;
    float *values;
    kldve_status st;

    kldve_ctx_clear(ctx);
    if (!ctx || !map || !name || !value)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric: the %s is NULL",
                               !map   ? "map"
                               : name ? "result"
                                      : "name");
    metric = named(ctx, name);
    if (!metric)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "unknown metric \"%s\"; kldve_metric_at() lists the metrics", name);
    values =
        kldve_ctx_alloc(ctx, (size_t)map->view_width * (size_t)map->view_height, sizeof *values);
    if (!values)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "metric %s: out of memory", name);
    job = (kldve_metric_job){
        .struct_size = sizeof job,
        .ctx = ctx,
        .metric = metric,
        .map = map,
        .values = values,
        .height = map->view_height,
        .width = map->view_width,
    };
    st = draw_out(ctx, map, values);
    if (st == KLDVE_OK)
        st = compute(metric, &job, value);
    kldve_ctx_release(ctx, values);
    return st;
}

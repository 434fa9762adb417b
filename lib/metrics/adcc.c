/* adcc.c - average drop, coherency and complexity, and one number of the three.
 *
 *     m           the map in 0..1, x' the input seen through it (average_drop.c)
 *     coherency   (1 + r) / 2, r the Pearson correlation of m and the map of x'
 *     complexity  the mean of m
 *     ADCC        3 / (1 / coherency + 1 / (1 - complexity) + 1 / (1 - drop)), 0 where one of them
 * is
 *
 * S. Poppi, M. Cornia, L. Baraldi, R. Cucchiara, arXiv:2104.10252.  Two constant maps have r = 1, a
 * constant one and another r = 0.  A flat map has no coherency and no ADCC. */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>

#include "parts/masked.h"
#include "parts/metric_job.h"
#include "stages/correlation.h"

static bool is_flat(const float *mask, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mask[i] != mask[0])
            return false;
    return true;
}

static double mean_of(const float *mask, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)mask[i];
    return sum / (double)count;
}

static kldve_status complexity(const kldve_metric_job *job, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    float *mask = kldve_ctx_alloc(job->ctx, count, sizeof *mask);

    if (!mask)
        return kldve_metric_out_of_memory(job);
    kldve_metric_mask(job->evidence, count, mask);
    *value = mean_of(mask, count);
    kldve_ctx_release(job->ctx, mask);
    return KLDVE_OK;
}

/* Coherency of a map that is not flat; `other` [height][width] is for working. */
static kldve_status cohere(const kldve_metric_job *job, const kldve_masked *masked, float *other,
                           double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    kldve_status st = kldve_metric_evidence(job, masked->input, other);

    if (st < 0)
        return st;
    kldve_metric_mask(other, count, other);
    *value = is_flat(other, count) ? 0.5 : (1 + kldve_pearson(masked->mask, other, count)) / 2;
    return KLDVE_OK;
}

static double harmonic_mean(double a, double b, double c)
{
    return a > 0 && b > 0 && c > 0 ? 3 / (1 / a + 1 / b + 1 / c) : 0;
}

/* The coherency and, of ADCC, the mean of the three. */
static kldve_status measure(const kldve_metric_job *job, bool all, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    float *other = kldve_ctx_alloc(job->ctx, count, sizeof *other);
    kldve_masked masked = {0};
    double coherency = (double)NAN, drop;
    kldve_status st = other ? kldve_masked_open(job, &masked) : kldve_metric_out_of_memory(job);

    if (st == KLDVE_OK && !is_flat(masked.mask, count))
        st = cohere(job, &masked, other, &coherency);
    *value = coherency;
    if (st == KLDVE_OK && all && !isnan(coherency)) {
        drop = kldve_masked_drop(job, &masked);
        *value = isnan(drop) ? drop
                             : harmonic_mean(coherency, 1 - mean_of(masked.mask, count), 1 - drop);
    }
    kldve_masked_close(job, &masked);
    kldve_ctx_release(job->ctx, other);
    return st;
}

static kldve_status coherency(const kldve_metric_job *job, double *value)
{
    return measure(job, false, value);
}

static kldve_status adcc(const kldve_metric_job *job, double *value)
{
    return measure(job, true, value);
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .baseline = KLDVE_BASELINE_ZERO,
};

const kldve_metric kldve_coherency_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "coherency",
    .title = "Coherency",
    .summary = "likeness of the map and that of the input seen through it",
    .source = "Poppi et al. 2021, arXiv:2104.10252",
    .low = 0,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = coherency,
    .needs = KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS,
    .options = KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};

const kldve_metric kldve_complexity_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "complexity",
    .title = "Complexity",
    .summary = "mean of the map, scaled to 0..1",
    .source = "Poppi et al. 2021, arXiv:2104.10252",
    .low = 0,
    .high = 1,
    .better = KLDVE_BETTER_LOWER,
    .compute = complexity,
    .family = "faithfulness",
};

const kldve_metric kldve_adcc_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "adcc",
    .title = "ADCC",
    .summary = "harmonic mean of coherency, 1 - complexity and 1 - average drop",
    .source = "Poppi et al. 2021, arXiv:2104.10252",
    .low = 0,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = adcc,
    .needs = KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS,
    .options = KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};

/* class_correlation.c - is the map of another class another map?
 *
 *     value = Pearson's correlation of the map with that of the other class (stages/correlation.c)
 *
 * class_second: the other class is the best one that is not explained, as for
 * kldve_record.class_sensitivity, which is 1 - value at the size of the layer.
 * class_median: it is the one ranked n/2 (from 0, by logits), or the next lower one if that is
 * explained, or at the end the next higher.  Of two classes both are the other one.
 *
 * 1: the map does not depend on the class.  NaN where one of the two maps is constant.
 *
 * After L. Sixt, M. Granz and T. Landgraf, "When Explanations Lie: Why Many Modified BP
 * Attributions Fail", ICML 2020 (random logit), who take SSIM and a class at random. */
#include "metrics.h"

#include <stdbool.h>

#include "base/ctx.h"
#include "heatmap/heatmap.h"
#include "parts/metric_job.h"
#include "stages/correlation.h"
#include "stages/target.h"

/* Whether a class is one of those that are explained. */
static bool is_explained(const kldve_options *o, int32_t target, int32_t c)
{
    for (int32_t j = 0; o->target_kind == KLDVE_TARGET_SET && j < o->target_count; j++)
        if (o->targets[j] == c)
            return true;
    return c == target;
}

/* The class ranked n/2, otherwise the first behind it that is not explained, or at the end the
 * first before it.  What is explained is never all classes. */
static int32_t median_other(const kldve_options *o, int32_t target, const float *k, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t rank = n / 2 + i < n ? n / 2 + i : n - 1 - i;
        int32_t c = (int32_t)kldve_target_ranked(k, n, rank);

        if (!is_explained(o, target, c))
            return c;
    }
    return kldve_target_best_other(o, target, k, n);
}

/* The map and that of another class, as they are drawn, `both` [2][height][width]. */
static kldve_status draw_both(const kldve_metric_job *job, int32_t other, float *both)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    kldve_options o = *job->explained_with;
    kldve_heatmap *map = NULL;
    kldve_status st;

    o.target_kind = KLDVE_TARGET_INDEX;
    o.target = other;
    if ((st = kldve_metric_draw(job, job->map, both)) < 0 ||
        (st = kldve_metric_map(job, job->input, &o, &map)) < 0)
        return st;
    st = kldve_metric_draw(job, map, both + count);
    kldve_heatmap_free(map);
    return st;
}

static kldve_status correlate(const kldve_metric_job *job, int32_t other, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    float *both = kldve_ctx_alloc(job->ctx, count, 2 * sizeof *both);
    kldve_status st;

    if (!both)
        return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "metric %s: out of memory",
                               job->metric->name);
    st = draw_both(job, other, both);
    if (st == KLDVE_OK)
        *value = kldve_pearson(both, both + count, count);
    kldve_ctx_release(job->ctx, both);
    return st;
}

static kldve_status with_second(const kldve_metric_job *job, double *value)
{
    const kldve_record *r = &job->map->record;

    return correlate(job,
                     kldve_target_best_other(job->explained_with, r->target, job->map->logits,
                                             (size_t)r->classes),
                     value);
}

static kldve_status with_median(const kldve_metric_job *job, double *value)
{
    const kldve_record *r = &job->map->record;

    return correlate(
        job, median_other(job->explained_with, r->target, job->map->logits, (size_t)r->classes),
        value);
}

const kldve_metric kldve_class_second_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "class_second",
    .title = "Second class",
    .summary = "correlation with the map of the best other class",
    .source = "after Sixt et al. 2020, arXiv:1912.09818",
    .low = -1,
    .high = 1,
    .better = KLDVE_BETTER_LOWER,
    .compute = with_second,
    .needs = KLDVE_METRIC_NEED_EXPLANATIONS,
    .family = "sanity",
};

const kldve_metric kldve_class_median_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "class_median",
    .title = "Median class",
    .summary = "correlation with the map of the class ranked in the middle",
    .source = "after Sixt et al. 2020, arXiv:1912.09818",
    .low = -1,
    .high = 1,
    .better = KLDVE_BETTER_LOWER,
    .compute = with_median,
    .needs = KLDVE_METRIC_NEED_EXPLANATIONS,
    .family = "sanity",
};

/* difference.c - how far apart are two maps, place by place?
 *
 *     mean_difference = sum |a_i - b_i| / n,   max_difference = max |a_i - b_i|
 *
 * Unlike correlations they see a change of scale, and they exist for constant maps. */
#include "metrics.h"

#include <math.h>

#include "parts/agreement.h"

static double distance(const kldve_pair *p, size_t i)
{
    return fabs((double)p->a[i] - (double)p->b[i]);
}

static kldve_status mean(const kldve_pair *p, double *value)
{
    size_t count = p->height * p->width;
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += distance(p, i);
    *value = sum / (double)count;
    return KLDVE_OK;
}

static kldve_status largest(const kldve_pair *p, double *value)
{
    double most = 0;

    for (size_t i = 0; i < p->height * p->width; i++)
        most = fmax(most, distance(p, i));
    *value = most;
    return KLDVE_OK;
}

static const kldve_agreement_kind mean_kind = {mean}, largest_kind = {largest};

const kldve_metric kldve_mean_difference_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "mean_difference",
    .title = "Mean difference",
    .summary = "mean distance of the values of two maps",
    .source = "the definition",
    .low = 0,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .opaque = &mean_kind,
    .compute = kldve_agreement_compute,
    .needs = KLDVE_METRIC_NEED_OTHER,
    .family = "agreement",
};

const kldve_metric kldve_max_difference_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "max_difference",
    .title = "Largest difference",
    .summary = "largest distance of a value of one map from that of the other",
    .source = "the definition",
    .low = 0,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .opaque = &largest_kind,
    .compute = kldve_agreement_compute,
    .needs = KLDVE_METRIC_NEED_OTHER,
    .family = "agreement",
};

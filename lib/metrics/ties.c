/* ties.c - how much of the order of the pixels is random?
 *
 * Metrics that take pixels in the order of the map need one among equal values as well, and take a
 * random one.  A map that ends in a ReLU has many: where the share is large, what these metrics say
 * is about the rest of the map only. */
#include "metrics.h"

#include "parts/metric_job.h"
#include "stages/ranks.h"

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    const kldve_ranked *sorted;
    kldve_status st = kldve_metric_sorted(job, true, &sorted);

    if (st == KLDVE_OK)
        *value = kldve_ranked_ties(sorted, (size_t)job->height * (size_t)job->width);
    return st;
}

const kldve_metric kldve_ties_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "ties",
    .title = "Ties",
    .summary = "share of the pixels whose value another pixel has too",
    .source = "this library",
    .unit = "of the pixels",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .compute = compute,
    .family = "faithfulness",
};

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
    size_t count = (size_t)job->height * (size_t)job->width;
    kldve_ranked *work = kldve_ctx_alloc(job->ctx, count, 2 * sizeof *work);

    if (!work)
        return kldve_metric_out_of_memory(job);
    kldve_rank(job->evidence, count, work, work + count);
    *value = kldve_ranked_ties(work, count);
    kldve_ctx_release(job->ctx, work);
    return KLDVE_OK;
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

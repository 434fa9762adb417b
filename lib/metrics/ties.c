/* ties.c - how much of the order of the pixels is random?
 *
 * Metrics that take pixels in the order of the map need one among equal values as well, and take a
 * random one.  A map that ends in a ReLU has many: where the share is large, what these metrics say
 * is about the rest of the map only. */
#include "metrics.h"

#include "parts/metric_job.h"
#include "stages/curve.h"

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    uint32_t *order = kldve_ctx_alloc(job->ctx, count, 2 * sizeof *order);

    if (!order)
        return kldve_metric_out_of_memory(job);
    kldve_curve_order(job->evidence, count, 0, order, order + count);
    *value = kldve_curve_ties(job->evidence, order, count);
    kldve_ctx_release(job->ctx, order);
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

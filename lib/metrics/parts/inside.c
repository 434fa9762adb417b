/* inside.c - a map against where the object is: what the metrics of localisation share. */
#include "inside.h"

#include <math.h>

#include "base/ctx.h"

size_t kldve_inside_truth(const kldve_metric_job *job)
{
    size_t count = kldve_inside_count(job), found = 0;

    for (size_t i = 0; i < count; i++)
        found += job->truth[i] != 0;
    return found;
}

kldve_status kldve_inside_rank(const kldve_metric_job *job, kldve_ranked **sorted)
{
    size_t count = kldve_inside_count(job);
    kldve_ranked *block = kldve_ctx_alloc(job->ctx, count, 2 * sizeof *block);
    float *value = kldve_ctx_alloc(job->ctx, count, sizeof *value);

    if (!block || !value) {
        kldve_ctx_release(job->ctx, block);
        kldve_ctx_release(job->ctx, value);
        return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "metric %s: out of memory",
                               job->metric->name);
    }
    for (size_t i = 0; i < count; i++)
        value[i] = kldve_inside_evidence(job, i);
    kldve_rank(value, count, block, block + count);
    kldve_ctx_release(job->ctx, value);
    *sorted = block;
    return KLDVE_OK;
}

kldve_status kldve_inside_top(const kldve_metric_job *job, size_t k, double *share)
{
    size_t count = kldve_inside_count(job);
    kldve_ranked *sorted;
    kldve_top top;
    double inside = 0;
    kldve_status st = kldve_inside_rank(job, &sorted);

    if (st != KLDVE_OK)
        return st;
    top = kldve_top_of(sorted, count, k);
    for (size_t i = 0; i < count; i++)
        if (job->truth[i])
            inside += kldve_top_holds(top, kldve_inside_evidence(job, i));
    kldve_ctx_release(job->ctx, sorted);
    *share = fmin(inside / (double)k, 1); /* rounding may pass 1 */
    return KLDVE_OK;
}

/* agreement.c - the map and a second one, both at the size of the network's input. */
#include "agreement.h"

#include <assert.h>

#include "base/ctx.h"
#include "metric_job.h"

kldve_status kldve_agreement_compute(const kldve_metric_job *job, double *value)
{
    const kldve_agreement_kind *kind = job->metric->opaque;
    kldve_pair pair = {.ctx = job->ctx,
                       .height = (size_t)job->height,
                       .width = (size_t)job->width,
                       .part = job->options->part};
    float *both = kldve_ctx_alloc(job->ctx, pair.height * pair.width, 2 * sizeof *both);
    kldve_status st;

    assert(kind && kind->measure);
    if (!both)
        return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "metric %s: out of memory",
                               job->metric->name);
    pair.a = both;
    pair.b = both + pair.height * pair.width;
    if ((st = kldve_metric_draw(job, job->map, both)) == KLDVE_OK &&
        (st = kldve_metric_draw(job, job->other, both + pair.height * pair.width)) == KLDVE_OK)
        st = kind->measure(&pair, value);
    kldve_ctx_release(job->ctx, both);
    return st;
}

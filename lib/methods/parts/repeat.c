/* repeat.c - many forward passes of changed inputs or feature maps. */
#include "repeat.h"

#include <assert.h>
#include <string.h>

#include "job.h"

enum { AT_ONCE = 16 };

int32_t kldve_repeat_at_once(const kldve_job *job, int64_t passes)
{
    int32_t batch = job->shape->batch > 1 ? job->shape->batch : 1;
    int32_t most = batch * ((AT_ONCE - 1) / batch + 1);

    return passes < 1 ? 1 : passes < most ? (int32_t)passes : most;
}

static kldve_status batch(const kldve_job *job, const kldve_repeat *r, int64_t first, int32_t count,
                          float *copies, size_t each, float *logits)
{
    const float *original = r->features ? job->features : job->input;
    kldve_status st = kldve_ctx_progress(job->ctx, job->method->name, first, r->total);

    assert(count > 0 && (!r->features || count == 1));
    if (st < 0)
        return st;
    for (int32_t i = 0; i < count; i++) {
        memcpy(copies + (size_t)i * each, original, each * sizeof *copies);
        r->change(r->opaque, first + i, copies + (size_t)i * each);
    }
    st = r->features ? kldve_job_forward_features(job, copies, logits)
                     : kldve_job_forward_many(job, copies, count, logits);
    for (int32_t i = 0; st == KLDVE_OK && i < count; i++)
        r->take(r->opaque, first + i, logits + (size_t)i * (size_t)job->shape->classes);
    return st;
}

kldve_status kldve_job_repeat(const kldve_job *job, const kldve_repeat *r)
{
    const int32_t most = r->features ? 1 : kldve_repeat_at_once(job, r->total);
    size_t each = r->features ? kldve_job_maps(job) * kldve_job_cells(job) : kldve_job_inputs(job);
    float *copies = kldve_ctx_alloc(job->ctx, each, (size_t)most * sizeof *copies);
    float *logits =
        kldve_ctx_alloc(job->ctx, (size_t)job->shape->classes, (size_t)most * sizeof *logits);
    kldve_status st = KLDVE_OK;

    assert(r->total >= 0 && r->change && r->take && (r->features ? job->features : job->input));
    if (!copies || !logits)
        st = kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "%s: out of memory for %d passes",
                             job->method->name, (int)most);
    for (int64_t first = 0; st == KLDVE_OK && first < r->total; first += most) {
        int64_t left = r->total - first;

        st = batch(job, r, first, left < most ? (int32_t)left : most, copies, each, logits);
    }
    kldve_ctx_release(job->ctx, logits);
    kldve_ctx_release(job->ctx, copies);
    return st;
}

int32_t kldve_job_samples(const kldve_job *job, int32_t by_default)
{
    int32_t samples = job->options->samples > 0 ? job->options->samples : by_default;

    return samples > 2 ? samples : 2;
}

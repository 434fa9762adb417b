/* trail.c - from one input to another in the order of the map. */
#include "trail.h"

#include <assert.h>
#include <string.h>

#include "baseline.h"
#include "metric_job.h"
#include "stages/curve.h"

static size_t at_once(const kldve_metric_job *job)
{
    return job->shape->batch > 1 ? (size_t)job->shape->batch : 1;
}

kldve_status kldve_trail_open(const kldve_metric_job *job, kldve_trail *trail)
{
    uint32_t *spare;

    trail->pixels = (size_t)job->height * (size_t)job->width;
    trail->values = trail->pixels * (size_t)job->shape->in_channels;
    trail->baseline = kldve_ctx_alloc(job->ctx, trail->values, sizeof *trail->baseline);
    trail->inputs = kldve_ctx_alloc(job->ctx, trail->values, at_once(job) * sizeof *trail->inputs);
    trail->order = kldve_ctx_alloc(job->ctx, trail->pixels, sizeof *trail->order);
    spare = kldve_ctx_alloc(job->ctx, trail->pixels, sizeof *spare);
    if (trail->order && spare)
        kldve_curve_order(job->evidence, trail->pixels, job->options->seed, trail->order, spare);
    kldve_ctx_release(job->ctx, spare);
    if (!trail->baseline || !trail->inputs || !trail->order || !spare)
        return kldve_metric_out_of_memory(job);
    return kldve_metric_baseline(job, trail->baseline);
}

void kldve_trail_close(const kldve_metric_job *job, kldve_trail *trail)
{
    kldve_ctx_release(job->ctx, trail->order);
    kldve_ctx_release(job->ctx, trail->inputs);
    kldve_ctx_release(job->ctx, trail->baseline);
}

/* The inputs of `count` points, each from the one before it; the first from what the last slot
 * holds of `done` changed pixels. */
static void change(const kldve_metric_job *job, const kldve_trail *trail, const float *to,
                   const size_t *changed, int32_t count, size_t done)
{
    const float *before = trail->inputs + (at_once(job) - 1) * trail->values;

    for (int32_t i = 0; i < count; i++) {
        float *input = trail->inputs + (size_t)i * trail->values;

        assert(changed[i] >= done);
        if (input != before)
            memcpy(input, before, trail->values * sizeof *input);
        kldve_curve_change(to, trail->order, done, changed[i], (size_t)job->shape->in_channels,
                           trail->pixels, input);
        done = changed[i];
        before = input;
    }
}

kldve_status kldve_trail_scores(const kldve_metric_job *job, const kldve_trail *trail,
                                const float *from, const float *to, const size_t *changed,
                                int32_t count, int32_t kind, double *scores)
{
    int32_t batch = (int32_t)at_once(job), some;
    kldve_status st = KLDVE_OK;

    memcpy(trail->inputs + (size_t)(batch - 1) * trail->values, from,
           trail->values * sizeof *trail->inputs);
    for (int32_t done = 0; st == KLDVE_OK && done < count; done += some) {
        some = count - done < batch ? count - done : batch;
        change(job, trail, to, changed + done, some, done > 0 ? changed[done - 1] : 0);
        if ((st = kldve_ctx_progress(job->ctx, job->metric->name, done, count)) == KLDVE_OK)
            st = kldve_metric_scores(job, kind, trail->inputs, some, scores + done);
    }
    return st;
}

kldve_status kldve_trail_points(const kldve_metric_job *job, size_t count, size_t **changed,
                                int32_t *points)
{
    size_t each;

    *points = kldve_curve_steps(count, job->options->steps, &each) + 1;
    *changed = kldve_ctx_alloc(job->ctx, (size_t)*points, sizeof **changed);
    if (!*changed)
        return kldve_metric_out_of_memory(job);
    for (int32_t i = 0; i < *points; i++)
        (*changed)[i] = i < *points - 1 ? (size_t)i * each : count;
    return KLDVE_OK;
}

kldve_status kldve_trail_area(const kldve_metric_job *job, const kldve_trail *trail,
                              const float *from, const float *to, double *area)
{
    double *scores = NULL;
    size_t *changed;
    int32_t points;
    kldve_status st = kldve_trail_points(job, trail->pixels, &changed, &points);

    if (st == KLDVE_OK && !(scores = kldve_ctx_alloc(job->ctx, (size_t)points, sizeof *scores)))
        st = kldve_metric_out_of_memory(job);
    if (st == KLDVE_OK)
        st = kldve_trail_scores(job, trail, from, to, changed, points, KLDVE_SCORE_PROBABILITY,
                                scores);
    if (st == KLDVE_OK)
        *area = kldve_curve_area(scores, (size_t)points);
    kldve_ctx_release(job->ctx, scores);
    kldve_ctx_release(job->ctx, changed);
    return st;
}

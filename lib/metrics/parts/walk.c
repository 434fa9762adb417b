/* walk.c - from one input to another in the order of the map. */
#include "walk.h"

#include <assert.h>
#include <string.h>

#include "baseline.h"
#include "stages/curve.h"

static kldve_status out_of_memory(const kldve_metric_job *job)
{
    return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "metric %s: out of memory", job->metric->name);
}

static size_t at_once(const kldve_metric_job *job)
{
    return job->shape->batch > 1 ? (size_t)job->shape->batch : 1;
}

kldve_status kldve_walk_open(const kldve_metric_job *job, kldve_walk *walk)
{
    uint32_t *spare;

    walk->pixels = (size_t)job->height * (size_t)job->width;
    walk->values = walk->pixels * (size_t)job->shape->in_channels;
    walk->baseline = kldve_ctx_alloc(job->ctx, walk->values, sizeof *walk->baseline);
    walk->inputs = kldve_ctx_alloc(job->ctx, walk->values, at_once(job) * sizeof *walk->inputs);
    walk->order = kldve_ctx_alloc(job->ctx, walk->pixels, sizeof *walk->order);
    spare = kldve_ctx_alloc(job->ctx, walk->pixels, sizeof *spare);
    if (walk->order && spare)
        kldve_curve_order(job->evidence, walk->pixels, job->options->seed, walk->order, spare);
    kldve_ctx_release(job->ctx, spare);
    if (!walk->baseline || !walk->inputs || !walk->order || !spare)
        return out_of_memory(job);
    return kldve_metric_baseline(job, walk->baseline);
}

void kldve_walk_close(const kldve_metric_job *job, kldve_walk *walk)
{
    kldve_ctx_release(job->ctx, walk->order);
    kldve_ctx_release(job->ctx, walk->inputs);
    kldve_ctx_release(job->ctx, walk->baseline);
}

/* The inputs of `count` points, each from the one before it; the first from what the last slot
 * holds of `done` changed pixels. */
static void change(const kldve_metric_job *job, const kldve_walk *walk, const float *to,
                   const size_t *changed, int32_t count, size_t done)
{
    const float *before = walk->inputs + (at_once(job) - 1) * walk->values;

    for (int32_t i = 0; i < count; i++) {
        float *input = walk->inputs + (size_t)i * walk->values;

        assert(changed[i] >= done);
        if (input != before)
            memcpy(input, before, walk->values * sizeof *input);
        kldve_curve_change(to, walk->order, done, changed[i], (size_t)job->shape->in_channels,
                           walk->pixels, input);
        done = changed[i];
        before = input;
    }
}

kldve_status kldve_walk_scores(const kldve_metric_job *job, const kldve_walk *walk,
                               const float *from, const float *to, const size_t *changed,
                               int32_t count, int32_t kind, double *scores)
{
    int32_t batch = (int32_t)at_once(job), some;
    kldve_status st = KLDVE_OK;

    memcpy(walk->inputs + (size_t)(batch - 1) * walk->values, from,
           walk->values * sizeof *walk->inputs);
    for (int32_t done = 0; st == KLDVE_OK && done < count; done += some) {
        some = count - done < batch ? count - done : batch;
        change(job, walk, to, changed + done, some, done > 0 ? changed[done - 1] : 0);
        if ((st = kldve_ctx_progress(job->ctx, job->metric->name, done, count)) == KLDVE_OK)
            st = kldve_metric_scores(job, kind, walk->inputs, some, scores + done);
    }
    return st;
}

kldve_status kldve_walk_area(const kldve_metric_job *job, const kldve_walk *walk, const float *from,
                             const float *to, double *area)
{
    size_t each;
    int32_t points = kldve_curve_steps(walk->pixels, job->options->steps, &each) + 1;
    size_t *changed = kldve_ctx_alloc(job->ctx, (size_t)points, sizeof *changed);
    double *scores = kldve_ctx_alloc(job->ctx, (size_t)points, sizeof *scores);
    kldve_status st;

    for (int32_t i = 0; changed && i < points; i++)
        changed[i] = i < points - 1 ? (size_t)i * each : walk->pixels;
    st = changed && scores ? kldve_walk_scores(job, walk, from, to, changed, points,
                                               KLDVE_SCORE_PROBABILITY, scores)
                           : out_of_memory(job);
    if (st == KLDVE_OK)
        *area = kldve_curve_area(scores, (size_t)points);
    kldve_ctx_release(job->ctx, scores);
    kldve_ctx_release(job->ctx, changed);
    return st;
}

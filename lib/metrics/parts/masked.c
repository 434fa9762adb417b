/* masked.c - the input seen through its map. */
#include "masked.h"

#include <math.h>
#include <stdbool.h>

#include "baseline.h"
#include "metric_job.h"
#include <kldve/method.h>

void kldve_metric_mask(const float *evidence, size_t count, float *mask)
{
    float most = 0;

    for (size_t i = 0; i < count; i++)
        most = evidence[i] > most ? evidence[i] : most;
    for (size_t i = 0; i < count; i++)
        mask[i] = evidence[i] > 0 ? evidence[i] / most : 0;
}

/* `input` holds the baseline. */
static void show(const kldve_metric_job *job, const kldve_masked *masked)
{
    size_t count = (size_t)job->height * (size_t)job->width;

    for (size_t c = 0; c < (size_t)job->shape->in_channels; c++)
        for (size_t i = 0; i < count; i++) {
            float *x = masked->input + c * count + i;

            *x += masked->mask[i] * (job->input[c * count + i] - *x);
        }
}

kldve_status kldve_masked_open(const kldve_metric_job *job, kldve_masked *masked)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    kldve_status st;

    masked->mask = kldve_ctx_alloc(job->ctx, count, sizeof *masked->mask);
    masked->input =
        kldve_ctx_alloc(job->ctx, count, (size_t)job->shape->in_channels * sizeof *masked->input);
    if (!masked->mask || !masked->input)
        return kldve_metric_out_of_memory(job);
    kldve_metric_mask(job->evidence, count, masked->mask);
    if ((st = kldve_metric_baseline(job, masked->input)) < 0)
        return st;
    show(job, masked);
    if ((st = kldve_metric_scores(job, KLDVE_SCORE_PROBABILITY, job->input, 1, &masked->before)) <
        0)
        return st;
    return kldve_metric_scores(job, KLDVE_SCORE_PROBABILITY, masked->input, 1, &masked->after);
}

void kldve_masked_close(const kldve_metric_job *job, kldve_masked *masked)
{
    kldve_ctx_release(job->ctx, masked->input);
    kldve_ctx_release(job->ctx, masked->mask);
}

double kldve_masked_drop(const kldve_metric_job *job, const kldve_masked *masked)
{
    bool probability = job->shape->scores != KLDVE_SCORES_NUMBER &&
                       job->explained_with->target_kind != KLDVE_TARGET_VERSUS;

    if (!probability || !(masked->before > 0))
        return (double)NAN;
    return fmax(0, masked->before - masked->after) / masked->before;
}

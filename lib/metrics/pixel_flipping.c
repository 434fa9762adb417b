/* pixel_flipping.c - how far does the logit fall while the most important pixels are flipped?
 *
 *     AOPC = (1 / (L + 1)) sum over k = 0..L of (f(x_0) - f(x_k))
 *
 * x_k is the input after k of L equal steps, in which `part` of the pixels get the values of the
 * baseline; f is the logit of the explained class.  S. Bach et al., PLOS ONE 10(7), 2015, flip
 * pixels; W. Samek et al., arXiv:1509.06321, have the formula, for squares of 9 x 9 pixels of which
 * 100 are flipped, 16 % of their pictures, to random values. */
#include "metrics.h"

#include <math.h>

#include "parts/metric_job.h"
#include "parts/trail.h"
#include "stages/curve.h"

/* How many of the pixels `part` is, 1 at least. */
static size_t flipped_in_all(const kldve_metric_job *job, const kldve_trail *trail)
{
    return (size_t)fmax(1, ceil(job->options->part * (double)trail->pixels));
}

static kldve_status flip(const kldve_metric_job *job, const kldve_trail *trail, double *value)
{
    double *scores = NULL, sum = 0;
    size_t *changed = NULL;
    int32_t points;
    kldve_status st = kldve_trail_points(job, flipped_in_all(job, trail), &changed, &points);

    if (st == KLDVE_OK && !(scores = kldve_ctx_alloc(job->ctx, (size_t)points, sizeof *scores)))
        st = kldve_metric_out_of_memory(job);
    if (st == KLDVE_OK)
        st = kldve_trail_scores(job, trail, job->input, trail->baseline, changed, points,
                                KLDVE_SCORE_LOGIT, scores);
    for (int32_t k = 0; st == KLDVE_OK && k < points; k++)
        sum += scores[0] - scores[k];
    if (st == KLDVE_OK)
        *value = sum / points;
    kldve_ctx_release(job->ctx, scores);
    kldve_ctx_release(job->ctx, changed);
    return st;
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    kldve_trail trail = {0};
    kldve_status st = kldve_trail_open(job, &trail);

    if (st == KLDVE_OK)
        st = flip(job, &trail, value);
    kldve_trail_close(job, &trail);
    return st;
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .steps = 100,
    .part = 1,
    .baseline = KLDVE_BASELINE_ZERO,
};

const kldve_metric kldve_pixel_flipping_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "pixel_flipping",
    .title = "Pixel flipping",
    .summary = "mean fall of the logit while the most important pixels flip",
    .source = "Bach et al. 2015; Samek et al. 2017, arXiv:1509.06321",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_STEPS | KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_PART |
               KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};

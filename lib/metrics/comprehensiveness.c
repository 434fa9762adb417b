/* comprehensiveness.c - does the probability fall without the most important pixels, and stay with
 * them alone?
 *
 *     comprehensiveness = mean over q of p(x) - p(x without the q most important pixels)
 *     sufficiency       = mean over q of p(x) - p(the q most important pixels of x alone)
 *
 * q is 1, 5, 10, 20 and 50 % of the pixels (rounded up), the bins of ERASER (J. DeYoung et al.,
 * arXiv:1911.03429, Section 4.2), whose tokens are pixels here.  The mean is over the five, as in
 * ERASER's code; its formula has one more term, that of no pixels. */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>

#include "parts/trail.h"

static const double bins[] = {0.01, 0.05, 0.1, 0.2, 0.5};

enum { BINS = sizeof bins / sizeof *bins };

static kldve_status mean_fall(const kldve_metric_job *job, const kldve_trail *trail, bool alone,
                              double *value)
{
    const float *from = alone ? trail->baseline : job->input;
    const float *to = alone ? job->input : trail->baseline;
    size_t changed[BINS];
    double whole, scores[BINS], sum = 0;
    kldve_status st;

    for (int i = 0; i < BINS; i++)
        changed[i] = (size_t)ceil(bins[i] * (double)trail->pixels - 1e-9);
    if ((st = kldve_metric_scores(job, KLDVE_SCORE_PROBABILITY, job->input, 1, &whole)) < 0 ||
        (st = kldve_trail_scores(job, trail, from, to, changed, BINS, KLDVE_SCORE_PROBABILITY,
                                 scores)) < 0)
        return st;
    for (int i = 0; i < BINS; i++)
        sum += whole - scores[i];
    *value = sum / BINS;
    return KLDVE_OK;
}

static kldve_status compute(const kldve_metric_job *job, bool alone, double *value)
{
    kldve_trail trail = {0};
    kldve_status st = kldve_trail_open(job, &trail);

    if (st == KLDVE_OK)
        st = mean_fall(job, &trail, alone, value);
    kldve_trail_close(job, &trail);
    return st;
}

static kldve_status comprehensiveness(const kldve_metric_job *job, double *value)
{
    return compute(job, false, value);
}

static kldve_status sufficiency(const kldve_metric_job *job, double *value)
{
    return compute(job, true, value);
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .baseline = KLDVE_BASELINE_ZERO,
};

const kldve_metric kldve_comprehensiveness_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "comprehensiveness",
    .title = "Comprehensiveness",
    .summary = "fall of the score without the most important 1 to 50 % of the pixels",
    .source = "DeYoung et al. 2020, arXiv:1911.03429",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_HIGHER,
    .compute = comprehensiveness,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};

const kldve_metric kldve_sufficiency_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "sufficiency",
    .title = "Sufficiency",
    .summary = "fall of the score with the most important 1 to 50 % alone",
    .source = "DeYoung et al. 2020, arXiv:1911.03429",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .compute = sufficiency,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};
